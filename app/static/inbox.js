// The inbox: keys, reading after two seconds, the seconds until a text leaves. Without it the buttons do the same.
(() => {
  const READ_AFTER_MS = 2000;
  document.documentElement.classList.add("scripted");
  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage switched off
    }
  };
  const keep = (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {
      // it holds for this page
    }
  };

  const page = document.querySelector("[data-inbox]");
  const words = page?.dataset.words ? JSON.parse(page.dataset.words) : { sendingIn: "Sending in {seconds} s", sending: "Sending" };

  // ── a text that leaves in some seconds ─────────────────────────────────────────────────────────
  let ahead = 0;
  const readStamp = () => {
    const stamp = document.querySelector("[data-server-now]");
    if (stamp) ahead = Date.parse(stamp.dataset.serverNow) - Date.now();
  };
  const countDown = () => {
    for (const sign of document.querySelectorAll("[data-due]")) {
      const left = Math.ceil((Date.parse(sign.dataset.due) - Date.now() - ahead) / 1000);
      sign.textContent = left > 0 ? words.sendingIn.replace("{seconds}", left) : words.sending;
    }
  };

  // ── read after two seconds in view ─────────────────────────────────────────────────────────────
  let waitsFor = "";
  let timer = null;
  const refresh = () => {
    const poll = document.querySelector("[data-poll]");
    if (poll && window.htmx) window.htmx.trigger(poll, "pumpline:refresh");
  };
  const markRead = async () => {
    const form = document.querySelector("[data-mark-read]");
    if (!form || document.visibilityState !== "visible") return;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-Pumpline-Script": "1" },
        credentials: "same-origin",
      });
      if (answer.ok) refresh();
    } catch {
      waitsFor = ""; // the line is down: once more when the page has heard from the server
    }
  };
  const watchUnread = () => {
    const head = document.getElementById("thread-head");
    const shown = getComputedStyle(document.querySelector(".thread") ?? document.body).display !== "none";
    const wanted = head?.dataset.unread === "1" && shown && document.visibilityState === "visible" ? head.dataset.lastIn : "";
    if (wanted === waitsFor) return;
    waitsFor = wanted;
    clearTimeout(timer);
    if (wanted) timer = setTimeout(markRead, READ_AFTER_MS);
  };
  document.addEventListener("visibilitychange", watchUnread);

  // ── keys ───────────────────────────────────────────────────────────────────────────────────────
  const keys = document.getElementById("keys");
  const typing = (element) => element.matches?.("input, textarea, select, [contenteditable]") ?? false;
  const links = () => [...document.querySelectorAll(".threads-list .thread-row")];
  const move = (step) => {
    const all = links();
    if (!all.length) return;
    const focused = all.indexOf(document.activeElement?.closest?.(".thread-row"));
    const current = focused >= 0 ? focused : all.findIndex((link) => link.hasAttribute("aria-current"));
    const next = all[Math.min(Math.max(current + step, 0), all.length - 1)];
    if (next.offsetParent === null) location.assign(next.href); // the list is not on this screen
    else next.focus();
  };
  const press = (key) => document.querySelector(`form[data-key="${key}"]`)?.requestSubmit();
  const compose = (which) => document.dispatchEvent(new CustomEvent("pumpline:compose", { detail: which }));
  const back = () => {
    const link = document.querySelector("[data-back]");
    if (link) location.assign(link.href);
  };
  const withAlt = {
    KeyJ: () => move(1),
    KeyK: () => move(-1),
    KeyE: () => press("close"),
    KeyP: () => compose("note"),
    KeyL: () => compose("reply"),
    KeyM: () => {
      const menu = document.getElementById("thread-menu");
      if (!menu) return;
      menu.open = !menu.open;
      (menu.open ? menu.querySelector("button, select, input:not([type=hidden])") : menu.querySelector("summary"))?.focus();
    },
  };
  const single = {
    j: () => move(1),
    k: () => move(-1),
    a: () => press("assign"),
    "/": () => document.querySelector(".search input[type=search]")?.focus(),
    "?": () => keys?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || keys?.open || event.defaultPrevented) return;
    if (event.altKey && !event.metaKey && !event.getModifierState("AltGraph")) {
      const act = event.ctrlKey && event.code === "KeyE" ? () => press("close-next") : event.ctrlKey ? null : withAlt[event.code];
      if (act) {
        event.preventDefault();
        act();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") {
      if (document.querySelector("details.settle[open], details.saved[open]")) return; // that one closes
      if (typing(event.target)) event.target.blur();
      else back();
      return;
    }
    if (typing(event.target) || kept("pumpline-single-keys") === "off") return;
    if (single[event.key]) {
      event.preventDefault();
      single[event.key]();
    }
  });
  const switches = [
    ["[data-single-keys]", "pumpline-single-keys", "on"],
    ["[data-enter-sends]", "pumpline-enter-sends", "off"],
  ];
  for (const [found, key, otherwise] of switches) {
    const box = document.querySelector(found);
    if (!box) continue;
    box.checked = (kept(key) ?? otherwise) === "on";
    box.addEventListener("change", () => {
      keep(key, box.checked ? "on" : "off");
      document.dispatchEvent(new CustomEvent("pumpline:setting"));
    });
  }

  document.addEventListener("htmx:after:swap", () => {
    readStamp();
    countDown();
    watchUnread();
  });
  document.addEventListener("DOMContentLoaded", () => {
    readStamp();
    countDown();
    setInterval(countDown, 1000);
    watchUnread();
    document.querySelector('.thread-row[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  });
})();
