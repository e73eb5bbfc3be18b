// Offline: said at once, taken back when it is over; and a page of ours instead of the browser's where there is no net.
"use strict";

(() => {
  const words = (name) => document.getElementById("toasts")?.dataset[name] ?? "";
  let notice;

  window.addEventListener("offline", () => {
    notice ??= window.CourseHub.toast(words("textOffline"), { timeout: 0 });
  });
  window.addEventListener("online", () => {
    // The page that says there is no net has nothing else to say.
    if (document.querySelector("[data-offline-page]")) return location.reload();
    if (!notice) return;
    notice.remove();
    notice = undefined;
    window.CourseHub.toast(words("textOnline"));
  });

  const workers = navigator.serviceWorker;
  if (!workers) return;
  const { worker } = document.documentElement.dataset;
  if (worker) {
    window.addEventListener("load", () => workers.register(worker).catch(() => undefined));
  } else if (workers.controller) {
    workers.getRegistrations().then((all) => all.forEach((each) => each.unregister()));
  }
})();
