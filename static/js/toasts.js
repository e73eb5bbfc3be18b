// Toasts leave by themselves, wait while someone reads them, and stand above an open dialog.
"use strict";

(() => {
  const region = document.getElementById("toasts");
  const template = document.getElementById("toast_template");
  if (!region || !template) return;

  const schedule = (toast) => {
    let left = Number(toast.dataset.timeout ?? 6000);
    if (!left) return;
    let timer;
    let since;
    const run = () => {
      since = Date.now();
      timer = setTimeout(() => toast.remove(), left);
    };
    const rest = () => {
      clearTimeout(timer);
      // Whoever has looked at it gets at least two seconds more.
      left = Math.max(2000, left - (Date.now() - since));
    };
    const resume = () => {
      if (!toast.matches(":hover, :focus-within")) run();
    };
    toast.addEventListener("mouseenter", rest);
    toast.addEventListener("focusin", rest);
    toast.addEventListener("mouseleave", resume);
    toast.addEventListener("focusout", () => setTimeout(resume));
    run();
  };

  // The top layer is the only place above a modal dialog.
  const raise = () => {
    if (!region.showPopover || !document.querySelector("dialog:modal")) return;
    region.popover = "manual";
    if (region.matches(":popover-open")) region.hidePopover();
    region.showPopover();
  };

  const welcome = (node) => {
    if (node instanceof HTMLElement && node.hasAttribute("data-toast")) schedule(node);
  };

  new MutationObserver((records) => {
    const added = records.flatMap((record) => [...record.addedNodes]);
    for (const node of added) welcome(node);
    if (added.length) raise();
  }).observe(region, { childList: true });
  for (const toast of region.children) welcome(toast);

  region.addEventListener("click", (event) => {
    if (event.target.closest("[data-toast-close]")) event.target.closest("[data-toast]").remove();
  });

  window.CourseHub.toast = (words, { kind = "info", timeout = 6000 } = {}) => {
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.classList.add(`toast--${kind}`);
    toast.dataset.timeout = timeout;
    toast.querySelector("[data-toast-text]").textContent = words;
    region.append(toast);
    return toast;
  };
})();
