// Chooses light or dark before anything is painted: this file is loaded in <head>, without defer.
(() => {
  const KEY = "pumpline-theme";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const names = { auto: "Theme: as the computer", light: "Theme: light", dark: "Theme: dark", change: "Change" };

  const chosen = () => {
    try {
      const value = localStorage.getItem(KEY);
      return value in names && value !== "change" ? value : "auto";
    } catch {
      return "auto"; // storage switched off
    }
  };
  const paint = () => {
    const choice = chosen();
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    root.dataset.theme = choice;
    for (const button of document.querySelectorAll("[data-theme-button]")) {
      button.hidden = false;
      const said = button.dataset.words ? JSON.parse(button.dataset.words) : names;
      button.setAttribute("aria-label", `${said[choice]}. ${said.change}`);
      button.title = said[choice];
    }
  };

  root.dataset.scripts = ""; // what only a script can draw keeps its room from the first paint on
  paint();
  dark.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", paint);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-button]")) return;
    const order = ["auto", "light", "dark"];
    try {
      localStorage.setItem(KEY, order[(order.indexOf(chosen()) + 1) % order.length]);
    } catch {
      root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      return;
    }
    paint();
  });
})();
