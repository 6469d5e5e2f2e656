// What makes a page pleasant and is not needed to read or act: waiting clocks, the live sign, small comforts.
(() => {
  // ── clocks: the server's time, which a simulator may have pushed ahead ──────────────────────────
  let ahead = 0;
  const setClock = () => {
    const stamp = document.querySelector("[data-server-now]");
    if (stamp) ahead = Date.parse(stamp.dataset.serverNow) - Date.now();
  };
  const two = (number) => String(number).padStart(2, "0");
  const waited = (seconds) => {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  };
  const tick = () => {
    for (const timer of document.querySelectorAll("[data-waiting-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() + ahead - Date.parse(timer.dataset.waitingSince)) / 1000));
      if (seconds < 86400) timer.textContent = waited(seconds);
    }
  };
  // the title and icon of a page that refreshed only its parts
  const setTitle = () => {
    const stamp = document.querySelector("[data-title]");
    if (!stamp) return;
    document.title = stamp.dataset.title;
    const icon = document.getElementById("favicon");
    if (icon.getAttribute("href") !== stamp.dataset.icon) icon.setAttribute("href", stamp.dataset.icon);
  };
  const every = () => {
    setClock();
    setTitle();
    tick();
  };

  // ── live, or honestly not ───────────────────────────────────────────────────────────────────────
  let failedAt = null;
  const sign = (words) => {
    for (const live of document.querySelectorAll("[data-live]")) {
      live.hidden = false;
      live.classList.toggle("live-stale", Boolean(words));
      live.textContent = words || "Live";
    }
  };
  const wentWell = () => {
    failedAt = null;
    sign("");
  };
  const wentWrong = () => {
    failedAt ??= new Date();
    const still = Date.now() - failedAt.getTime();
    sign(still < 15000 ? "Reconnecting" : `Stale since ${two(failedAt.getHours())}:${two(failedAt.getMinutes())}`);
  };
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail?.ctx?.response?.status;
    if (status && status < 400) wentWell();
    else wentWrong();
  });
  document.addEventListener("htmx:error", wentWrong);

  // A page that could not be refreshed keeps what it shows: an error page must not replace a list.
  document.addEventListener("htmx:before:swap", (event) => {
    if ((event.detail?.ctx?.response?.status ?? 200) >= 400) event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", every);

  // ── small comforts ──────────────────────────────────────────────────────────────────────────────
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("select[data-go]")) event.target.form.requestSubmit();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter" && event.target.matches?.("textarea")) {
      event.preventDefault();
      event.target.form?.requestSubmit();
    }
    if (event.key === "Escape") {
      for (const open of document.querySelectorAll("details.settle[open]")) {
        open.open = false;
        open.querySelector("summary").focus();
      }
    }
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.settle[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
  document.addEventListener("submit", (event) => {
    // one press, one text: a second one while the first is on its way would send it twice
    if (event.target.dataset.sent) event.preventDefault();
    else if (event.target.method === "post") event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", (event) => {
    // back to a page kept by the browser: its forms may be sent again
    if (event.persisted) for (const form of document.forms) delete form.dataset.sent;
  });
  document.addEventListener("DOMContentLoaded", () => {
    every();
    sign("");
    setInterval(tick, 1000);
  });
})();
