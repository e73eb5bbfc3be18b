// The contents and the small pictures of all pages, beside the desk or, on phones, in a sheet from below.
"use strict";

(() => {
  const reader = window.CourseHub?.reader;
  if (!reader) return;
  const { at, root, pages } = reader;
  const { dataset } = root;
  const panel = at("reader_panel");
  const opener = at("reader_panel_button");
  const outline = at("reader_outline");
  const thumbs = at("reader_thumbs");
  const choices = [
    [at("reader_show_outline"), outline],
    [at("reader_show_thumbs"), thumbs],
  ].filter(([choice]) => choice);
  const isSheet = matchMedia("(max-width: 899px)");

  const close = () => {
    if (!panel.open) return;
    const held = panel.contains(document.activeElement);
    panel.close();
    if (held) opener.focus();
  };
  panel.addEventListener("close", () => opener.setAttribute("aria-expanded", "false"));

  const open = () => {
    if (isSheet.matches) panel.showModal();
    else panel.show();
    opener.setAttribute("aria-expanded", "true");
    const [, shown] = choices.find(([choice]) => choice.getAttribute("aria-pressed") === "true");
    reveal(shown);
    shown.focus({ preventScroll: true });
  };
  isSheet.addEventListener("change", close);

  const reveal = (part) => {
    if (part === thumbs && !thumbs.firstChild) draw();
    for (const [choice, its] of choices) {
      choice.setAttribute("aria-pressed", String(its === part));
      its.hidden = its !== part;
    }
    mark();
  };
  for (const [choice, part] of choices) choice.addEventListener("click", () => reveal(part));

  const leadTo = (link, page) => {
    reader.follow(link, () => {
      if (isSheet.matches) close();
      return page;
    });
  };

  const draw = () => {
    const list = document.createElement("ol");
    list.className = "reader__thumbs";
    for (let page = 1; page <= pages; page += 1) {
      const link = document.createElement("a");
      link.href = `${dataset.address}?page=${page}`;
      link.className = "reader__thumb";
      link.dataset.page = page;
      link.setAttribute("aria-label", dataset.textPage.replace("{page}", page).replace("{pages}", pages));
      if (page <= Number(dataset.drawn)) {
        const picture = document.createElement("img");
        Object.assign(picture, { loading: "lazy", decoding: "async", width: 100, height: 141, alt: "" });
        picture.src = dataset.thumb.replace("/0.webp", `/${page}.webp`);
        link.append(picture);
      }
      link.append(Object.assign(document.createElement("span"), { textContent: page }));
      leadTo(link, page);
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    thumbs.append(list);
  };

  // The page that lies open, and the chapter it is in.
  const mark = () => {
    if (!panel.open) return;
    for (const old of panel.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
    const thumb = thumbs.querySelector(`[data-page="${reader.page}"]`);
    const chapters = [...outline.querySelectorAll("[data-page]")].filter((link) => Number(link.dataset.page) <= reader.page);
    for (const here of [thumb, chapters.at(-1)]) {
      here?.setAttribute("aria-current", "page");
      if (here?.offsetParent) here.scrollIntoView({ block: "nearest" });
    }
  };

  reader.togglePanel = () => (panel.open ? close() : open());
  opener.addEventListener("click", reader.togglePanel);
  at("reader_panel_close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.open && panel.contains(document.activeElement) && !panel.matches(":modal")) close();
  });

  reader.whenReady(() => {
    const list = at("reader_outline_list");
    if (list) {
      outline.append(list);
      for (const link of list.querySelectorAll("a")) leadTo(link, Number(link.dataset.page));
    }
    reader.bus.on("pagechanging", mark);
  });
})();
