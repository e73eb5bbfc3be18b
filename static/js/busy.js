// A line along the top edge while something takes longer than 300 ms: a request of this page, or the way to the next one.
"use strict";

(() => {
  const bar = document.getElementById("busy");
  if (!bar) return;
  const PATIENCE = 300;
  const LONGEST = 20000;
  const underWay = new Map();
  let timer;

  const draw = () => {
    const wanted = underWay.size > 0;
    bar.hidden = !wanted;
    // Above dialogs too, where the browser can.
    if (wanted && !bar.matches(":popover-open")) bar.showPopover?.();
    if (!wanted && bar.matches(":popover-open")) bar.hidePopover?.();
  };
  const end = (what) => {
    clearTimeout(underWay.get(what));
    underWay.delete(what);
    if (underWay.size) return;
    clearTimeout(timer);
    draw();
  };
  const begin = (what) => {
    if (!underWay.size) timer = setTimeout(draw, PATIENCE);
    // An answer that is a download leaves the page standing and says nothing.
    underWay.set(what, setTimeout(() => end(what), LONGEST));
  };

  // Holes show their shape, polls nothing; and what is shown as done is not shown as waiting.
  const isQuiet = (ctx) => window.CourseHub.isPoll(ctx) || ctx.sourceElement?.matches?.(".lazy, [data-optimistic]");
  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (!event.defaultPrevented && !isQuiet(ctx)) begin(ctx);
  });
  document.addEventListener("htmx:finally:request", (event) => end(event.detail.ctx));

  const leadsAway = (link) => {
    const there = new URL(link.href, location.href);
    const isHere = there.pathname === location.pathname && there.search === location.search && there.hash;
    return !isHere && there.origin === location.origin && !link.target && !link.hasAttribute("download");
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const plain = !event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link && plain && leadsAway(link)) begin("page");
  });
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    const stays = form.method === "dialog" || submitter?.formMethod === "dialog" || form.target || form.dataset.refresh || "resubmit" in form.dataset;
    if (!event.defaultPrevented && !stays) begin("page");
  });
  window.addEventListener("pageshow", () => end("page"));
})();
