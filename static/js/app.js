// Glue between the page and htmx: the token, polls that rest in hidden tabs, focus on what went wrong, news of failures.
"use strict";

window.CourseHub = {};

(() => {
  const isPoll = (ctx) => (ctx.sourceElement?.getAttribute?.("hx-trigger") ?? "").startsWith("every");
  const text = (name) => document.getElementById("toasts")?.dataset[name] ?? "";

  // A button that is disabled while its request is under way drops the focus; this is where it gets it back.
  const held = new WeakMap();

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const { request } = ctx;
    if (document.activeElement !== document.body) held.set(ctx, document.activeElement.id);
    const token = document.querySelector('meta[name="csrf-token"]')?.content;
    if (token && request.method.toUpperCase() !== "GET") request.headers["X-CSRFToken"] = token;
  });

  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (document.hidden && isPoll(ctx)) event.preventDefault();
    else ctx.request.submitter?.setAttribute("aria-busy", "true");
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = event.detail;
    ctx.request.submitter?.removeAttribute("aria-busy");
    // Later: htmx enables the button only after this event.
    setTimeout(() => {
      if (!held.has(ctx) || document.activeElement !== document.body) return;
      // What had it may be gone, or lie behind a dialog: then its surroundings get it.
      const byId = (id) => (id ? document.getElementById(id) : null);
      const places = [byId(held.get(ctx)), byId(ctx.target?.id), document.querySelector("dialog:modal button"), byId("main")];
      places.find((place) => {
        place?.focus({ preventScroll: true });
        return place && document.activeElement === place;
      });
    });
  });

  const focusSummary = () => {
    const summary = document.querySelector("dialog:modal [data-error-summary]") ?? document.querySelector("[data-error-summary]");
    summary?.focus();
  };

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.response?.status === 422) focusSummary();
  });
  focusSummary();

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const { status, headers } = ctx.response;
    // An answer that brings its own words, its own form or its own way on needs none of ours.
    if (status === 422 || headers.get("X-Toast") || headers.get("HX-Redirect") || isPoll(ctx)) return;
    window.CourseHub.toast(text("textError"), { kind: "error" });
  });

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (!ctx || isPoll(ctx)) return;
    const words = navigator.onLine ? "textTimeout" : "textOffline";
    window.CourseHub.toast(text(words), { kind: "error" });
  });

  // Tabs that do not fit scroll sideways; the one we are on is in sight.
  for (const tab of document.querySelectorAll(":is(.tabs, .admin__list) [aria-current]")) {
    const tabs = tab.closest(".tabs, .admin__list");
    tabs.scrollLeft = tab.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
  }

  let offline;
  window.addEventListener("offline", () => {
    offline ??= window.CourseHub.toast(text("textOffline"), { timeout: 0 });
  });
  window.addEventListener("online", () => {
    if (!offline) return;
    offline.remove();
    offline = undefined;
    window.CourseHub.toast(text("textOnline"));
  });
})();
