// Buttons that copy the text in their data-copy, and say so for a moment.

const SAID_MS = 1500;

/** @param {HTMLElement} button */
async function copy(button) {
  const use = button.querySelector("use");
  const label = button.getAttribute("aria-label") ?? "Copy";
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
  } catch {
    button.setAttribute("aria-label", "The browser does not allow copying");
    button.title = "The browser does not allow copying";
    return;
  }
  use?.setAttribute("href", "/static/vendor/icons.svg#check");
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    use?.setAttribute("href", "/static/vendor/icons.svg#copy");
    button.setAttribute("aria-label", label);
  }, SAID_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
  if (button instanceof HTMLElement) void copy(button);
});
