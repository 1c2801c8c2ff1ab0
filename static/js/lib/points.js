// Numbers at epochs, by column; of very many old ones as many are kept as a picture needs.

import { keptPlaces } from "./thinning.js";

const MOST = 400_000;
const OLD_COLUMNS = 20_000;
const YOUNG = 2_000;

/** @typedef {{epoch: number[], value: (number | null)[]}} Curve as the server sends it: null is not finite */

export class Points {
  constructor() {
    this.epoch = new Float64Array(1024);
    this.value = new Float64Array(1024);
    this.count = 0;
  }

  /**
   * @param {Curve} curve
   * @returns {Points}
   */
  static of(curve) {
    const points = new Points();
    for (const [place, epoch] of curve.epoch.entries()) points.push(epoch, curve.value[place] ?? NaN);
    return points;
  }

  /** The epoch after the last. */
  get end() {
    return this.count ? (this.epoch[this.count - 1] ?? -1) + 1 : 0;
  }

  /** The last number, NaN where it is not finite or there is none. */
  get latest() {
    return this.value[this.count - 1] ?? NaN;
  }

  /**
   * @param {number} epoch after all before
   * @param {number} value NaN where it is not finite
   */
  push(epoch, value) {
    if (this.count === MOST) this.#thin();
    if (this.count === this.epoch.length) this.#grow();
    this.epoch[this.count] = epoch;
    this.value[this.count] = value;
    this.count += 1;
  }

  /**
   * @param {number} epoch
   * @returns {number} the first place at or after the epoch
   */
  from(epoch) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.epoch[middle] ?? 0) < epoch) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * @param {number} epoch
   * @returns {number | null | undefined} null where it is not finite, undefined where it is not known
   */
  at(epoch) {
    const place = this.from(epoch);
    if (place === this.count || this.epoch[place] !== epoch) return undefined;
    const value = this.value[place] ?? NaN;
    return Number.isFinite(value) ? value : null;
  }

  /**
   * @param {number} columns
   * @returns {Curve} what a picture of so many pixels shows
   */
  thinned(columns) {
    const places = keptPlaces(this.value, this.count, columns);
    return { epoch: places.map((place) => this.epoch[place] ?? 0), value: places.map((place) => finite(this.value[place])) };
  }

  /** @returns {Generator<number>} the finite ones */
  *finite() {
    for (let place = 0; place < this.count; place += 1) {
      const value = this.value[place] ?? NaN;
      if (Number.isFinite(value)) yield value;
    }
  }

  #grow() {
    for (const name of /** @type {const} */ (["epoch", "value"])) {
      const wider = new Float64Array(2 * this[name].length);
      wider.set(this[name]);
      this[name] = wider;
    }
  }

  #thin() {
    const old = keptPlaces(this.value, this.count - YOUNG, OLD_COLUMNS);
    const places = [...old, ...Array.from({ length: YOUNG }, (_, place) => this.count - YOUNG + place)];
    for (const [at, place] of places.entries()) {
      this.epoch[at] = this.epoch[place] ?? 0;
      this.value[at] = this.value[place] ?? NaN;
    }
    this.count = places.length;
  }
}

/** @param {number | undefined} value */
const finite = (value) => (value !== undefined && Number.isFinite(value) ? value : null);
