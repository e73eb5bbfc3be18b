// The list of courses: short addresses, and the sheet of filters that goes when its form has done its work.
"use strict";

(() => {
  // An address says what was asked for, not what was left empty.
  document.addEventListener("formdata", (event) => {
    if (!("leaveOutEmpty" in event.target.dataset)) return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  document.addEventListener("submit", (event) => {
    const sheet = event.target.closest("[popover]");
    if (sheet?.matches(":popover-open")) sheet.hidePopover();
  });
})();
