// Suggestions below a search field: the arrows walk through them, Escape puts them away, the count is spoken.
"use strict";

(() => {
  const parts = (node) => {
    const form = node.closest?.("form[data-suggest]");
    if (!form) return null;
    const list = form.querySelector("[data-suggestions]");
    return { form, list, field: form.querySelector("input[type=search]"), count: form.querySelector("[data-suggestions-count]") };
  };

  document.addEventListener("keydown", (event) => {
    const found = parts(event.target);
    if (!found) return;
    const { list, field } = found;
    const links = [...list.querySelectorAll("a")];
    if (event.key === "Escape" && links.length) {
      event.preventDefault(); // else the field would be emptied
      list.dataset.closed = "";
      field.focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !links.length) return;
    event.preventDefault();
    delete list.dataset.closed;
    // The field itself is the place before the first and after the last.
    const stops = [field, ...links];
    const place = stops.indexOf(document.activeElement);
    stops.at((place + step) % stops.length).focus();
  });

  document.addEventListener("input", (event) => {
    const found = parts(event.target);
    if (found) delete found.list.dataset.closed;
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const found = parts(event.target) ?? parts(event.detail.ctx.sourceElement);
    if (found) found.count.textContent = found.list.querySelector("[data-count]")?.dataset.count ?? "";
  });
})();
