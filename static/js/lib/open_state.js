// Which rows of a tree are open: what holds for all, and the few that differ.

import { LEAST_FOLDED } from "./row_parts.js";

/** @typedef {import("./outline.js").Outline} Outline */

/** Shut; open; open with the module's own tensors listed too. @typedef {0 | 1 | 2} Level */

/** What is kept of it. @typedef {{isOpen: boolean, folds: boolean, levels: [number, Level][], runs: number[], out: number[]}} Kept */

export const SHUT = 0;
export const OPEN = 1;
export const WITH_TENSORS = 2;
const TENSOR_MODULES = 12;
const MOST_ROWS = 300;
const MOST_DEPTH = 24;

export class OpenState {
  /** @type {Map<number, Level>} by row */
  levels = new Map();
  /** The first rows of folds that are open. @type {Set<number>} */
  runs = new Set();
  /** Rows that stand beside the fold they would be in. @type {Set<number>} */
  out = new Set();

  /**
   * @param {boolean} isOpen whether rows are open unless said otherwise
   * @param {boolean} folds whether like siblings are one row
   * @param {boolean} listsTensors whether all own tensors are listed, as in a tree of a few modules
   */
  constructor(isOpen, folds, listsTensors) {
    this.isOpen = isOpen;
    this.folds = folds;
    this.listsTensors = listsTensors;
  }

  /**
   * @param {Outline} outline
   * @returns {OpenState} all of a tree of which that is not much, else its root
   */
  static of(outline) {
    if (outline.count <= TENSOR_MODULES) return new OpenState(true, false, true);
    const state = new OpenState(outline.at(0).height < MOST_DEPTH, true, false);
    if (!state.isOpen || numRows(outline, state) > MOST_ROWS) state.setAll(false);
    return state;
  }

  /**
   * @param {import("./shapes.js").Shape} shape
   * @returns {Level} of a row of which nothing is said
   */
  default(shape) {
    const { numChildren, parameters, buffers } = shape;
    if (this.listsTensors) return numChildren + parameters.length + buffers.length ? WITH_TENSORS : SHUT;
    return this.isOpen && numChildren ? OPEN : SHUT;
  }

  /**
   * @param {number} row
   * @param {import("./shapes.js").Shape} shape
   * @returns {Level}
   */
  level(row, shape) {
    return this.levels.get(row) ?? this.default(shape);
  }

  /** @param {boolean} isOpen of all rows from now on */
  setAll(isOpen) {
    this.isOpen = isOpen;
    this.levels.clear();
    this.runs.clear();
    this.out.clear();
    if (!isOpen) this.levels.set(0, this.listsTensors ? WITH_TENSORS : OPEN);
  }

  /** @returns {Kept} */
  kept() {
    return { isOpen: this.isOpen, folds: this.folds, levels: [...this.levels], runs: [...this.runs], out: [...this.out] };
  }

  /**
   * @param {Kept} kept
   * @param {(row: number) => number} rowOf where a row is now, -1 where it is gone
   */
  restore(kept, rowOf = (row) => row) {
    [this.isOpen, this.folds] = [kept.isOpen, kept.folds];
    const there = (/** @type {number} */ row) => row >= 0;
    this.levels = new Map(kept.levels.map(([row, level]) => /** @type {[number, Level]} */ ([rowOf(row), level])).filter(([row]) => there(row)));
    this.runs = new Set(kept.runs.map(rowOf).filter(there));
    this.out = new Set(kept.out.map(rowOf).filter(there));
  }
}

/**
 * @param {Outline} outline
 * @param {OpenState} state
 * @returns {number} how many rows there are where nothing differs from the shapes
 */
export function numRows(outline, state) {
  return heights(outline, state)[outline.shapeOf(0)] ?? 1;
}

/**
 * @param {Outline} outline
 * @param {OpenState} state
 * @returns {number[]} by shape, the rows of a place of which nothing is said
 */
export function heights({ shapes }, state) {
  /** @type {number[]} */
  const found = [];
  for (const shape of [...shapes].sort((one, other) => one.height - other.height)) {
    const level = state.default(shape);
    let height = 1 + (level === WITH_TENSORS ? shape.parameters.length + shape.buffers.length : 0);
    for (const { count, shape: child } of level === SHUT ? [] : shape.entries) {
      height += state.folds && count >= LEAST_FOLDED ? 1 : count * (found[child] ?? 1);
    }
    found[shape.number] = height;
  }
  return found;
}
