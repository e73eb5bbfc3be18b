// A form marked data-optimistic shows at once what will be; when the shop refuses or does not answer, it visibly is not.
"use strict";

(() => {
  const kept = new WeakMap();
  const isMarked = (ctx) => ctx.sourceElement?.matches?.("form[data-optimistic]");
  let underWay = 0;
  let goOn;

  const count = (badge, more) => {
    const now = (Number.parseInt(badge.textContent, 10) || 0) + more;
    const words = document.createElement("span");
    words.className = "visually-hidden";
    words.textContent = ` ${badge.dataset.label ?? ""}`;
    badge.replaceChildren(now > 99 ? "99+" : String(now), words);
    badge.classList.remove("badge--empty");
  };

  // Who leaves at once, because it looks done, must not break it off.
  document.addEventListener("htmx:config:request", (event) => {
    if (isMarked(event.detail.ctx)) event.detail.ctx.request.keepalive = true;
  });

  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    const form = ctx.sourceElement;
    if (event.defaultPrevented || !isMarked(ctx)) return;
    underWay += 1;
    const button = form.querySelector("button[type=submit]");
    const badge = document.getElementById("cart-badge");
    kept.set(ctx, { form, button, looked: button.cloneNode(true), badge: badge?.cloneNode(true) });
    form.dataset.underWay = "";
    button.removeAttribute("aria-busy");
    button.classList.replace("btn--contained", "btn--outlined");
    button.querySelector("use")?.setAttribute("href", button.querySelector("use").getAttribute("href").replace(/#.*/, "#check"));
    button.querySelector(":scope > span").textContent = form.dataset.optimistic;
    if (badge) count(badge, 1);
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = event.detail;
    const before = kept.get(ctx);
    if (!before) return;
    const { form, button, looked, badge } = before;
    delete form.dataset.underWay;
    underWay -= 1;
    if (ctx.response && ctx.response.status < 400) {
      if (!underWay && goOn) location.assign(goOn);
      return;
    }
    goOn = undefined;
    button.className = looked.className;
    button.replaceChildren(...looked.childNodes);
    if (badge) document.getElementById("cart-badge")?.replaceWith(badge);
  });

  // The cart must not be opened before it holds what it seems to hold.
  document.addEventListener(
    "click",
    (event) => {
      const link = underWay && event.target.closest?.("a[href='/cart']");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      goOn = link.href;
    },
    true,
  );

  // It looks done already; a second click asks for nothing.
  document.addEventListener(
    "submit",
    (event) => {
      if (!("underWay" in event.target.dataset)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
})();
