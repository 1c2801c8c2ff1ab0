// "Freeze the selected module": its target joins those that a run leaves as they are.

import { withTarget } from "./lib/targets.js";

/** @returns {string} the target of the selected module */
function selected() {
  const path = location.pathname.split("/modules/")[1];
  return path ? decodeURIComponent(path) : "";
}

document.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest("[data-run-freeze]") : null;
  const field = button?.closest("form")?.elements.namedItem("frozen");
  if (!(field instanceof HTMLInputElement)) return;
  field.value = withTarget(field.value, selected());
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
