// Swagger UI in the reader's language: whatever it draws of its own words is said anew before it is seen.

import { said } from "./lib/reference_words.js";
import { _ } from "./lib/words.js";

const ATTRIBUTES = "aria-label placeholder title".split(" ");
// Here speaks the document, or a name: those are never taken for words of Swagger UI.
const OTHERS = [
  ".renderedMarkdown, .markdown, code, pre, textarea, .opblock-summary-path, .parameter__name:not(.opblock-title)",
  ".json-schema-2020-12__title, .json-schema-2020-12-json-viewer__value",
].join();
// But in the same dress it tells of values and of an answer that did not come, and names the parts of a schema.
const ITS_OWN = [
  ".live-responses-table .response-col_description > .renderedMarkdown",
  ".renderedMarkdown i, .json-schema-2020-12-keyword__name",
].join();

/** @param {Node} text */
function sayText(text) {
  const place = text.parentElement;
  if (!text.nodeValue?.trim() || !place || (place.closest(OTHERS) && !place.closest(ITS_OWN))) return;
  const words = said(text.nodeValue);
  if (words !== undefined && words !== text.nodeValue) text.nodeValue = words;
}

/** @param {Element} element */
function sayAttributes(element) {
  for (const name of ATTRIBUTES) {
    const value = element.getAttribute(name);
    const words = value && said(value);
    if (words && words !== value) element.setAttribute(name, words);
  }
}

/** @param {Node} node */
function sayAll(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let each = /** @type {Node | null} */ (node); each; each = walker.nextNode()) {
    if (each instanceof Element) sayAttributes(each);
    else sayText(each);
  }
}

/** @param {HTMLElement} reference where Swagger UI draws */
export function translate(reference) {
  // Two words stand in the stylesheet.
  reference.style.setProperty("--docs-required", JSON.stringify(_("has to be given")));
  reference.style.setProperty("--docs-loading", JSON.stringify(_("Loading…")));
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(sayAll);
      else if (type === "characterData") sayText(target);
      else if (target instanceof Element) sayAttributes(target);
    }
  }).observe(reference, { subtree: true, childList: true, characterData: true, attributeFilter: ATTRIBUTES });
}
