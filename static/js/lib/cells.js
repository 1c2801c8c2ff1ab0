// The cells of a map asked: which lies under a point, which stands for a module, where the arrow keys lead.

/** @typedef {import("./icicle.js").Cell} Cell */

/**
 * @param {Cell[]} cells
 * @param {number} x
 * @param {number} y
 * @returns {Cell | null}
 */
export function hit(cells, x, y) {
  return cells.find((cell) => y >= cell.y && y < cell.y + cell.height && x >= cell.x && x < cell.x + cell.width) ?? null;
}

/**
 * @param {Cell[]} cells in pre-order
 * @param {number} row
 * @returns {Cell | null} the module's own, that of the siblings it is drawn with, or that of the nearest module above
 */
export function standing(cells, row) {
  let [low, high] = [0, cells.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Cell} */ (cells[middle]).row <= row) low = middle + 1;
    else high = middle;
  }
  for (let cell = /** @type {Cell | null} */ (cells[low - 1] ?? null); cell; cell = cell.parent) {
    if (cell.row <= row && row < cell.row + cell.count * cell.shape.size) return cell;
  }
  return null;
}

/**
 * @param {Cell} cell
 * @param {number} row of a module
 * @returns {boolean} whether the cell is the module's, or that of several siblings of which it is one
 */
export function standsFor(cell, row) {
  const inside = row - cell.row;
  return inside >= 0 && inside < cell.count * cell.shape.size && inside % cell.shape.size === 0;
}

/**
 * @param {Cell[]} whole of the whole tree
 * @param {Cell[]} part of a part of it, in large
 * @returns {Cell[]} those of both in pre-order, each module once
 */
export function together(whole, part) {
  const keyOf = (/** @type {Cell} */ cell) => `${cell.row}x${cell.count}`;
  const large = new Set(part.map(keyOf));
  const both = [...whole.filter((cell) => !large.has(keyOf(cell))), ...part];
  return both.sort((one, other) => one.row - other.row || other.count - one.count || one.depth - other.depth);
}

/**
 * @param {string} key
 * @param {Cell[]} cells in pre-order
 * @param {number} at
 * @returns {number | null} where the key leads from there, null where it means nothing
 */
export function walked(key, cells, at) {
  const depthAt = (/** @type {number} */ place) => cells[place]?.depth ?? -1;
  const depth = depthAt(at);
  switch (key) {
    case "ArrowDown": {
      const next = cells.findIndex((cell, place) => place > at && cell.depth <= depth);
      return next < 0 ? at : next;
    }
    case "ArrowUp": {
      const before = cells.findLastIndex((cell, place) => place < at && cell.depth <= depth);
      return Math.max(before, 0);
    }
    case "ArrowRight":
      return depthAt(at + 1) > depth ? at + 1 : at;
    case "ArrowLeft": {
      const above = cells.findLastIndex((cell, place) => place < at && cell.depth < depth);
      return above < 0 ? at : above;
    }
    case "Home":
      return 0;
    case "End":
      return cells.length - 1;
    default:
      return null;
  }
}
