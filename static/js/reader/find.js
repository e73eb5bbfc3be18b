// Search in the open book: matches marked, counted, gone through.
"use strict";

(() => {
  const reader = window.CourseHub?.reader;
  if (!reader) return;
  const { at, root } = reader;
  const { dataset } = root;
  const bar = at("reader_find");
  const words = at("reader_words");
  const button = at("reader_search_button");
  const PENDING = 3;
  const NOT_FOUND = 1;
  // Words from a search in the library stand anywhere on the page; what is typed here stands as it is typed.
  let apart = false;

  const ask = (type, { back = false } = {}) => {
    const text = words.value.trim();
    const query = apart ? text.split(/\s+/) : text;
    reader.bus.dispatch("find", { type, query, findPrevious: back, highlightAll: true, caseSensitive: false, entireWord: false, matchDiacritics: false });
    if (!text) at("reader_matches").textContent = "";
  };

  const tell = ({ state, matchesCount: { current, total } }) => {
    if (!words.value.trim()) return;
    let text = dataset.textSearching;
    if (total) text = dataset.textMatches.replace("{current}", current).replace("{total}", total);
    else if (state === NOT_FOUND) text = dataset.textNothing;
    else if (state !== PENDING && state !== undefined) text = "";
    at("reader_matches").textContent = text;
  };

  const show = (open) => {
    bar.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };

  const close = () => {
    if (bar.hidden) return;
    const held = bar.contains(document.activeElement);
    show(false);
    reader.bus.dispatch("findbarclose", {});
    if (held) button.focus();
  };

  reader.find = () => {
    show(true);
    words.focus();
    words.select();
    if (words.value.trim()) ask("");
  };

  button.addEventListener("click", () => (bar.hidden ? reader.find() : close()));
  at("reader_find_close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && reader.bus && !document.querySelector("dialog:modal")) close();
  });
  words.addEventListener("input", () => {
    apart = false;
    ask("");
  });
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.shiftKey) return;
    event.preventDefault();
    ask("again", { back: true });
  });
  at("reader_find_form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (words.value.trim()) ask("again");
  });
  at("reader_match_before").addEventListener("click", () => words.value.trim() && ask("again", { back: true }));

  reader.whenReady(() => {
    reader.bus.on("updatefindmatchescount", tell);
    reader.bus.on("updatefindcontrolstate", tell);
    const wanted = new URLSearchParams(location.search).get("q")?.trim();
    if (!wanted) return;
    words.value = wanted.slice(0, 200);
    apart = true;
    show(true);
    ask("");
  });
})();
