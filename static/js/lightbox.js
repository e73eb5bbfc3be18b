// The light-box: sample pages one after the other, by buttons, arrow keys and swipes. Without this file each thumbnail
// is a link to its large picture.
"use strict";

(() => {
  let links = [];
  let place = 0;
  let box;

  const show = (wanted) => {
    place = Math.max(0, Math.min(links.length - 1, wanted));
    const link = links[place];
    const small = link.querySelector("img");
    const picture = new Image();
    picture.className = "lightbox__picture";
    picture.alt = small.alt;
    picture.decoding = "async";
    // The proportions of the thumbnail hold the place until the large picture is there.
    picture.width = 10 * (small.naturalWidth || small.width);
    picture.height = 10 * (small.naturalHeight || small.height);
    picture.src = link.href;
    box.querySelector("[data-lightbox-stage]").replaceChildren(picture);
    box.querySelector("[data-lightbox-count]").textContent = box.dataset.textCount.replace("{number}", place + 1).replace("{all}", links.length);
    for (const button of box.querySelectorAll("[data-lightbox-turn]")) {
      const beyond = place + Number(button.dataset.lightboxTurn);
      button.setAttribute("aria-disabled", String(beyond < 0 || beyond >= links.length));
    }
    // The neighbours come while this one is looked at.
    for (const near of [links[place + 1], links[place - 1]]) if (near) new Image().src = near.href;
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-lightbox]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && event.button === 0) {
      box = document.getElementById(link.dataset.lightbox);
      if (!box?.showModal) return;
      event.preventDefault();
      links = [...document.querySelectorAll(`[data-lightbox="${box.id}"]`)];
      show(links.indexOf(link));
      if (!box.open) box.showModal();
    }
    const turn = event.target.closest("[data-lightbox-turn]");
    if (turn) show(place + Number(turn.dataset.lightboxTurn));
  });

  document.addEventListener("keydown", (event) => {
    if (!box?.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: place - 1, PageUp: place - 1, ArrowRight: place + 1, PageDown: place + 1, Home: 0, End: links.length - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(steps[event.key]);
  });

  // A swipe across the page turns it.
  let start;
  document.addEventListener("touchstart", (event) => {
    start = box?.open && event.touches.length === 1 && event.target.closest("[data-lightbox-stage]") ? event.touches[0] : undefined;
  }, { passive: true });
  document.addEventListener("touchend", (event) => {
    if (!start) return;
    const [end] = event.changedTouches;
    const across = end.clientX - start.clientX;
    if (Math.abs(across) > 48 && Math.abs(across) > 2 * Math.abs(end.clientY - start.clientY)) show(place + (across < 0 ? 1 : -1));
    start = undefined;
  }, { passive: true });

  // Whoever closes it stands where they have come to, not where they began.
  document.addEventListener(
    "close",
    (event) => {
      if (event.target !== box) return;
      links[place]?.focus();
      box.querySelector("[data-lightbox-stage]").replaceChildren();
    },
    true,
  );
})();
