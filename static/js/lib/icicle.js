// The icicle: which modules are drawn, and where. Down in pre-order, right in depth, the height of a cell its amount.

import { hierarchy, partition } from "../../vendor/d3-hierarchy.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./amounts.js").Amounts} Amounts */

/**
 * A module as a rectangle, or `count` like siblings from `row` on as one. What is below such a cell stands for all
 * of them: `times` says for how many. `level` counts from the panel's first column. `isLast` cells have nothing drawn
 * to their right and run to the edge; `isOwn` says that the module has parameters of its own.
 * @typedef {{row: number, shape: Shape, count: number, times: number, amount: number, depth: number, level: number,
 *   parent: Cell | null, isLast: boolean, isOwn: boolean, x: number, y: number, width: number, height: number}} Cell
 */

/** @typedef {{top: number, width: number, height: number, isLabelled: boolean}} Panel */

export const LEAST_HEIGHT = 0.5;
export const FOLDED_UNDER = 4.5;
const LEAST_WIDTH = 6;
const NARROW = { labelled: 0.11, plain: 0.075 };
const HOLDER_TO_OWN = 1.75;

/**
 * @param {Outline} outline
 * @param {Amounts} amounts
 * @param {Panel} panel
 * @returns {Cell[]} in pre-order; what is lower than half a pixel is left to its parent
 */
export function icicle(outline, amounts, { top, width, height, isLabelled }) {
  const shape = outline.at(top);
  const amount = amounts.of(top, 1, shape);
  if (amount <= 0 || height <= 0) return [];
  const first = cellOf(top, shape, 1, 1, amount, null, outline.place(top).depth);
  const levels = Math.max(Math.floor(width / LEAST_WIDTH), 1);
  const grower = { outline, amounts, scale: height / amount, levels };
  // Mirrored: d3 leaves what a parent has for itself after its children, and here it comes before them.
  const root = hierarchy(first, (cell) => below(grower, cell).reverse());
  root.eachBefore((each) => Object.assign(each, { value: each.data.amount }));
  partition().size([height, 1])(/** @type {any} */ (root));
  /** @type {Cell[]} */
  const cells = [];
  root.each((each) => each.children?.reverse());
  root.eachBefore((each) => {
    const { x0 = 0, x1 = 0 } = /** @type {{x0?: number, x1?: number}} */ (each);
    cells.push(Object.assign(each.data, { y: height - x1, height: x1 - x0, isLast: !each.children }));
  });
  setColumns(cells, width, isLabelled);
  return cells;
}

/**
 * @param {number} row
 * @param {Shape} shape
 * @param {number} count
 * @param {number} times
 * @param {number} amount
 * @param {Cell | null} parent
 * @param {number} depth
 * @returns {Cell}
 */
function cellOf(row, shape, count, times, amount, parent, depth) {
  return {
    row, shape, count, times, amount, depth, parent, level: parent ? parent.level + 1 : 0,
    isLast: false, isOwn: shape.parameters.length > 0, x: 0, y: 0, width: 0, height: 0,
  };
}

/**
 * @param {{outline: Outline, amounts: Amounts, scale: number, levels: number}} grower
 * @param {Cell} cell
 * @returns {Cell[]} its children that are high enough to be seen
 */
function below({ outline, amounts, scale, levels }, cell) {
  if (cell.level + 1 >= levels || !cell.shape.entries.length) return [];
  /** @type {Cell[]} */
  const found = [];
  for (const run of outline.runs(cell.row)) {
    const shape = /** @type {Shape} */ (outline.shapes[run.shape]);
    const all = cell.times * amounts.of(run.first, run.count, shape);
    if (all * scale < LEAST_HEIGHT) continue;
    const one = cell.times * amounts.of(run.first, 1, shape);
    const isFolded = run.count > 1 && one * scale < FOLDED_UNDER && one * run.count === all;
    if (isFolded) found.push(cellOf(run.first, shape, run.count, cell.times * run.count, all, cell, cell.depth + 1));
    for (let at = 0; at < (isFolded ? 0 : run.count); at += 1) {
      const row = run.first + at * shape.size;
      const amount = cell.times * amounts.of(row, 1, shape);
      if (amount * scale >= LEAST_HEIGHT) found.push(cellOf(row, shape, 1, cell.times, amount, cell, cell.depth + 1));
    }
  }
  return found;
}

/**
 * Gives the cells their column. A module that only holds what the next column shows is narrow; where there are labels,
 * columns of modules with parameters of their own are wider.
 * @param {Cell[]} cells
 * @param {number} width
 * @param {boolean} isLabelled
 */
function setColumns(cells, width, isLabelled) {
  /** @type {Cell[][]} */
  const levels = [];
  for (const cell of cells) (levels[cell.level] ??= []).push(cell);
  const narrow = Math.min(isLabelled ? NARROW.labelled : NARROW.plain, 1 / levels.length);
  const kinds = levels.map((level) => {
    const [first] = level;
    if (level.length === 1 && first && !first.isOwn && !first.isLast && first.count === 1) return "narrow";
    return isLabelled && level.every((cell) => cell.isOwn) ? "own" : "plain";
  });
  /** @type {number[]} */
  const weights = kinds.map((kind) => (kind === "own" ? HOLDER_TO_OWN : kind === "plain" ? 1 : 0));
  const numNarrow = weights.filter((weight) => !weight).length;
  const unit = (1 - numNarrow * narrow) / Math.max(weights.reduce((total, weight) => total + weight, 0), 1);
  const left = [0];
  for (const weight of weights) left.push((left.at(-1) ?? 0) + (weight ? weight * unit : narrow) * width);
  for (const cell of cells) {
    cell.x = left[cell.level] ?? 0;
    cell.width = (cell.isLast ? width : (left[cell.level + 1] ?? width)) - cell.x;
  }
}
