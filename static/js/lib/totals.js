// What every subtree comes to, what is shared within it counted once: as app/trees/totals.py says it.

import { numUpTo } from "./spans.js";

/** @typedef {import("./places.js").Places} Places */
/** @typedef {import("./places.js").Place} Place */
/** @typedef {import("./sharing.js").Sharing} Sharing */
/** @typedef {import("./sharing.js").Spot} Spot */
/** @typedef {import("./spans.js").Spans} Spans */
/** @typedef {import("./shapes.js").Tensor} Tensor */

/** @typedef {"modules" | "parameters" | "trainable" | "buffers" | "bytes"} Amount */
/** @typedef {Record<Amount, number>} Amounts */

/** Two neighbouring places of one thing, and what it comes to. @typedef {{left: number, right: number, amounts: Amounts}} Meeting */

/** @type {Amount[]} */
const AMOUNTS = ["modules", "parameters", "trainable", "buffers", "bytes"];

/** @returns {Amounts} */
const nothing = () => ({ modules: 0, parameters: 0, trainable: 0, buffers: 0, bytes: 0 });

/**
 * @param {Amounts} total
 * @param {Amounts} more
 * @param {number} times
 */
function add(total, more, times = 1) {
  for (const amount of AMOUNTS) total[amount] += times * more[amount];
}

export class Totals {
  /** Rows at which something meets that counts once, and by amount what is too much in all of them so far. @type {number[]} */
  #rows = [];
  /** @type {Record<Amount, number[]>} */
  #surplus = { modules: [0], parameters: [0], trainable: [0], buffers: [0], bytes: [0] };
  /** @type {number[]} by frozen span, the elements of those before */
  #frozenBefore = [0];
  /** Neighbouring places of one thing, by the earlier. @type {Meeting[]} */
  #meetings = [];
  /** @type {Map<number, number>} */
  #stretches = new Map();

  /**
   * @param {Places} places
   * @param {Sharing} sharing
   * @param {Spans} frozen parameters, counted over all places
   */
  constructor(places, sharing, frozen) {
    this.places = places;
    this.frozen = frozen;
    for (const [at, first] of frozen.first.entries()) {
      const size = this.#elementsBefore(frozen.end[at] ?? 0) - this.#elementsBefore(first);
      this.#frozenBefore.push((this.#frozenBefore.at(-1) ?? 0) + size);
    }
    if (sharing.isEmpty) return;
    const meetings = new Meetings(this, sharing);
    this.#close(meetings.surplus());
    this.#meetings = meetings.all.sort((one, other) => one.left - other.left);
  }

  /** @param {Map<number, Amounts>} surplus by row */
  #close(surplus) {
    this.#rows = [...surplus.keys()].sort((one, other) => one - other);
    for (const amount of AMOUNTS) {
      const sums = this.#surplus[amount];
      for (const row of this.#rows) sums.push((sums.at(-1) ?? 0) + (surplus.get(row)?.[amount] ?? 0));
    }
  }

  /**
   * @param {number} row
   * @param {Amount} amount
   * @returns {number} of the subtree, what is shared within it once
   */
  of(row, amount) {
    const place = this.places.at(row);
    const listed = this.listed(place)[amount];
    if (!this.#rows.length) return listed;
    const [first, end] = [numUpTo(this.#rows, row - 1), numUpTo(this.#rows, row + place.shape.size - 1)];
    const sums = this.#surplus[amount];
    return listed - ((sums[end] ?? 0) - (sums[first] ?? 0));
  }

  /**
   * @param {number} row
   * @param {number} count of siblings from there on, which are alike
   * @returns {number} of their parameters, what they share once
   */
  ofSiblings(row, count) {
    const { size, numParameters } = this.places.at(row).shape;
    const kept = this.#stretches.get(row * this.places.count + count);
    if (kept !== undefined || !this.#meetings.length) return kept ?? count * numParameters;
    let total = count * numParameters;
    const end = row + count * size;
    for (const { left, right, amounts } of this.#meetings) if (left >= row && right < end) total -= amounts.parameters;
    this.#stretches.set(row * this.places.count + count, total);
    return total;
  }

  /**
   * @param {Place} place
   * @returns {Amounts} of the subtree, what is shared each time
   */
  listed({ shape, parameter }) {
    const { size, numParameters, numBuffers, numBytes, parameterEntries } = shape;
    const frozen = this.frozen.count ? this.#frozenUpTo(parameter + parameterEntries) - this.#frozenUpTo(parameter) : 0;
    return { modules: size, parameters: numParameters, trainable: numParameters - frozen, buffers: numBuffers, bytes: numBytes };
  }

  /** @param {number} entry of a parameter */
  #frozenUpTo(entry) {
    const at = numUpTo(this.frozen.first, entry - 1) - 1;
    if (at < 0) return 0;
    const [first = 0, end = 0] = [this.frozen.first[at], this.frozen.end[at]];
    if (entry >= end) return this.#frozenBefore[at + 1] ?? 0;
    return (this.#frozenBefore[at] ?? 0) + this.#elementsBefore(entry) - this.#elementsBefore(first);
  }

  /** @param {number} entry of a parameter */
  #elementsBefore(entry) {
    const { root } = this.places;
    if (entry >= root.shape.parameterEntries) return root.shape.numParameters;
    const { shape, parameter, elements } = this.places.owner("parameter", entry);
    return shape.parameters.slice(0, entry - parameter).reduce((total, each) => total + each.numel, elements);
  }
}

/** Where the neighbouring places of each shared thing meet, and what is counted once too often from there up. */
class Meetings {
  /** @type {Map<number, Amounts>} */
  #surplus = new Map();
  /** @type {Meeting[]} */
  all = [];

  /**
   * @param {Totals} totals
   * @param {Sharing} sharing
   */
  constructor(totals, sharing) {
    this.totals = totals;
    this.places = totals.places;
    this.sharing = sharing;
    /** What is told of, by row: counted for itself, and not as a part of the shared modules that it is in. */
    this.told = [...sharing.modules.flatMap(({ rows }) => rows)].sort((one, other) => one - other);
    this.spots = sharing.tensors.flatMap(({ told }) => told).sort((one, other) => one.row - other.row);
    this.spotRows = this.spots.map(({ row }) => row);
  }

  /** @returns {Map<number, Amounts>} */
  surplus() {
    for (const { rows, everywhere } of this.sharing.modules) {
      const alone = this.#alone(rows[0] ?? 0);
      for (let at = 1; at < everywhere.length; at += 1) this.#meet(everywhere[at - 1] ?? 0, everywhere[at] ?? 0, alone);
    }
    for (const { everywhere } of this.sharing.tensors) {
      this.#meetAll(everywhere.filter((spot) => !spot.isBuffer), ["parameters", "trainable"]);
      this.#meetAll(everywhere.filter((spot) => spot.isBuffer), ["buffers"]);
      this.#meetAll(everywhere, ["bytes"]);
    }
    return this.#surplus;
  }

  /**
   * @param {Spot[]} spots of one tensor
   * @param {Amount[]} amounts
   */
  #meetAll(spots, amounts) {
    const [first] = spots;
    if (!first || spots.length < 2) return;
    const [all, some] = [this.#amounts(first), nothing()];
    for (const amount of amounts) some[amount] = all[amount];
    for (let at = 1; at < spots.length; at += 1) this.#meet(spots[at - 1]?.row ?? 0, spots[at]?.row ?? 0, some);
  }

  /**
   * @param {number} left
   * @param {number} right
   * @param {Amounts} amounts
   */
  #meet(left, right, amounts) {
    this.all.push({ left, right, amounts });
    const row = this.places.meet(left, right);
    const there = this.#surplus.get(row) ?? nothing();
    add(there, amounts);
    this.#surplus.set(row, there);
  }

  /**
   * @param {number} row of a shared module
   * @returns {Amounts} what is in it and shared only as a part of it
   */
  #alone(row) {
    const place = this.places.at(row);
    const [left, end] = [this.totals.listed(place), row + place.shape.size];
    /** @type {[number, number][]} what lies in a shared module within, which counts for itself */
    const inner = [];
    for (let at = numUpTo(this.told, row); at < this.told.length; at += 1) {
      const each = this.told[at] ?? 0;
      if (each >= end) break;
      if (each < (inner.at(-1)?.[1] ?? 0)) continue;
      const part = this.places.at(each);
      add(left, this.totals.listed(part), -1);
      inner.push([each, each + part.shape.size]);
    }
    const starts = inner.map(([start]) => start);
    for (let at = numUpTo(this.spotRows, row - 1); at < this.spots.length; at += 1) {
      const spot = /** @type {Spot} */ (this.spots[at]);
      if (spot.row >= end) break;
      if (spot.row < (inner[numUpTo(starts, spot.row) - 1]?.[1] ?? 0)) continue;
      add(left, this.#amounts(spot), -1);
    }
    return left;
  }

  /** @param {Spot} spot */
  #amounts({ row, name, isBuffer }) {
    const { shape, parameter } = this.places.at(row);
    const own = isBuffer ? shape.buffers : shape.parameters;
    const at = own.findIndex((tensor) => tensor.name === name);
    const { numel, numBytes } = /** @type {Tensor} */ (own[at]);
    const trainable = isBuffer || this.totals.frozen.has(parameter + at) ? 0 : numel;
    return { modules: 0, parameters: isBuffer ? 0 : numel, trainable, buffers: isBuffer ? numel : 0, bytes: numBytes };
  }
}
