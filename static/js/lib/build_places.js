// Where a row of the builder is dropped, and what its keys mean.

/** @typedef {{ path: string }} Row */
/** @typedef {"above" | "inside" | "below"} Zone */
/** @typedef {{ above: string, position: string }} Place the path of the parent, and the place among its children, "" for the last */

/** @param {string} path */
export const parentOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf(".")));

/**
 * @param {string} path
 * @param {string} above
 * @returns {boolean} whether the path is that module or one in it
 */
export const isWithin = (path, above) => path === above || above === "" || path.startsWith(`${above}.`);

/**
 * @param {string} path
 * @param {string} from
 * @param {string} to
 * @returns {string} the path after the module at `from` was moved to `to`
 */
export const renamed = (path, from, to) => (from !== "" && isWithin(path, from) ? to + path.slice(from.length) : path);

/**
 * @param {string} path
 * @param {string | null} name null where none was sent
 * @returns {string} the path of the module under another name
 */
export function named(path, name) {
  if (path === "" || name === null) return path;
  const above = parentOf(path);
  return above ? `${above}.${name}` : name;
}

/**
 * @param {number} part of the row's height, from its top
 * @param {boolean} isFirst whether it is the row that all the others hang in
 * @returns {Zone}
 */
export function zoneOf(part, isFirst) {
  if (isFirst) return "inside";
  if (part < 0.3) return "above";
  return part > 0.7 ? "below" : "inside";
}

/**
 * @param {Row[]} rows as they stand, the first of which all others hang in
 * @param {string} dragged
 * @param {string} over
 * @param {Zone} zone
 * @returns {Place | null} where the dragged module goes, null where it cannot
 */
export function placeOf(rows, dragged, over, zone) {
  if (isWithin(over, dragged)) return null;
  if (zone === "inside") return parentOf(dragged) === over ? null : { above: over, position: "" };
  const above = parentOf(over);
  const [first, ...others] = rows.map((row) => row.path);
  if (over === first) return null;
  const children = others.filter((path) => parentOf(path) === above);
  const position = children.filter((path) => path !== dragged).indexOf(over) + (zone === "below" ? 1 : 0);
  return children[position] === dragged ? null : { above, position: String(position) };
}

/** @typedef {{ key: string, altKey: boolean, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean }} Stroke */

/** @type {Record<string, string>} */
const WITH_ALT = { ArrowUp: "up", ArrowDown: "down", ArrowRight: "in", ArrowLeft: "out", Backspace: "remove", Delete: "remove" };

/**
 * @param {Stroke} stroke in a field of a row
 * @returns {string} the button that it stands for, "" for none
 */
export function actOf({ key, altKey, ctrlKey, metaKey, shiftKey }) {
  const command = ctrlKey || metaKey;
  if (altKey) return command || shiftKey ? "" : (WITH_ALT[key] ?? "");
  if (command) {
    const letter = key.toLowerCase();
    if (letter === "d" && !shiftKey) return "duplicate";
    if (letter === "z") return shiftKey ? "redo" : "undo";
    return letter === "y" && !shiftKey ? "redo" : "";
  }
  if (key === "Enter") return shiftKey ? "child" : "sibling";
  return "";
}
