// The place in the book: in the address, and kept for the other devices.
"use strict";

(() => {
  const reader = window.CourseHub?.reader;
  if (!reader) return;
  const { dataset } = reader.root;
  const REST = 1200; // milliseconds on a page before it counts as read
  let turned;
  let due;

  const send = () => {
    clearTimeout(due);
    if (turned === undefined) return;
    const { page, when } = turned;
    const before = turned;
    turned = undefined;
    const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
    const body = new URLSearchParams({ page, version_id: dataset.version, seconds_ago: Math.round((Date.now() - when) / 1000) });
    fetch(`${dataset.address}/position`, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" },
      keepalive: true,
      redirect: "manual",
    })
      .then((answer) => answer.status >= 500 && Promise.reject(answer))
      // Offline: told later, with how long it has been.
      .catch(() => (turned ??= before));
  };

  const keep = (page) => {
    turned = { page, when: Date.now() };
    clearTimeout(due);
    due = setTimeout(send, REST);
  };

  document.addEventListener("visibilitychange", () => document.hidden && send());
  window.addEventListener("pagehide", send);
  window.addEventListener("online", send);

  const write = (page) => {
    const here = new URL(location.href);
    const marks = new URLSearchParams(here.hash.slice(1));
    const thread = here.searchParams.get("thread") ?? marks.get("thread");
    for (const name of ["page", "thread", "q"]) here.searchParams.delete(name);
    here.hash = `page=${page}${thread ? `&thread=${encodeURIComponent(thread)}` : ""}`;
    history.replaceState(history.state, "", here);
  };

  reader.whenReady(() => {
    reader.bus.on("pagechanging", ({ pageNumber }) => {
      write(pageNumber);
      keep(pageNumber);
    });
    window.addEventListener("hashchange", () => reader.hashPage() && reader.go(reader.hashPage()));
    write(reader.viewer.currentPageNumber);
    if (!dataset.kept) keep(reader.viewer.currentPageNumber);
  });
})();
