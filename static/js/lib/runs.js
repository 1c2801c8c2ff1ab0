// Which siblings look the same in all that is told of them, so that one row can stand for them: as app/trees/fold.py.

import { nameAt } from "./shapes.js";
import { numUpTo } from "./spans.js";

/** @typedef {import("./places.js").Places} Places */
/** @typedef {import("./places.js").Place} Place */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./shapes.js").Entry} Entry */
/** @typedef {import("./sharing.js").Sharing} Sharing */
/** @typedef {import("./spans.js").Spans} Spans */

/** Like neighbours: `first` is the row of the first. @typedef {{first: number, count: number, shape: number, position: number, names: [string, string]}} Run */

export class Runs {
  /** @type {number[] | null} rows in whose subtree something is shared: the earlier of each two neighbouring places */
  #lefts = null;
  /** @type {{right: number, word: string}[]} */
  #pairs = [];
  /** @type {Map<number, Run[]>} */
  #kept = new Map();

  /**
   * @param {Places} places
   * @param {Sharing} sharing
   * @param {Spans} frozen
   * @param {Spans} evaluating
   */
  constructor(places, sharing, frozen, evaluating) {
    this.places = places;
    this.sharing = sharing;
    this.frozen = frozen;
    this.evaluating = evaluating;
  }

  /** @returns {boolean} whether a shape says all of its places */
  get #isPlain() {
    return this.sharing.isEmpty && !this.frozen.count && !this.evaluating.count;
  }

  /**
   * @param {number} row
   * @returns {Run[]} its children
   */
  of(row) {
    const kept = this.#kept.get(row);
    if (kept) return kept;
    const place = this.places.at(row);
    const found = place.shape.entries.flatMap((entry) => this.#split(place, entry));
    if (!this.#isPlain) this.#kept.set(row, found);
    return found;
  }

  /**
   * @param {Place} place
   * @param {Entry} entry
   * @returns {Run[]}
   */
  #split(place, entry) {
    const shape = /** @type {Shape} */ (this.places.shapes[entry.shape]);
    const cuts = entry.count > 1 && !this.#isPlain ? this.#cuts(place, entry, shape) : [0];
    return cuts.map((at, turn) => {
      const end = cuts[turn + 1] ?? entry.count;
      const first = place.row + entry.row + at * shape.size;
      const names = /** @type {[string, string]} */ ([nameAt(entry, at), nameAt(entry, end - 1)]);
      return { first, count: end - at, shape: entry.shape, position: entry.position + at, names };
    });
  }

  /**
   * @param {Place} place
   * @param {Entry} entry
   * @param {Shape} shape
   * @returns {number[]} which of the entry's children differ from the one before, and the first
   */
  #cuts(place, entry, shape) {
    /** @type {Map<number, string[]>} what is said of a child besides its shape */
    const said = new Map();
    /** @type {(at: number, word: string) => void} */
    const say = (at, word) => void (said.get(at)?.push(word) ?? said.set(at, [word]));
    const first = place.row + entry.row;
    const parameter = place.parameter + entry.parameter;
    this.#sayOf(this.evaluating, first, shape.size, entry.count, (at, word) => say(at, `e${word}`));
    this.#sayOf(this.frozen, parameter, shape.parameterEntries, entry.count, (at, word) => say(at, `f${word}`));
    this.#saySharing(first, shape.size, entry.count, say);
    const cuts = [0];
    for (let at = 1; at < entry.count; at += 1) {
      if ((said.get(at) ?? []).join() !== (said.get(at - 1) ?? []).join()) cuts.push(at);
    }
    return cuts;
  }

  /**
   * @param {Spans} spans
   * @param {number} start
   * @param {number} size
   * @param {number} count
   * @param {(at: number, word: string) => void} say
   */
  #sayOf(spans, start, size, count, say) {
    for (const [first, length] of size ? spans.within(start, start + size * count) : []) {
      for (let from = first; from < first + length; ) {
        const at = Math.floor(from / size);
        const to = Math.min(first + length, (at + 1) * size);
        say(at, `${from - at * size}+${to - from}`);
        from = to;
      }
    }
  }

  /**
   * @param {number} start
   * @param {number} size
   * @param {number} count
   * @param {(at: number, word: string) => void} say
   */
  #saySharing(start, size, count, say) {
    if (this.sharing.isEmpty) return;
    const lefts = (this.#lefts ??= this.#listPairs());
    for (let place = numUpTo(lefts, start - 1); place < lefts.length; place += 1) {
      const left = /** @type {number} */ (lefts[place]) - start;
      if (left >= size * count) break;
      const { right, word } = /** @type {{right: number, word: string}} */ (this.#pairs[place]);
      const at = Math.floor(left / size);
      if (right - start < (at + 1) * size) say(at, `s${left - at * size}-${right - start - at * size}${word}`);
    }
  }

  /** @returns {number[]} rows at which something begins or ends that shapes do not say */
  odd() {
    const { places, sharing, frozen, evaluating } = this;
    const rows = new Set([...evaluating.first, ...evaluating.end]);
    for (const entry of [...frozen.first, ...frozen.end]) {
      if (entry < places.root.shape.parameterEntries) rows.add(places.owner("parameter", entry).row);
    }
    if (!sharing.isEmpty) this.#lefts ??= this.#listPairs();
    for (const [at, { right }] of this.#pairs.entries()) rows.add(right).add(this.#lefts?.[at] ?? right);
    return [...rows].filter((row) => row < places.count);
  }

  #listPairs() {
    /** @type {{left: number, right: number, word: string}[]} */
    const pairs = [];
    for (const { everywhere } of this.sharing.modules) {
      for (const [at, right] of everywhere.slice(1).entries()) pairs.push({ left: everywhere[at] ?? 0, right, word: "" });
    }
    for (const { everywhere } of this.sharing.tensors) {
      for (const isBuffer of [false, true]) {
        const spots = everywhere.filter((spot) => spot.isBuffer === isBuffer);
        for (const [at, { row, name }] of spots.slice(1).entries()) {
          const before = /** @type {{row: number, name: string}} */ (spots[at]);
          pairs.push({ left: before.row, right: row, word: `${isBuffer ? "b" : "p"}${before.name}.${name}` });
        }
      }
    }
    pairs.sort((one, other) => one.left - other.left || one.right - other.right || (one.word < other.word ? -1 : 1));
    this.#pairs = pairs;
    return pairs.map(({ left }) => left);
  }
}
