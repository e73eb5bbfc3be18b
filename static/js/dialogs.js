// Native dialogs: opened and closed by attributes, the question before a deed, menus that close themselves.
"use strict";

(() => {
  const openers = new WeakMap();

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      const dialog = document.getElementById(opener.dataset.dialogOpen);
      if (dialog instanceof HTMLDialogElement) {
        event.preventDefault();
        openers.set(dialog, opener.id);
        if (!dialog.open) dialog.showModal();
      }
    }
    const closer = event.target.closest("[data-dialog-close]");
    if (closer) closer.closest("dialog")?.close();
    // A click that lands on the dialog itself fell on the backdrop: the content covers the rest.
    if (event.target instanceof HTMLDialogElement && event.target.matches(":modal")) event.target.close();
  });

  // The browser gives focus back to the opener, unless a swap has replaced it: then its id finds the new one.
  document.addEventListener(
    "close",
    (event) => {
      const id = openers.get(event.target);
      if (id && document.activeElement === document.body) document.getElementById(id)?.focus();
    },
    true,
  );

  const ask = (words, { title, yes } = {}) => {
    const dialog = document.getElementById("confirm_dialog");
    if (!dialog) return Promise.resolve(window.confirm(words));
    const heading = dialog.querySelector("[data-confirm-title]");
    const button = dialog.querySelector("[data-confirm-yes] > span");
    heading.dataset.usual ??= heading.textContent;
    button.dataset.usual ??= button.textContent;
    heading.textContent = title || heading.dataset.usual;
    button.textContent = yes || button.dataset.usual;
    dialog.querySelector("[data-confirm-text]").textContent = words;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirm"), { once: true });
    });
  };
  window.CourseHub.ask = ask;

  document.addEventListener("htmx:confirm", (event) => {
    const { ctx, issueRequest, dropRequest } = event.detail;
    event.preventDefault();
    const { confirmTitle, confirmLabel } = ctx.sourceElement.dataset;
    ask(ctx.confirm, { title: confirmTitle, yes: confirmLabel }).then((said) => (said ? issueRequest() : dropRequest()));
  });

  // Before htmx and before the plain submit: nothing leaves until the question is answered.
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (!form.dataset.confirm || form.dataset.confirmed || event.submitter?.formMethod === "dialog") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const { submitter } = event;
      ask(form.dataset.confirm, { title: form.dataset.confirmTitle, yes: form.dataset.confirmLabel }).then((said) => {
        if (!said) return;
        form.dataset.confirmed = "yes";
        form.requestSubmit(submitter);
        delete form.dataset.confirmed;
      });
    },
    true,
  );

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("focusin", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details[data-menu][open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    event.target.closest?.("[data-tooltip]")?.classList.add("tooltip--off");
  });
  document.addEventListener("focusout", (event) => {
    event.target.closest?.("[data-tooltip]")?.classList.remove("tooltip--off");
  });
})();
