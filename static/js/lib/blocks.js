// Which part of a tree the map shows in large: the nearest module that repeats, with all that is in it.

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./icicle.js").Cell} Cell */

/**
 * @param {Outline} outline
 * @param {number} row
 * @returns {boolean} whether it has children, and a sibling beside it that looks the same
 */
function isBlock(outline, row) {
  const parent = outline.parent(row);
  if (parent < 0 || !outline.at(row).entries.length) return false;
  const entry = outline.at(parent).entries.findLast((each) => each.row <= row - parent);
  return entry !== undefined && entry.count > 1;
}

/**
 * @param {Outline} outline
 * @param {number} selected
 * @param {Cell[]} cells of the whole tree
 * @param {number} present the one that is shown, which stays while the selection is in it; 0 for none
 * @returns {number} the row of the nearest block that the selection is in, or of the first of those that come to the
 *   most in it, or in the tree; 0 where nothing repeats
 */
export function blockOf(outline, selected, cells, present = 0) {
  if (present > 0 && present <= selected && selected < outline.end(present)) return present;
  for (let row = selected; row > 0; row = outline.parent(row)) {
    if (isBlock(outline, row)) return row;
  }
  const end = outline.end(selected);
  return largest(cells.filter((cell) => cell.row > selected && cell.row < end)) || largest(cells);
}

/**
 * @param {Cell[]} cells in pre-order
 * @returns {number} the first of those siblings with children that look the same and come to the most; 0 for none
 */
function largest(cells) {
  /** @type {Map<string, {row: number, count: number, total: number}>} */
  const runs = new Map();
  for (const { row, parent, shape, count, amount } of cells) {
    if (!parent || !shape.entries.length) continue;
    const key = `${parent.row} ${shape.number}`;
    const run = runs.get(key) ?? { row, count: 0, total: 0 };
    runs.set(key, { row: run.row, count: run.count + count, total: run.total + amount });
  }
  let [row, most] = [0, 0];
  for (const run of runs.values()) {
    if (run.count > 1 && run.total > most) [row, most] = [run.row, run.total];
  }
  return row;
}
