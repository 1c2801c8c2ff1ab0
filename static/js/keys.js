// The keys of the page: each part says its own with `registerKeys`, and `?` shows them all.

import { _ } from "./lib/words.js";
import { isTyping, keyElements } from "./lib/keys.js";
import { showDialog } from "./dialog.js";

/** @typedef {[keys: string, description: string]} Key */

/** @type {Map<string, Key[]>} */
const areas = new Map();

/**
 * Adds keys to what `?` shows; several calls for one area add up.
 * @param {string} area in the reader's language: "Tree"
 * @param {Key[]} keys as `["Ctrl+K", "Open the command palette"]`; others that do the same after a space: `"j ArrowDown"`
 */
export function registerKeys(area, keys) {
  const known = areas.get(area) ?? [];
  areas.set(area, [...known, ...keys.filter(([each]) => !known.some(([other]) => other === each))]);
}

/** @param {string} area */
function section(area) {
  const part = document.createElement("section");
  const title = document.createElement("h3");
  title.textContent = area;
  const list = document.createElement("dl");
  for (const [keys, description] of areas.get(area) ?? []) {
    const [term, words] = [document.createElement("dt"), document.createElement("dd")];
    term.append(...keyElements(document, keys));
    words.textContent = description;
    list.append(term, words);
  }
  part.append(title, list);
  return part;
}

export function showKeys() {
  const body = document.createElement("div");
  body.className = "keys";
  body.tabIndex = 0;
  body.append(...[...areas.keys()].map(section));
  showDialog(_("Keyboard"), body, "dialog-keys");
}

registerKeys(_("Everywhere"), [
  ["Ctrl+K", _("Open the command palette")],
  ["?", _("Show the keys")],
  ["Escape", _("Close what is open")],
]);

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  showKeys();
});
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-keys-open]")) showKeys();
});
