// Glue between the page and htmx: the token, polls that rest in hidden tabs, news of failures.
"use strict";

window.CourseHub = {};

(() => {
  const isPoll = (ctx) => (ctx.sourceElement?.getAttribute?.("hx-trigger") ?? "").startsWith("every");
  const text = (name) => document.getElementById("toasts")?.dataset[name] ?? "";
  // What a form has to say about its own failure says more than we can.
  const failed = (ctx, name) => ctx.sourceElement?.closest?.("[data-text-failed]")?.dataset.textFailed ?? text(name);
  window.CourseHub.isPoll = isPoll;

  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    const token = document.querySelector('meta[name="csrf-token"]')?.content;
    if (token && request.method.toUpperCase() !== "GET") request.headers["X-CSRFToken"] = token;
  });

  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (document.hidden && isPoll(ctx)) event.preventDefault();
    else ctx.request.submitter?.setAttribute("aria-busy", "true");
  });

  document.addEventListener("htmx:finally:request", (event) => {
    event.detail.ctx.request.submitter?.removeAttribute("aria-busy");
  });

  // A hole that could not be filled shows its plain link instead of waiting for ever.
  const isHole = (ctx) => ctx.sourceElement?.matches?.(".lazy");
  const giveUp = (ctx) => ctx.sourceElement.classList.add("lazy--failed");

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const { status, headers } = ctx.response;
    if (isHole(ctx)) giveUp(ctx);
    // An answer that brings its own words, its own form or its own way on needs none of ours.
    else if (status !== 422 && !headers.get("X-Toast") && !headers.get("HX-Redirect") && !isPoll(ctx)) {
      window.CourseHub.toast(failed(ctx, "textError"), { kind: "error" });
    }
  });

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (!ctx || isPoll(ctx)) return;
    if (isHole(ctx)) return giveUp(ctx);
    const late = ctx.request?.signal?.reason === "timeout";
    const words = late ? failed(ctx, "textTimeout") : navigator.onLine ? failed(ctx, "textUnreachable") : text("textOffline");
    // What only asks may be asked again; what changes something may have arrived.
    const source = ctx.sourceElement;
    const again = ctx.request?.method?.toUpperCase() === "GET" && source?.isConnected ? () => source.click() : undefined;
    window.CourseHub.toast(words, { kind: "error", again });
  });

  // Back or Forward before the scripts stood: the address has moved, and nobody was there to bring its page.
  const bare = (entry) => entry?.url?.split("#")[0];
  const { activation, currentEntry } = window.navigation ?? {};
  if (bare(activation?.entry) !== bare(activation && currentEntry)) location.reload();

  // Tabs that do not fit scroll sideways; the one we are on is in sight.
  for (const tab of document.querySelectorAll(":is(.tabs, .admin__list) [aria-current]")) {
    const tabs = tab.closest(".tabs, .admin__list");
    tabs.scrollLeft = tab.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
  }
})();
