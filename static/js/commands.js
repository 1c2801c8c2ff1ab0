// What the command palette offers of the page: links and buttons in an element with `data-commands="Group"` stand under
// that group by their label or text, and running one clicks it.

/**
 * @typedef {object} Command
 * @property {string} id the same on every page, so that it is known to be used lately
 * @property {string} group in the reader's language
 * @property {string} label
 * @property {string} [hint] to the right of it
 * @property {string} [icon]
 * @property {string} [href] where it leads; without one `run` is called
 * @property {() => void} [run]
 */

/** @returns {Command[]} what can be done now */
export function commands() {
  const found = [];
  for (const box of document.querySelectorAll("[data-commands]")) {
    const group = box.getAttribute("data-commands") ?? "";
    for (const element of box.querySelectorAll("a[href], button:not([disabled]), summary")) {
      if (!(element instanceof HTMLElement) || element.closest("[hidden]")) continue;
      const label = element.dataset.command ?? element.getAttribute("aria-label") ?? words(element);
      if (label) found.push({ id: `${group}/${label}`, group, label, run: () => element.click() });
    }
  }
  return found;
}

/** @param {Element} element its text, without the counts beside it */
function words(element) {
  const copy = /** @type {Element} */ (element.cloneNode(true));
  for (const small of copy.querySelectorAll("small, .hidden-text")) small.remove();
  return (copy.textContent ?? "").replace(/\s+/g, " ").trim();
}
