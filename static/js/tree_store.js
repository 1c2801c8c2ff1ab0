// What is open in a tree and how far it is scrolled, kept for as long as the window is.

/** @typedef {import("./lib/open_state.js").Kept} Kept */
/** @typedef {{kept: Kept, position: number, selected: number}} Stored */

/** @param {{id: string, revision: number}} tree */
const keyOf = ({ id, revision }) => `moduletree-open:${id}:${revision}`;

/**
 * @param {{id: string, revision: number}} tree
 * @returns {Stored | null}
 */
export function stored(tree) {
  try {
    const found = JSON.parse(sessionStorage.getItem(keyOf(tree)) ?? "null");
    return found && Array.isArray(found.kept?.levels) ? found : null;
  } catch {
    return null;
  }
}

/**
 * @param {{id: string, revision: number}} tree
 * @param {Stored} state
 */
export function store(tree, state) {
  try {
    sessionStorage.setItem(keyOf(tree), JSON.stringify(state));
  } catch {
    // Full, or not allowed: it opens as at first.
  }
}
