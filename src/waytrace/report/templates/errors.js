(() => {
  "use strict";
  const root = document.documentElement;
  root.dataset.errors = "0";
  const show = (text) => {
    root.dataset.errors = String(Number(root.dataset.errors) + 1);
    root.dataset.error = String(text).slice(0, 500);
    const box = document.getElementById("failure");
    if (box) { box.hidden = false; box.textContent = `This page failed: ${root.dataset.error}`; }
  };
  window.addEventListener("error", (e) => show(`${e.message} (${e.lineno}:${e.colno})`));
  window.addEventListener("unhandledrejection", (e) => show(e.reason));
  document.addEventListener("securitypolicyviolation", (e) => show(`blocked ${e.violatedDirective}: ${e.blockedURI}`));
})();
