// What is one and the same in a tree, at every place where it stands.

import { numUpTo } from "./spans.js";

/** @typedef {import("./places.js").Places} Places */
/** @typedef {import("./places.js").Place} Place */
/** @typedef {import("./shapes.js").Sharing} Told */
/** @typedef {import("./shapes.js").Tensor} Tensor */

/** A parameter or buffer of a module. @typedef {{row: number, name: string, isBuffer: boolean}} Spot */

/**
 * A module that stands at several places: `rows` are those that the server tells, the first of all in front;
 * `everywhere` are all, those inside of what is shared itself too, in order.
 * @typedef {{rows: number[], size: number, everywhere: number[]}} SharedModule
 */

/** A tensor with several names; `everywhere` in order, parameters of a module before its buffers. @typedef {{told: Spot[], everywhere: Spot[]}} SharedTensor */

const keyOf = (/** @type {Spot} */ spot) => `${spot.isBuffer ? "b" : "p"}${spot.row} ${spot.name}`;

export class Sharing {
  /** @type {SharedModule[]} */
  modules = [];
  /** @type {SharedTensor[]} */
  tensors = [];
  /** @type {{start: number[], end: number[], of: number[]}} the places that repeat one before, and which */
  #repeats = { start: [], end: [], of: [] };
  /** @type {Map<string, Spot>} */
  #firstOf = new Map();

  /**
   * @param {Places} places
   * @param {Told[]} told
   */
  constructor(places, told) {
    this.places = places;
    this.#readModules(told);
    this.#readTensors(told);
    this.#spread();
  }

  /** @param {Told[]} told */
  #readModules(told) {
    for (const { kind, rows } of told) {
      if (kind === "module") this.modules.push({ rows, size: this.places.at(rows[0] ?? 0).shape.size, everywhere: [] });
    }
    // A module that holds another is larger: its places are known first.
    this.modules.sort((one, other) => other.size - one.size);
    const repeats = this.modules.flatMap(({ rows, size }) => rows.slice(1).map((row) => ({ row, size, of: rows[0] ?? 0 })));
    for (const { row, size, of } of repeats.sort((one, other) => one.row - other.row)) {
      this.#repeats.start.push(row);
      this.#repeats.end.push(row + size);
      this.#repeats.of.push(of);
    }
  }

  /** @param {Told[]} told */
  #readTensors(told) {
    /** @type {Map<string, SharedTensor>} */
    const found = new Map();
    for (const { kind, rows, names = [] } of told) {
      if (kind === "module") continue;
      const spots = rows.map((row, at) => ({ row, name: names[at] ?? "", isBuffer: kind === "buffer" || (kind === "tensor" && at === 1) }));
      if (kind !== "tensor") for (const spot of spots.slice(1)) this.#firstOf.set(keyOf(spot), /** @type {Spot} */ (spots[0]));
      const known = spots.map((spot) => found.get(keyOf(spot)));
      const tensor = { told: spots.flatMap((spot, at) => known[at]?.told ?? [spot]), everywhere: [] };
      for (const spot of tensor.told) found.set(keyOf(spot), tensor);
    }
    this.tensors = [...new Set(found.values())];
  }

  /** Finds all places of what is shared: it stands wherever a shared module that holds it does. */
  #spread() {
    const originals = this.modules
      .map((module) => ({ module, row: module.rows[0] ?? 0 }))
      .sort((one, other) => one.row - other.row);
    const starts = originals.map(({ row }) => row);
    /**
     * @param {number} row
     * @param {boolean} orItself
     * @returns {{module: SharedModule, row: number} | undefined} the innermost shared module that holds the row
     */
    const holder = (row, orItself) => {
      // Neighbours in the list are either apart or one in the other; few are in each other.
      for (let at = numUpTo(starts, orItself ? row : row - 1) - 1; at >= 0; at = above[at] ?? -1) {
        const each = originals[at];
        if (each && row < each.row + each.module.size) return each;
      }
      return undefined;
    };
    /** @type {number[]} the place in the list of the one that each is in, or -1 */
    const above = [];
    /** @type {number[]} */
    const open = [];
    for (const [at, { row, module }] of originals.entries()) {
      for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
        const each = originals[top];
        if (each && row < each.row + each.module.size) break;
        open.pop();
      }
      above.push(open.at(-1) ?? -1);
      if (module.size > 0) open.push(at);
    }
    for (const module of this.modules) {
      module.everywhere = module.rows.flatMap((row) => shifted(holder(row, false), row)).sort((one, other) => one - other);
    }
    for (const tensor of this.tensors) {
      tensor.everywhere = tensor.told.flatMap((spot) => shifted(holder(spot.row, true), spot.row).map((row) => ({ ...spot, row })));
      tensor.everywhere.sort((one, other) => one.row - other.row || this.#rank(one) - this.#rank(other));
    }
  }

  /** @param {Spot} spot */
  #rank(spot) {
    const { parameters, buffers } = this.places.at(spot.row).shape;
    const own = (spot.isBuffer ? buffers : parameters).findIndex((tensor) => tensor.name === spot.name);
    return own + (spot.isBuffer ? parameters.length : 0);
  }

  /** @returns {boolean} whether anything is shared */
  get isEmpty() {
    return !this.modules.length && !this.tensors.length;
  }

  /**
   * @param {number} row
   * @returns {number} the first place of the module that stands there
   */
  origin(row) {
    const { start, end, of } = this.#repeats;
    for (;;) {
      const at = numUpTo(start, row) - 1;
      if (at < 0 || row >= /** @type {number} */ (end[at])) return row;
      row += /** @type {number} */ (of[at]) - /** @type {number} */ (start[at]);
    }
  }

  /**
   * @param {number} row
   * @param {Tensor} tensor one of the module's own
   * @returns {Spot} where the tensor stands first
   */
  originOf(row, tensor) {
    const spot = { row: this.origin(row), name: tensor.name, isBuffer: tensor.isBuffer };
    return this.#firstOf.get(keyOf(spot)) ?? spot;
  }

  /** @returns {[number, number][]} the places that repeat one before, as `[first, count]` */
  repeats() {
    const { start, end } = this.#repeats;
    return start.map((row, at) => [row, /** @type {number} */ (end[at]) - row]);
  }

  /** @returns {Spot[]} the told names of tensors that have one before */
  tied() {
    return this.tensors.flatMap(({ told }) => told.filter((spot) => this.#firstOf.has(keyOf(spot))));
  }
}

/**
 * @param {{module: SharedModule, row: number} | undefined} holder
 * @param {number} row in it
 * @returns {number[]} the same row in each of its places
 */
const shifted = (holder, row) => (holder ? holder.module.everywhere.map((each) => each + row - holder.row) : [row]);
