// Keys as people read them.

/** @type {Record<string, string>} */
const SIGNS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", PageUp: "PgUp", PageDown: "PgDn" };

/**
 * @param {string} keys "Ctrl+K", or several that do the same with a space between: "j ArrowDown"
 * @returns {string[][]} for each of them what is on its caps
 */
export function caps(keys) {
  return keys.split(" ").filter(Boolean).map((combination) => pressed(combination).map((key) => SIGNS[key] ?? key));
}

/** @param {string} combination the plus itself may be its last key */
const pressed = (combination) => (combination.endsWith("+") ? [...combination.slice(0, -1).split("+").filter(Boolean), "+"] : combination.split("+"));

/**
 * @param {Document} document
 * @param {string} keys
 * @returns {Node[]} a `kbd` for each key
 */
export function keyElements(document, keys) {
  return caps(keys).flatMap((combination, place) => [
    ...(place ? [document.createTextNode(" ")] : []),
    ...combination.map((cap) => {
      const key = document.createElement("kbd");
      key.className = "key";
      key.textContent = cap;
      return key;
    }),
  ]);
}

/**
 * @param {EventTarget | null} target of a key
 * @returns {boolean} whether what is pressed there is text
 */
export function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"));
}
