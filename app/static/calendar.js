// The week or month as a calendar: visits that can be dragged, free slots that can be clicked. The panel beside it is
// schedule.js. Without this script, and where it fails, there is the list.
(() => {
  const place = document.getElementById("calendar");
  const wide = window.matchMedia("(min-width: 900px)");
  const openPanel = (address, opener) => document.dispatchEvent(new CustomEvent("pumpline:open", { detail: { address, opener } }));

  const lang = document.documentElement.lang || "en";
  const words = {
    ...{ closed: "Closed day", goOn: "Alerts and safety texts go on", free: "{hour} free", book: "book", newVisit: "New visit" },
    ...{ notSaved: "not saved yet", movingAway: "moving away", late: "{days} d late", ofDrug: "of drug left" },
    ...{ week: "Week", more: "more", moreHint: "Open the week: {count} more" },
    ...JSON.parse(place?.dataset.words || "{}"),
  };
  const fill = (said, slots) => said.replace(/\{(\w+)\}/g, (slot, name) => slots[name] ?? slot);
  // "14:30", or "2:30 PM" to whoever chose that
  const clock = (at) => {
    if (place.dataset.hours !== "12") return at;
    const hour = Number(at.slice(0, 2));
    return `${hour % 12 || 12}${at.slice(2)} ${hour < 12 ? "AM" : "PM"}`;
  };

  let calendar = null;
  let fed = null; // the last answer of the feed
  let dragging = false;
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
    const shown = document.getElementById("panel");
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
        extendedProps: { ...visit, kind: ghost ? "ghost" : "visit", rank: ghost || visit.look === "missed" || visit.late || visit.dry ? 0 : visit.look === "done" ? 3 : 2 },
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
          title: day.shut,
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
          title: fill(words.free, { hour: clock(at) }),
          editable: false,
          extendedProps: { kind: "free", at, rank: 1 },
        });
      }
    }
    if (moving) {
      found.push({
        id: "target",
        start: moving.to,
        end: plus(moving.to, slot),
        title: who?.name ?? words.newVisit,
        editable: false,
        extendedProps: { kind: "target", name: who?.name ?? words.newVisit, rank: 0 },
      });
    }
    return found;
  };
  const drawBlock = ({ event }) => {
    const about = event.extendedProps;
    const line = (name, words, ...more) => [element("b", "", name), element("span", "st", icon(words[0]), words[1], ...more)];
    const time = element("span", "visually-hidden", `${clock(event.startStr.slice(11, 16))} `);
    if (about.kind === "shut") return place.dataset.view === "month" ? { domNodes: [] } : { domNodes: [element("b", "", words.closed), element("span", "", about.closed), element("span", "tiny", words.goOn)] };
    if (about.kind === "free") return { domNodes: line(fill(words.free, { hour: clock(about.at) }), ["plus", words.book]) };
    if (about.kind === "target") return { domNodes: [time, ...line(about.name, ["move", words.notSaved])] };
    if (about.kind === "ghost") return { domNodes: [time, ...line(about.name, ["arrow", words.movingAway])] };
    const more = [];
    if (about.late) more.push(element("span", "num late-mark", fill(words.late, { days: about.late })));
    else if (about.left !== null) more.push(element("span", "num", `${about.left} d`, element("span", "visually-hidden", ` ${words.ofDrug}`)));
    return { domNodes: [time, ...line(about.name, [about.icon, about.say], ...more)] };
  };
  const blockClass = ({ event }) => {
    const { kind, look, late, dry } = event.extendedProps;
    if (kind !== "visit") return `visit visit-${kind}`;
    return `visit ${look ? `visit-${look}` : ""} ${dry ? "visit-dry" : late ? "visit-late" : ""}`;
  };
  // each day's name with its places under it, as soon as they are known
  const heads = new Map();
  const fillHead = (day, head) => {
    const facts = fed?.days.find((one) => one.day === day);
    if (!facts) return;
    const open = facts.closed === null;
    head.querySelector(".count").textContent = facts.said;
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
  const hiddenDays = () => (place.dataset.hiddenDays || "").split(" ").filter(Boolean).map(Number);
  const dayOf = (date) => wall(date).slice(0, 10);

  const failed = (really) => {
    document.getElementById("calendar-failed").hidden = !really;
  };
  // a calendar that cannot hold every visit says so, and leads to where they all are
  const tellLeftOut = (leftOut) => {
    const notice = document.getElementById("calendar-left-out");
    notice.hidden = !leftOut;
    if (!leftOut) return;
    notice.querySelector("[data-left-out-day]").textContent = leftOut.said;
    const link = notice.querySelector("a");
    const to = new URL(link.href);
    to.searchParams.set("day", leftOut.from);
    link.href = to.href;
  };
  // the page knew the hours and weekdays of the visits it lists; a visit beyond them widens the week
  const widen = () => {
    if (!calendar || place.dataset.view !== "week") return;
    const hours = fed.visits.map((visit) => Number(visit.start.slice(11, 13)));
    const whole = (hour) => `${String(hour).padStart(2, "0")}:00:00`;
    const from = whole(Math.min(parseInt(place.dataset.from, 10), ...hours));
    const until = whole(Math.max(parseInt(place.dataset.until, 10), ...hours.map((hour) => hour + 1)));
    const came = new Set(fed.visits.map((visit) => new Date(`${visit.start}Z`).getUTCDay()));
    const hidden = hiddenDays().filter((day) => !came.has(day));
    if (from === place.dataset.from && until === place.dataset.until && hidden.length === hiddenDays().length) return;
    Object.assign(place.dataset, { from, until, hiddenDays: hidden.join(" ") });
    calendar.setOption("slotMinTime", from);
    calendar.setOption("slotMaxTime", until);
    calendar.setOption("hiddenDays", hidden);
  };
  let fromMemory = false;
  const feed = async (range, done, fail) => {
    try {
      if (!fromMemory || !fed) {
        const { first } = place.dataset; // a week is asked for whole, with the weekdays that are hidden
        const days = place.dataset.view === "week" ? [first, plus(`${first}T00:00:00`, 7 * 1440)] : [range.startStr, range.endStr];
        const asked = new URLSearchParams({ start: days[0].slice(0, 10), end: days[1].slice(0, 10) });
        // like any part of a page that refreshes itself: it keeps no session alive
        const answer = await fetch(`${place.dataset.feed}?${asked}`, { headers: { "HX-Request": "true" } });
        if (answer.status === 401) location.reload();
        if (!answer.ok) throw new Error(`feed ${answer.status}`);
        fed = await answer.json();
        for (const [day, head] of heads) fillHead(day, head);
        tellLeftOut(fed.left_out);
      }
      failed(false);
      done(blocks(fed));
      requestAnimationFrame(() => {
        widen();
        cure();
        requestAnimationFrame(() => place.classList.remove("cal-waiting"));
      });
    } catch (error) {
      place.classList.remove("cal-waiting");
      failed(true);
      fail(error);
    } finally {
      fromMemory = false;
    }
  };

  // so many stand beside each other in a day of the week that a name can still be read; the others are counted
  const beside = () => Math.max(2, Math.floor((place.clientWidth - 64) / (7 - hiddenDays().length) / 68));

  const build = () => {
    if (calendar || !place || !wide.matches || !window.FullCalendar) return;
    const { Calendar, plugins } = window.FullCalendar;
    const week = place.dataset.view === "week";
    const minutes = Number(place.dataset.slot);
    const slot = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00`;
    const mayMove = place.dataset.mayMove === "1";
    place.hidden = false;
    place.classList.remove("cal-none");
    place.classList.add("cal-waiting"); // seen once its days and visits stand where they stay
    calendar = new Calendar(place, {
      plugins,
      initialView: week ? "timeGridWeek" : "dayGridMonth",
      initialDate: place.dataset.first,
      now: present,
      timeZone: "UTC",
      locale: lang,
      timedText: "",
      weekTextLong: words.week,
      moreLinkText: words.more,
      moreLinkHint: (count) => fill(words.moreHint, { count }),
      firstDay: 1,
      headerToolbar: false,
      height: "auto",
      allDaySlot: false,
      slotDuration: slot,
      slotMinHeight: 2.3125 * parseFloat(getComputedStyle(document.documentElement).fontSize),
      snapDuration: minutes % 15 ? slot : "00:15:00",
      slotMinTime: place.dataset.from,
      slotMaxTime: place.dataset.until,
      slotHeaderInterval: "01:00:00",
      slotHeaderContent: ({ date }) => clock(wall(date).slice(11, 16)),
      hiddenDays: hiddenDays(),
      nowIndicator: true,
      fixedWeekCount: false,
      slotEventOverlap: false,
      displayEventTime: false,
      eventDurationEditable: false,
      eventDisplay: "block",
      editable: mayMove,
      dragScroll: true,
      dayMaxEvents: week ? false : 6,
      eventMaxStack: week ? beside() : undefined,
      eventOrder: "rank,start,title",
      eventOrderStrict: true,
      moreLinkClick: (info) => location.assign(`${place.dataset.page}?${new URLSearchParams({ view: week ? "list" : "week", day: dayOf(info.date) })}`),
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
        if (event.extendedProps.kind === "visit") el.title = event.extendedProps.about;
      },
      dayHeaderContent: ({ date }) => {
        const name = new Intl.DateTimeFormat(lang, { weekday: "short", timeZone: "UTC" }).format(date);
        return week ? drawHead(dayOf(date), `${name} ${date.getUTCDate()}`) : name;
      },
      dayCellTopContent: ({ date }) => (week ? true : drawHead(dayOf(date), String(date.getUTCDate()))),
      eventClick: ({ event, jsEvent, el }) => {
        if (jsEvent.ctrlKey || jsEvent.metaKey || jsEvent.shiftKey) return;
        jsEvent.preventDefault();
        if (!event.url) return;
        openPanel(event.url, el);
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
        openPanel(to.href, el);
      },
    });
    calendar.render();
    requestAnimationFrame(cure);
  };
  const rebuild = () => {
    if (wide.matches) build();
    else if (calendar) {
      calendar.destroy();
      calendar = null;
      place.hidden = true;
      place.classList.add("cal-none");
      tellLeftOut(null);
    }
  };

  document.addEventListener("pumpline:panel", () => {
    if (!calendar) return;
    fromMemory = true;
    calendar.refetchEvents();
  });

  // what changed elsewhere shows in the calendar too, but never under somebody's hand
  let soon = null;
  document.addEventListener("htmx:after:swap", () => {
    if (!calendar) return;
    clearTimeout(soon);
    soon = setTimeout(() => {
      if (!dragging) calendar?.refetchEvents(); // it is gone where the window became narrow
    }, 150);
  });
  document.addEventListener("DOMContentLoaded", () => {
    build();
    if (!calendar) place?.classList.add("cal-none"); // no room is kept for what does not come
    wide.addEventListener("change", rebuild);
  });
})();
