// Uploads with progress and a drop zone; without this file the plain form does the same, only quieter.
"use strict";

(() => {
  const size = (bytes) => {
    const [amount, unit] = bytes < 1e6 ? [bytes / 1e3, "KB"] : [bytes / 1e6, "MB"];
    return `${amount.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${unit}`;
  };

  const fits = (input, file) => {
    const kinds = (input.accept || "").split(",").map((kind) => kind.trim().toLowerCase()).filter(Boolean);
    const name = file.name.toLowerCase();
    return (
      !kinds.length ||
      kinds.some((kind) =>
        kind.startsWith(".") ? name.endsWith(kind) : kind.endsWith("/*") ? file.type.startsWith(kind.slice(0, -1)) : file.type === kind,
      )
    );
  };

  const say = (zone, words, failed = false) => {
    const status = zone.querySelector("[data-drop-status]");
    status.textContent = words;
    status.classList.toggle("text-error", failed);
    zone.classList.toggle("drop--error", failed);
  };

  document.addEventListener("change", (event) => {
    const zone = event.target.closest?.("[data-drop]");
    const file = event.target.files?.[0];
    if (!zone || !file) return;
    const limit = Number(zone.dataset.maxBytes || 0);
    const problem = !fits(event.target, file) ? zone.dataset.textWrongType : limit && file.size > limit ? zone.dataset.textTooBig : "";
    if (problem) event.target.value = "";
    say(zone, problem || `${file.name} (${size(file.size)})`, Boolean(problem));
  });

  const over = (event) => event.target.closest?.("[data-drop]");
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!document.querySelector("[data-drop]") || !event.dataTransfer?.types.includes("Files")) return;
      // Everywhere on such a page: a file dropped beside the zone must not replace the page.
      event.preventDefault();
      const zone = over(event);
      for (const other of document.querySelectorAll("[data-drop]")) {
        other.classList.toggle("drop--over", other === zone && name === "dragover");
      }
      if (name !== "drop" || !zone) return;
      const input = zone.querySelector("input[type=file]");
      const files = new DataTransfer();
      if (event.dataTransfer.files.length) files.items.add(event.dataTransfer.files[0]);
      input.files = files.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  // The answer is a way on, a fragment or page with the form's errors, or a toast with a sentence.
  const follow = (form, zone, request) => {
    const next = request.getResponseHeader("HX-Redirect");
    if (next) return location.assign(next);
    if (request.status < 400 && request.responseURL !== new URL(form.action, location.href).href) return location.assign(request.responseURL);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const words = answer.querySelector("[data-toast-text]")?.textContent;
    const fresh = answer.querySelector("main") ?? answer.body.firstElementChild;
    const old = fresh?.id && document.getElementById(fresh.id);
    if (old && (request.status === 422 || request.status < 400)) {
      old.replaceWith(fresh);
      window.htmx?.process(fresh);
      if (answer.title) document.title = answer.title;
      (fresh.querySelector("[data-error-summary]") ?? fresh).focus?.();
      return undefined;
    }
    return say(zone, words || zone.dataset.textFailed, true);
  };

  const leaving = (event) => event.preventDefault();

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const input = form.matches("form[data-upload]") && form.querySelector("[data-drop] input[type=file]");
      if (!input || !input.files.length) return;
      event.preventDefault();
      if (form.dataset.sent) return;
      form.dataset.sent = "yes";
      const zone = input.closest("[data-drop]");
      const meter = zone.querySelector("[data-drop-progress]");
      const bar = meter.querySelector("progress");
      const button = event.submitter;
      const request = new XMLHttpRequest();
      const body = new FormData(form, button);
      const end = () => {
        window.removeEventListener("beforeunload", leaving);
        delete form.dataset.sent;
        meter.hidden = true;
        button?.removeAttribute("aria-busy");
      };
      request.upload.addEventListener("progress", (sent) => {
        if (!sent.lengthComputable) return;
        const percent = Math.floor((100 * sent.loaded) / sent.total);
        bar.value = percent;
        say(zone, percent < 100 ? zone.dataset.textSending.replace("{percent}", percent) : zone.dataset.textSent);
      });
      request.addEventListener("load", () => {
        end();
        follow(form, zone, request);
      });
      for (const name of ["error", "abort", "timeout"]) {
        request.addEventListener(name, () => {
          end();
          say(zone, zone.dataset.textFailed, true);
        });
      }
      window.addEventListener("beforeunload", leaving);
      meter.hidden = false;
      bar.value = 0;
      button?.setAttribute("aria-busy", "true");
      request.open("POST", form.action);
      request.setRequestHeader("HX-Request", "true");
      request.setRequestHeader("HX-Current-URL", location.href);
      request.send(body);
    },
    true,
  );
})();
