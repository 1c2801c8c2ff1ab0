// What gives a cell of the map its height: parameters, bytes, or FLOPs of a trace; what is shared at its first place only.

import { numUpTo } from "./spans.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./shapes.js").Shape} Shape */

/** @typedef {"parameters" | "bytes" | "flops"} Area */

/** The columns of a trace that the map reads. @typedef {{row: number[], class_name: string[], own_flops: number[]}} Trace */

/** @typedef {{row: number, amount: number, shape: Shape | null}} Lost what stands at a place and counts at one before; a shape where all of it does */

/** @type {Area[]} */
export const AREAS = ["parameters", "bytes", "flops"];

/** Sums over ranges of rows. */
class Sums {
  #before = [0];
  /** @type {number[]} */
  #rows = [];

  /** @param {{row: number, amount: number}[]} points in ascending order of rows */
  constructor(points) {
    for (const { row, amount } of points) {
      this.#rows.push(row);
      this.#before.push((this.#before.at(-1) ?? 0) + amount);
    }
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  between(start, end) {
    if (!this.#rows.length) return 0;
    const [from, to] = [numUpTo(this.#rows, start - 1), numUpTo(this.#rows, end - 1)];
    return (this.#before[to] ?? 0) - (this.#before[from] ?? 0);
  }
}

export class Amounts {
  /** @type {Sums} */
  #sums;

  /**
   * @param {Outline} outline
   * @param {Area} area
   * @param {Trace | null} trace needed for FLOPs: without one all is 0
   */
  constructor(outline, area, trace = null) {
    this.area = area;
    this.trace = trace;
    this.lost = area === "flops" ? [] : lostOf(outline, area);
    const points = area === "flops" ? (trace?.row ?? []).map((row, at) => ({ row, amount: trace?.own_flops[at] ?? 0 })) : this.lost;
    this.#sums = new Sums(points);
    this.total = this.of(0, 1, outline.at(0));
  }

  /**
   * @param {number} first row
   * @param {number} count of siblings from there on
   * @param {Shape} shape which each of them has
   * @returns {number} what they come to together, each thing at its first place of all
   */
  of(first, count, shape) {
    const there = this.#sums.between(first, first + count * shape.size);
    return this.area === "flops" ? there : count * baseOf(shape, this.area) - there;
  }
}

/**
 * @param {Shape} shape
 * @param {Area} area
 * @returns {number} what it comes to with what is shared counted each time
 */
export const baseOf = (shape, area) => (area === "bytes" ? shape.numBytes : shape.numParameters);

/**
 * @param {Outline} outline
 * @param {Area} area
 * @returns {Lost[]} in ascending order of rows
 */
function lostOf(outline, area) {
  const { sharing } = outline;
  const modules = sharing.repeats().map(([row]) => {
    const shape = outline.at(row);
    return { row, amount: baseOf(shape, area), shape };
  });
  const tensors = sharing.tied().map((spot) => {
    const shape = outline.at(spot.row);
    const tensor = (spot.isBuffer ? shape.buffers : shape.parameters).find(({ name }) => name === spot.name);
    const amount = area === "bytes" ? tensor?.numBytes : spot.isBuffer ? 0 : tensor?.numel;
    return { row: spot.row, amount: amount ?? 0, shape: null };
  });
  return [...modules, ...tensors].sort((one, other) => one.row - other.row);
}
