// Turning pages, zoom, rotation, full screen, and the keys for all of it.
"use strict";

(() => {
  const reader = window.CourseHub?.reader;
  if (!reader) return;
  const { at, root, pages } = reader;
  const { dataset } = root;
  const STEP = 1.25;

  const field = at("reader_page");
  const turns = [
    [at("reader_previous"), -1],
    [at("reader_next"), 1],
  ];
  const address = (page) => `${dataset.address}?page=${page}${dataset.query ? `&${dataset.query}` : ""}`;

  // By a key or a button; scrolling says nothing.
  const turn = (page) => {
    reader.go(page);
    reader.say(dataset.textPage.replace("{page}", reader.viewer.currentPageNumber).replace("{pages}", pages));
  };

  const show = (page) => {
    reader.page = page;
    if (document.activeElement !== field) field.value = page;
    for (const [link, step] of turns) {
      const there = page + step;
      const off = there < 1 || there > pages;
      link.href = address(reader.within(there));
      if (off) link.setAttribute("aria-disabled", "true");
      else link.removeAttribute("aria-disabled");
    }
    document.title = document.title.replace(/^.*?( · [^·]*)$/, (_all, shop) => dataset.textTitle.replace("{page}", page) + shop);
  };

  // A plain click alone; with a key held it opens a tab, as links do.
  const isPlain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  reader.follow = (link, page) =>
    link.addEventListener("click", (event) => {
      if (!reader.viewer || !isPlain(event)) return;
      event.preventDefault();
      const there = page();
      if (there >= 1 && there <= pages) turn(there);
    });
  for (const [link, step] of turns) {
    reader.follow(link, () => reader.page + step);
    link.removeAttribute("role"); // it has one only while it has no address
  }

  at("reader_goto").addEventListener("submit", (event) => {
    if (!reader.viewer) return;
    event.preventDefault();
    const wanted = Number.parseInt(field.value, 10);
    if (Number.isInteger(wanted)) turn(wanted);
    field.value = reader.viewer.currentPageNumber;
    field.select();
  });
  field.addEventListener("focus", () => field.select());
  field.addEventListener("blur", () => (field.value = reader.page));

  const scale = at("reader_scale");
  const showScale = ({ scale: value, presetValue }) => {
    const custom = at("reader_scale_custom");
    const known = [...scale.options].find((option) => option !== custom && (option.value === presetValue || Number(option.value) === value));
    custom.hidden = Boolean(known);
    custom.textContent = `${Math.round(value * 100)}\u00a0%`;
    scale.value = known ? known.value : "custom";
  };
  const zoom = (factor) => {
    const { viewer } = reader;
    viewer.currentScale = Math.min(Math.max(viewer.currentScale * factor, 0.25), 6);
  };
  const setScale = (value) => (reader.viewer.currentScaleValue = value);
  const usual = () => (root.clientWidth < 700 ? "page-width" : "auto");
  const rotate = () => (reader.viewer.pagesRotation += 90);

  const full = at("reader_fullscreen");
  const fullScreen = () => {
    if (!document.fullscreenEnabled) return;
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {});
  };
  document.addEventListener("fullscreenchange", () => full.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement))));
  if (!document.fullscreenEnabled) full.hidden = true;

  const more = at("reader_more");
  const showMore = (open) => more.setAttribute("aria-expanded", String(open));
  more.addEventListener("click", () => showMore(more.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("click", (event) => {
    if (!more.contains(event.target) && !at("reader_extra").contains(event.target)) showMore(false);
  });

  const KEYS = {
    j: () => turn(reader.page + 1),
    k: () => turn(reader.page - 1),
    "+": () => zoom(STEP),
    "=": () => zoom(STEP),
    "-": () => zoom(1 / STEP),
    "−": () => zoom(1 / STEP),
    0: () => setScale(usual()),
    g: () => field.focus(),
    r: rotate,
    f: fullScreen,
    c: () => reader.togglePanel?.(),
    "/": () => reader.find?.(),
    "?": () => at("reader_help").open || at("reader_help_button").click(),
  };
  const isTyping = (target) => target.closest?.("input, select, textarea, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && more.getAttribute("aria-expanded") === "true") {
      showMore(false);
      more.focus();
    }
    const deed = KEYS[event.key] ?? (event.shiftKey ? undefined : KEYS[event.key.toLowerCase()]);
    if (!deed || !reader.viewer || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog:modal")) return;
    event.preventDefault();
    deed();
  });

  reader.whenReady(() => {
    const { bus, viewer } = reader;
    bus.on("pagechanging", ({ pageNumber }) => show(pageNumber));
    bus.on("scalechanging", showScale);
    bus.on("rotationchanging", ({ pageNumber }) => (viewer.currentPageNumber = pageNumber));
    show(viewer.currentPageNumber);
    showScale({ scale: viewer.currentScale, presetValue: viewer.currentScaleValue });
    scale.addEventListener("change", () => setScale(scale.value));
    at("reader_zoom_in").addEventListener("click", () => zoom(STEP));
    at("reader_zoom_out").addEventListener("click", () => zoom(1 / STEP));
    at("reader_rotate").addEventListener("click", rotate);
    full.addEventListener("click", fullScreen);

    // What fits the desk fits it still when the desk changes.
    let due;
    new ResizeObserver(() => {
      cancelAnimationFrame(due);
      due = requestAnimationFrame(() => {
        if (["auto", "page-width", "page-fit"].includes(viewer.currentScaleValue)) setScale(viewer.currentScaleValue);
        viewer.update();
      });
    }).observe(at("reader_container"));
  });
})();
