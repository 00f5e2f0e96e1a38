// Sets the theme before anything is drawn, so that no page flashes in the wrong one.
(function () {
  "use strict";
  let kept = null;
  try { kept = localStorage.getItem("pointsman.theme"); } catch { /* storage is switched off */ }
  const wanted = new URLSearchParams(location.search).get("theme") || kept;
  if (wanted === "light" || wanted === "dark") document.documentElement.dataset.theme = wanted;
})();
