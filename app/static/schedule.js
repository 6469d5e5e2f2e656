// The schedule with a script: the panel beside it without a new page, and small comforts. What the panel holds is told
// to calendar.js by the event pumpline:panel; a panel is asked for by pumpline:open.
// Every link and form here also works as a plain page; whatever fails falls back to that.
(() => {
  const beside = document.getElementById("beside");
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
  const changed = () => document.dispatchEvent(new Event("pumpline:panel"));
  const show = (fresh) => {
    const focused = beside.contains(document.activeElement) ? document.activeElement.id : "";
    beside.replaceChildren(fresh);
    comforts(beside);
    const again = focused && document.getElementById(focused);
    (again && beside.contains(again) ? again : fresh).focus({ preventScroll: false });
    changed();
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
    changed();
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
  document.addEventListener("pumpline:open", ({ detail }) => {
    if (detail.opener) opener = detail.opener;
    openPanel(detail.address);
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
    field.value = button.dataset.fill || "today";
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

  document.addEventListener("htmx:after:swap", () => comforts(document));
  document.addEventListener("DOMContentLoaded", () => {
    comforts(document);
    if (panel() && location.hash === "#panel") panel().focus();
  });
})();
