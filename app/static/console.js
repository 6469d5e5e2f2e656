// What makes a page pleasant and is not needed to read or act: small comforts.
(() => {
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
    if (event.target.closest?.(".new-rows")) return; // shows rows, and closes nothing
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
})();
