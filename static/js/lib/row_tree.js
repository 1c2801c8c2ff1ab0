// How many rows are to be seen below each place: kept where a place is not as its shape says, by shape for all others.

import { heights, SHUT, WITH_TENSORS } from "./open_state.js";
import { append, appendFolded, appendSiblings, LEAST_FOLDED, noParts } from "./row_parts.js";
import { numUpTo } from "./spans.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./open_state.js").OpenState} OpenState */
/** @typedef {import("./open_state.js").Level} Level */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./row_parts.js").Parts} Parts */

export class RowTree {
  /** What is below places that are not as their shape says, and below those above them. @type {Map<number, Parts>} */
  #nodes = new Map();
  /** By row, its children that have a node. @type {Map<number, number[]>} */
  #apart = new Map();
  /** By shape, for places of which nothing is said. @type {number[]} */
  #heights = [];
  /** @type {(Parts | undefined)[]} */
  #plain = [];

  /**
   * @param {Outline} outline
   * @param {OpenState} state
   */
  constructor(outline, state) {
    this.outline = outline;
    this.state = state;
    this.rebuild();
  }

  /** Call it after the state was changed in many places, or in what holds for all. */
  rebuild() {
    this.#nodes.clear();
    this.#apart.clear();
    this.#plain = [];
    this.#heights = heights(this.outline, this.state);
    const marked = new Set([0]);
    for (const row of this.#marks()) {
      for (const above of this.outline.trail(row).reverse()) {
        if (marked.has(above)) break;
        marked.add(above);
      }
    }
    const rows = [...marked].sort((one, other) => one - other);
    for (const row of rows) {
      const parent = this.outline.parent(row);
      this.#apart.get(parent)?.push(row) ?? this.#apart.set(parent, [row]);
    }
    // Children stand behind their parents.
    for (const row of rows.reverse()) this.#build(row);
  }

  /** @returns {Iterable<number>} rows that are not as their shape says */
  *#marks() {
    const { levels, runs, out, isOpen, folds } = this.state;
    yield* levels.keys();
    yield* runs;
    yield* out;
    if (isOpen && folds) yield* this.outline.likeness.odd();
  }

  /** @param {number} row puts it among the children of its parent that have a node */
  #list(row) {
    const parent = this.outline.parent(row);
    const siblings = this.#apart.get(parent) ?? [];
    siblings.splice(numUpTo(siblings, row), 0, row);
    this.#apart.set(parent, siblings);
  }

  /** @param {number} row */
  #build(row) {
    const shape = this.outline.at(row);
    const level = this.state.level(row, shape);
    this.#nodes.set(row, level === SHUT ? noParts() : this.#parts(row, shape, level));
  }

  /**
   * @param {number} row
   * @param {Shape} shape
   * @param {Level} level
   * @returns {Parts}
   */
  #parts(row, shape, level) {
    const list = tensorsOf(shape, level);
    const { state } = this;
    const apart = (this.#apart.get(row) ?? []).map((child) => child - row);
    const heightOf = (/** @type {number} */ offset) => 1 + (this.#nodes.get(row + offset)?.height ?? 0);
    const isOpen = (/** @type {number} */ offset) => state.runs.has(row + offset);
    const out = state.out.size ? apart.filter((offset) => state.out.has(row + offset)) : [];
    for (const run of state.folds ? this.outline.runs(row) : shape.entries) {
      const offset = "first" in run ? run.first - row : run.row;
      const { size } = /** @type {Shape} */ (this.outline.shapes[run.shape]);
      const siblings = { offset, count: run.count, shape: run.shape, size, each: this.#heights[run.shape] ?? 1 };
      if (state.folds && run.count >= LEAST_FOLDED) appendFolded(list, siblings, { out, apart, isOpen, heightOf });
      else appendSiblings(list, siblings, apart, heightOf);
    }
    return list;
  }

  /**
   * @param {number} number of a shape
   * @returns {Parts} below a place of which nothing is said
   */
  #partsOf(number) {
    const kept = this.#plain[number];
    if (kept) return kept;
    const shape = /** @type {Shape} */ (this.outline.shapes[number]);
    const level = this.state.default(shape);
    const list = tensorsOf(shape, level);
    for (const { row: offset, count, shape: child } of level === SHUT ? [] : shape.entries) {
      const each = this.#heights[child] ?? 1;
      if (this.state.folds && count >= LEAST_FOLDED) append(list, { kind: "fold", height: 1, offset, count, shape: child });
      else append(list, { kind: "plain", height: count * each, offset, count, shape: child, each });
    }
    this.#plain[number] = list;
    return list;
  }

  /**
   * @param {number} row
   * @param {number} shape its number
   * @returns {Parts} what is to be seen below the place
   */
  below(row, shape) {
    return this.#nodes.get(row) ?? this.#partsOf(shape);
  }

  /** @param {number} row at which, or below which, the state was changed */
  touch(row) {
    const trail = this.outline.trail(row).reverse();
    for (const each of trail) if (!this.#nodes.has(each)) this.#list(each);
    for (const each of trail) this.#build(each);
  }
}

/**
 * @param {Shape} shape
 * @param {Level} level
 * @returns {Parts} with the module's own tensors, where they are listed
 */
function tensorsOf(shape, level) {
  const list = noParts();
  const count = shape.parameters.length + shape.buffers.length;
  if (level === WITH_TENSORS && count) append(list, { kind: "tensors", height: count, offset: 0, count });
  return list;
}
