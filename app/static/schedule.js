// The schedule with a script: the calendar, visits that can be dragged, and the panel beside it without a new page.
// Every link and form here also works as a plain page; whatever fails falls back to that.
(() => {
  const place = document.getElementById("calendar");
  const beside = document.getElementById("beside");
  const wide = window.matchMedia("(min-width: 900px)");
  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage switched off
    }
  };

  // ── the panel: fetched as the page it is, and only its own part shown ────────────────────────────
  let opener = null;
  const panel = () => document.getElementById("panel");
  const show = (fresh) => {
    const focused = beside.contains(document.activeElement) ? document.activeElement.id : "";
    beside.replaceChildren(fresh);
    comforts(beside);
    const again = focused && document.getElementById(focused);
    (again && beside.contains(again) ? again : fresh).focus({ preventScroll: false });
    drawPending();
  };
  const openPanel = async (address, options = {}) => {
    try {
      const answer = await fetch(address, { credentials: "same-origin", ...options });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("panel");
      if (!fresh) throw new Error("no panel");
      show(document.adoptNode(fresh));
      if (!options.method) history.replaceState(null, "", new URL(address, location.href));
    } catch {
      if (options.method) return false;
      location.assign(address);
    }
    return true;
  };
  const closePanel = (address) => {
    beside.replaceChildren();
    history.replaceState(null, "", address);
    drawPending();
    if (opener?.isConnected) opener.focus();
    else document.getElementById("main").focus();
  };
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest?.("a[data-panel], a[data-panel-close]");
    if (!link || !beside) return;
    event.preventDefault();
    if (link.hasAttribute("data-panel-close")) closePanel(link.href);
    else {
      if (!beside.contains(link)) opener = link;
      openPanel(link.href);
    }
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches?.("form[data-panel]") || !beside) return;
    event.preventDefault();
    const typed = new URLSearchParams(new FormData(form));
    if (form.method === "get") {
      const to = new URL(form.action);
      to.search = typed;
      openPanel(to.href);
    } else if (!(await openPanel(form.action, { method: "POST", body: typed }))) form.submit();
  });

  // ── small comforts ───────────────────────────────────────────────────────────────────────────────
  const comforts = (root) => {
    for (const button of root.querySelectorAll("[data-today]")) button.hidden = false;
    for (const keys of root.querySelectorAll("[data-keys]")) keys.hidden = false;
    for (const choice of root.querySelectorAll("[data-single-keys]")) choice.checked = kept("pumpline-single-keys") !== "off";
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-today]");
    if (!button) return;
    const field = document.getElementById(button.dataset.today);
    field.value = "today";
    field.focus();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-single-keys]")) return;
    try {
      localStorage.setItem("pumpline-single-keys", event.target.checked ? "on" : "off");
    } catch {
      // it holds for this page only
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && panel()) {
      const close = panel().querySelector("[data-panel-close]");
      if (close && !document.querySelector("details.settle[open]")) close.click();
      return;
    }
    if (event.target.closest?.("input, textarea, select, summary, [contenteditable]")) return;
    if (kept("pumpline-single-keys") === "off") return;
    const link = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (!link) return;
    event.preventDefault();
    link.click();
  });

  // ── the calendar ─────────────────────────────────────────────────────────────────────────────────
  let calendar = null;
  let fed = null; // the last answer of the feed
  let dragging = false;
  let drawPending = () => {};
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#i-${name}`);
    svg.append(use);
    return svg;
  };
  const element = (tag, className, ...inside) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...inside);
    return made;
  };
  const where = () => ({ view: place.dataset.view, day: place.dataset.day });
  const address = (path, more) => `${path}?${new URLSearchParams({ ...where(), ...more })}`;
  const plus = (start, minutes) => new Date(Date.parse(`${start}Z`) + minutes * 60000).toISOString().slice(0, 19);
  const wall = (date) => date.toISOString().slice(0, 19); // the calendar keeps the clinic's clock as if it were UTC

  const opened = Date.now();
  const present = () => wall(new Date(Date.parse(`${place.dataset.now}Z`) + Date.now() - opened));

  const pending = () => {
    const shown = panel();
    if (!shown?.dataset.to) return null;
    return { id: shown.dataset.visit ?? "", to: `${shown.dataset.to}:00` };
  };
  const blocks = (feed) => {
    const slot = Number(place.dataset.slot);
    const moving = pending();
    const found = [];
    let who = null;
    for (const visit of feed.visits) {
      const ghost = moving?.id === String(visit.id);
      if (ghost) who = visit;
      found.push({
        id: `visit-${visit.id}`,
        start: visit.start,
        end: plus(visit.start, slot),
        url: address(visit.url),
        title: visit.full,
        editable: visit.movable && place.dataset.mayMove === "1",
        extendedProps: { ...visit, kind: ghost ? "ghost" : "visit" },
      });
    }
    for (const day of feed.days) {
      const week = place.dataset.view === "week";
      if (day.closed !== null) {
        found.push({
          id: `shut-${day.day}`,
          start: week ? `${day.day}T${place.dataset.from}` : day.day,
          end: week ? `${day.day}T${place.dataset.until}` : undefined,
          allDay: !week,
          display: "background",
          title: `Closed: ${day.closed}`,
          extendedProps: { kind: "shut", closed: day.closed },
        });
      }
      for (const start of week && place.dataset.book ? day.free : []) {
        if (moving && moving.to.slice(0, 16) === start) continue;
        const [on, at] = start.split("T");
        found.push({
          id: `free-${start}`,
          start: `${start}:00`,
          end: plus(`${start}:00`, slot),
          url: address(place.dataset.book, { on, at }),
          title: `${at} free`,
          editable: false,
          extendedProps: { kind: "free", at },
        });
      }
    }
    if (moving) {
      found.push({
        id: "target",
        start: moving.to,
        end: plus(moving.to, slot),
        title: who?.name ?? "new visit",
        editable: false,
        extendedProps: { kind: "target", name: who?.name ?? "New visit" },
      });
    }
    return found;
  };
  const drawBlock = ({ event }) => {
    const about = event.extendedProps;
    const line = (name, words, ...more) => [element("b", "", name), element("span", "st", icon(words[0]), words[1], ...more)];
    const time = element("span", "visually-hidden", `${event.startStr.slice(11, 16)} `);
    if (about.kind === "shut") return place.dataset.view === "month" ? { domNodes: [] } : { domNodes: [element("b", "", "Closed"), element("span", "", about.closed), element("span", "tiny", "Alerts and safety texts go on")] };
    if (about.kind === "free") return { domNodes: line(`${about.at} free`, ["plus", "book"]) };
    if (about.kind === "target") return { domNodes: [time, ...line(about.name, ["move", "not saved yet"])] };
    if (about.kind === "ghost") return { domNodes: [time, ...line(about.name, ["arrow", "moving away"])] };
    const more = [];
    if (about.late) more.push(element("span", "num late-mark", `${about.late} d late`));
    else if (about.left !== null) more.push(element("span", "num", `${about.left} d`, element("span", "visually-hidden", " of drug left")));
    return { domNodes: [time, ...line(about.name, [about.icon, about.say], ...more)] };
  };
  const blockClass = ({ event }) => {
    const { kind, look, late, dry } = event.extendedProps;
    if (kind !== "visit") return `visit visit-${kind}`;
    return `visit ${look ? `visit-${look}` : ""} ${dry ? "visit-dry" : late ? "visit-late" : ""}`;
  };
  const explain = (event) => {
    const about = event.extendedProps;
    if (about.kind !== "visit") return "";
    const parts = [`${event.startStr.slice(11, 16)} ${about.full}: ${about.say}`];
    if (about.there) parts.push(`${about.there} for the patient`);
    if (about.left !== null) parts.push(`${about.left} days of drug left today, at the earliest`);
    if (about.late) parts.push(`${about.late} days after plan-by${about.dry ? ", the drug may be gone" : ""}`);
    return parts.join("; ");
  };

  // each day's name with its places under it, as soon as they are known
  const heads = new Map();
  const fillHead = (day, head) => {
    const facts = fed?.days.find((one) => one.day === day);
    if (!facts) return;
    const open = facts.closed === null;
    const said = open ? (facts.places ? `${facts.taken} of ${facts.places}` : facts.taken ? `${facts.taken} booked` : "") : "closed";
    head.querySelector(".count").textContent = said;
    const pips = head.querySelector(".pips");
    const places = open ? Math.max(facts.places, facts.taken) : 0;
    pips.replaceChildren(
      ...(places > 24 ? [] : Array.from({ length: places }, (_, n) => element("i", n < facts.taken ? (n < facts.places ? "on" : "on over") : ""))),
    );
  };
  const drawHead = (day, name) => {
    const head = element("span", "day-head", element("b", "", name), element("span", "count"), element("span", "pips"));
    head.querySelector(".pips").setAttribute("aria-hidden", "true");
    heads.set(day, head);
    fillHead(day, head);
    return { domNodes: [head] };
  };
  // The calendar hides its headings from screen readers behind a label that knows no places, and heads the hours by an
  // empty cell. Here the headings are what is read, as they are seen.
  const cure = () => {
    for (const cell of place.querySelectorAll("[role=columnheader], [role=gridcell]")) {
      cell.removeAttribute("aria-label");
      for (const hidden of cell.querySelectorAll("[aria-hidden=true]")) {
        if (!hidden.matches(".pips, .icon")) hidden.removeAttribute("aria-hidden");
      }
    }
    for (const empty of place.querySelectorAll("[role=rowheader]")) empty.setAttribute("role", "gridcell");
  };
  const dayOf = (date) => wall(date).slice(0, 10);

  const failed = (really) => {
    document.getElementById("calendar-failed").hidden = !really;
  };
  let fromMemory = false;
  const feed = async (range, done, fail) => {
    try {
      if (!fromMemory || !fed) {
        const asked = new URLSearchParams({ start: range.startStr.slice(0, 10), end: range.endStr.slice(0, 10) });
        // like any part of a page that refreshes itself: it keeps no session alive
        const answer = await fetch(`${place.dataset.feed}?${asked}`, { headers: { "HX-Request": "true" } });
        if (answer.status === 401) location.reload();
        if (!answer.ok) throw new Error(`feed ${answer.status}`);
        fed = await answer.json();
        for (const [day, head] of heads) fillHead(day, head);
      }
      failed(false);
      done(blocks(fed));
      requestAnimationFrame(cure);
    } catch (error) {
      failed(true);
      fail(error);
    } finally {
      fromMemory = false;
    }
  };

  const build = () => {
    if (calendar || !place || !wide.matches || !window.FullCalendar) return;
    const { Calendar, plugins } = window.FullCalendar;
    const week = place.dataset.view === "week";
    const minutes = Number(place.dataset.slot);
    const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00`;
    const mayMove = place.dataset.mayMove === "1";
    place.hidden = false;
    calendar = new Calendar(place, {
      plugins,
      initialView: week ? "timeGridWeek" : "dayGridMonth",
      initialDate: place.dataset.first,
      now: present,
      timeZone: "UTC",
      locale: "en",
      firstDay: 1,
      headerToolbar: false,
      height: "auto",
      allDaySlot: false,
      slotDuration: clock,
      slotMinHeight: 2.3125 * parseFloat(getComputedStyle(document.documentElement).fontSize),
      snapDuration: minutes % 15 ? clock : "00:15:00",
      slotMinTime: place.dataset.from,
      slotMaxTime: place.dataset.until,
      slotHeaderInterval: "01:00:00",
      slotHeaderFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
      hiddenDays: (place.dataset.hiddenDays || "").split(" ").filter(Boolean).map(Number),
      nowIndicator: true,
      fixedWeekCount: false,
      slotEventOverlap: false,
      displayEventTime: false,
      eventDurationEditable: false,
      eventDisplay: "block",
      editable: mayMove,
      dragScroll: true,
      dayMaxEvents: week ? false : 6,
      moreLinkClick: (info) => location.assign(`${place.dataset.page}?${new URLSearchParams({ view: "week", day: dayOf(info.date) })}`),
      dayHeaderClass: "cal-head",
      dayHeaderAlign: "start",
      dayHeaderInnerClass: "cal-head-in",
      slotHeaderClass: "cal-hour",
      slotHeaderInnerClass: "cal-hour-in",
      slotLaneClass: (info) => (info.isMinor ? "cal-slot cal-slot-half" : "cal-slot"),
      dayLaneClass: "cal-lane",
      dayLaneInnerClass: "cal-lane-in",
      dayCellClass: ({ isOther, isToday }) => `cal-cell${isOther ? " cal-other" : ""}${isToday ? " cal-today" : ""}`,
      dayCellInnerClass: "cal-cell-in",
      backgroundEventClass: "cal-shut",
      nowIndicatorLineClass: "cal-now",
      highlightClass: "cal-here",
      moreLinkClass: "cal-more",
      events: feed,
      eventContent: drawBlock,
      eventClass: blockClass,
      eventDidMount: ({ el, event }) => {
        const said = explain(event);
        if (said) el.title = said;
      },
      dayHeaderContent: ({ date }) => {
        const name = new Intl.DateTimeFormat("en", { weekday: "short", timeZone: "UTC" }).format(date);
        return week ? drawHead(dayOf(date), `${name} ${date.getUTCDate()}`) : name;
      },
      dayCellTopContent: ({ date }) => (week ? true : drawHead(dayOf(date), String(date.getUTCDate()))),
      eventClick: ({ event, jsEvent, el }) => {
        if (jsEvent.ctrlKey || jsEvent.metaKey || jsEvent.shiftKey) return;
        jsEvent.preventDefault();
        if (!event.url) return;
        opener = el;
        openPanel(event.url);
      },
      dateClick: ({ date, dateStr, jsEvent }) => {
        if (!place.dataset.book || wall(date) < present() || jsEvent.target.closest?.("a")) return;
        const [on, at] = dateStr.slice(0, 16).split("T");
        openPanel(address(place.dataset.book, at ? { on, at } : { on }));
      },
      eventAllow: (span) => span.startStr.slice(0, 19) > present(),
      eventDragStart: () => {
        dragging = true;
      },
      eventDragStop: () => {
        dragging = false;
      },
      eventDrop: ({ event, revert, el }) => {
        const [on, at] = event.startStr.slice(0, 16).split("T");
        const to = new URL(event.url, location.href);
        to.searchParams.set("on", on);
        to.searchParams.set("at", at);
        revert(); // nothing is moved before it is saved
        opener = el;
        openPanel(to.href);
      },
    });
    calendar.render();
    requestAnimationFrame(cure);
    drawPending = () => {
      fromMemory = true;
      calendar?.refetchEvents();
    };
  };
  const rebuild = () => {
    if (wide.matches) build();
    else if (calendar) {
      calendar.destroy();
      calendar = null;
      drawPending = () => {};
      place.hidden = true;
    }
  };

  // what changed elsewhere shows in the calendar too, but never under somebody's hand
  let soon = null;
  document.addEventListener("htmx:after:swap", () => {
    comforts(document);
    if (!calendar) return;
    clearTimeout(soon);
    soon = setTimeout(() => {
      if (!dragging) calendar?.refetchEvents(); // it is gone where the window became narrow
    }, 150);
  });
  document.addEventListener("DOMContentLoaded", () => {
    comforts(document);
    if (panel() && location.hash === "#panel") panel().focus();
    build();
    wide.addEventListener("change", rebuild);
  });
})();
