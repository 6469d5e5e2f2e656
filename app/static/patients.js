// What a search found was asked for by POST; from here on its address names it by a token, so that reload and back work.
(() => {
  const address = document.querySelector("[data-address]")?.dataset.address;
  if (address && window.location.pathname.endsWith("/search")) window.history.replaceState(null, "", address);
})();
