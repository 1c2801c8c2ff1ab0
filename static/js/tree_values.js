// The values of tensors that have one element, for the rows of a small tree.

import { value } from "./lib/numbers.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/outline.js").Outline} Outline */

const LISTS = ["named_parameters", "named_buffers"];

/**
 * @param {Outline} outline
 * @returns {Promise<Map<string, string>>} by "tensor", the row and the number of the tensor in its module
 */
export async function valuesOf(outline) {
  /** @type {Map<string, string>} */
  const values = new Map();
  const pages = await Promise.all(LISTS.map(fetched));
  for (const { path, values: nested } of pages.flat()) {
    const at = path.lastIndexOf(".");
    const row = outline.rowOf(path.slice(0, Math.max(at, 0)));
    const tensor = row < 0 ? -1 : outline.ownTensors(row).findIndex((each) => each.name === path.slice(at + 1));
    if (tensor >= 0) values.set(`tensor ${row} ${tensor}`, lone(nested));
  }
  return values;
}

/**
 * @param {Map<string, string>} values
 * @returns {Map<string, string> | null} null where none is to be seen: there is no column for them then, and no head
 */
export function headed(values) {
  const isShown = [...values.values()].some((each) => each !== "");
  document.querySelector("[data-tree-value]")?.toggleAttribute("hidden", !isShown);
  return isShown ? values : null;
}

/**
 * @param {string} method
 * @returns {Promise<{path: string, values: unknown}[]>}
 */
async function fetched(method) {
  const address = `/api${workspace.tree?.url}/${method}?remove_duplicate=false&limit=1000`;
  // Refused only where the tree is gone, and then so is its outline: see there.
  const response = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  return response?.ok ? (await response.json()).items : [];
}

/** @param {unknown} nested */
function lone(nested) {
  let inner = nested;
  while (Array.isArray(inner) && inner.length === 1) [inner] = inner;
  return typeof inner === "number" ? value(inner) : typeof inner === "boolean" ? (inner ? "True" : "False") : "";
}
