// Where the focus goes after a swap: to what went wrong, to the control itself, to its neighbour, to the heading; never nowhere.
"use strict";

(() => {
  const remembered = new WeakMap();

  document.addEventListener("htmx:config:request", (event) => {
    const control = document.activeElement;
    if (!control || control === document.body) return;
    const around = [];
    for (let up = control.parentElement; up; up = up.parentElement) if (up.id) around.push(up.id);
    const row = control.closest("li[id], tr[id]");
    const rows = [row?.nextElementSibling?.id, row?.previousElementSibling?.id].filter(Boolean);
    remembered.set(event.detail.ctx, { control, id: control.id, rows, around });
  });

  const heading = (place) => {
    const found = place?.matches("h1, h2, h3") ? place : place?.querySelector("h1, h2, h3");
    if (found && !found.hasAttribute("tabindex")) found.tabIndex = -1;
    return found;
  };

  function* places({ id, rows, around }) {
    const named = document.querySelector("[data-focus]");
    named?.removeAttribute("data-focus");
    yield named ?? document.getElementById(id);
    for (const row of rows.map((name) => document.getElementById(name))) yield row?.querySelector("button") ?? row?.querySelector("a[href]");
    for (const name of around) yield heading(document.getElementById(name));
    yield document.querySelector("dialog:modal button");
    yield document.getElementById("main");
  }

  const settle = (ctx) => {
    const before = remembered.get(ctx);
    if (!before || document.activeElement !== document.body) return;
    // Whoever only looked away while a poll ran is not called back.
    if (window.CourseHub.isPoll(ctx) && before.control.isConnected) return;
    for (const place of places(before)) {
      place?.focus({ preventScroll: place.id === "main" });
      if (place && document.activeElement === place) return;
    }
  };

  // Later: htmx enables the button only after this event.
  document.addEventListener("htmx:finally:request", (event) => setTimeout(() => settle(event.detail.ctx)));

  const focusSummary = () => {
    const summary = document.querySelector("dialog:modal [data-error-summary]") ?? document.querySelector("[data-error-summary]");
    summary?.focus();
  };

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.response?.status === 422) focusSummary();
  });
  focusSummary();
})();
