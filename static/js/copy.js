// Buttons that copy the text in their data-copy, and say so for a moment.

import { _ } from "./lib/words.js";

const SAID_MS = 1500;

/** @param {HTMLElement} button */
async function copy(button) {
  const use = button.querySelector("use");
  const label = button.getAttribute("aria-label") ?? _("Copy");
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
  } catch {
    button.title = _("The browser does not allow copying");
    button.setAttribute("aria-label", button.title);
    return;
  }
  use?.setAttribute("href", "/static/vendor/icons.svg#check");
  button.setAttribute("aria-label", _("Copied"));
  setTimeout(() => {
    use?.setAttribute("href", "/static/vendor/icons.svg#copy");
    button.setAttribute("aria-label", label);
  }, SAID_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
  if (button instanceof HTMLElement) void copy(button);
});
