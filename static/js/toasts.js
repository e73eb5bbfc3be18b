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

  // All outside a modal dialog is dead to clicks and keys, so while one is open the toasts live in it.
  const home = region.parentElement;
  const settle = () => {
    const place = region.childElementCount ? ([...document.querySelectorAll("dialog:modal")].at(-1) ?? home) : home;
    if (region.parentElement !== place) place.append(region);
  };
  // What is swapped into the dialog must not wipe them out.
  document.addEventListener("htmx:before:swap", () => {
    if (region.parentElement !== home) home.append(region);
  });
  document.addEventListener("htmx:after:swap", settle);
  document.addEventListener("close", settle, true);

  const welcome = (node) => {
    if (node instanceof HTMLElement && node.hasAttribute("data-toast")) schedule(node);
  };

  new MutationObserver((records) => {
    const added = records.flatMap((record) => [...record.addedNodes]);
    for (const node of added) welcome(node);
    if (added.length) settle();
  }).observe(region, { childList: true });
  for (const toast of region.children) welcome(toast);

  region.addEventListener("click", (event) => {
    if (event.target.closest("[data-toast-close]")) event.target.closest("[data-toast]").remove();
  });

  // An offer that has been taken is over.
  region.addEventListener("htmx:finally:request", (event) => event.target.closest("[data-toast]")?.remove());

  window.CourseHub.toast = (words, { kind = "info", timeout = 6000, again } = {}) => {
    const toast = template.content.firstElementChild.cloneNode(true);
    if (again) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "toast__action";
      button.textContent = region.dataset.textAgain;
      button.addEventListener("click", () => {
        toast.remove();
        again();
      });
      toast.querySelector("[data-toast-close]").before(button);
    }
    toast.classList.add(`toast--${kind}`);
    toast.dataset.timeout = timeout;
    toast.querySelector("[data-toast-text]").textContent = words;
    region.append(toast);
    return toast;
  };
})();
