// Plain forms: sent once, passwords that can be looked at, values that can be copied.
"use strict";

(() => {
  const restore = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll('[data-busy-since-submit]')) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
      delete button.dataset.busySinceSubmit;
    }
  };

  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || form.method !== "post") return;
    // A download leaves the page standing; what it says about it is asked again.
    if (form.dataset.refresh) setTimeout(() => document.getElementById(form.dataset.refresh)?.dispatchEvent(new Event("refresh")), 2500);
    if ("resubmit" in form.dataset) return;
    if (submitter?.formMethod === "dialog") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    if (submitter?.classList.contains("btn")) {
      submitter.dataset.busySinceSubmit = "";
      submitter.setAttribute("aria-busy", "true");
      // Later: a button that is disabled now would be missing from what is sent.
      setTimeout(() => {
        submitter.disabled = true;
      });
    }
    // An answer that is a download leaves the page standing; so the form comes back by itself.
    setTimeout(() => restore(form), 15000);
  });

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) restore(form);
  });

  // These buttons do nothing without a script, so only the script shows them.
  const reveal = () => {
    for (const button of document.querySelectorAll("[data-password-toggle][hidden]")) button.hidden = false;
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };
  reveal();
  document.addEventListener("htmx:after:swap", reveal);

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-password-toggle]");
    if (toggle) {
      const input = document.getElementById(toggle.getAttribute("aria-controls"));
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      toggle.setAttribute("aria-pressed", String(shown));
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const input = document.getElementById(copy.dataset.copy);
      input.select();
      navigator.clipboard.writeText(input.value).then(
        () => window.CourseHub.toast(copy.dataset.done, { kind: "success", timeout: 3000 }),
        () => document.execCommand("copy"),
      );
    }
  });
})();
