// Ranges of places, as `[first, count]` in ascending order, none of which touch.

/** @typedef {[number, number]} Span */

/**
 * @param {ArrayLike<number>} sorted
 * @param {number} value
 * @returns {number} how many of the sorted numbers are at most the value
 */
export function numUpTo(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (sorted[middle]) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Spans {
  /** @param {Span[]} spans */
  constructor(spans = []) {
    this.first = spans.map(([first]) => first);
    this.end = spans.map(([first, count]) => first + count);
    /** How many places lie in the spans before each. */
    this.before = [0];
    for (const [, count] of spans) this.before.push(/** @type {number} */ (this.before.at(-1)) + count);
  }

  /** @returns {number} of places in all spans */
  get count() {
    return /** @type {number} */ (this.before.at(-1));
  }

  /** @param {number} place */
  has(place) {
    const at = numUpTo(this.first, place) - 1;
    return at >= 0 && place < /** @type {number} */ (this.end[at]);
  }

  /**
   * @param {number} place
   * @returns {number} of places in the spans that lie before it
   */
  numBefore(place) {
    const at = numUpTo(this.first, place - 1) - 1;
    if (at < 0) return 0;
    const inside = Math.min(place, /** @type {number} */ (this.end[at])) - /** @type {number} */ (this.first[at]);
    return /** @type {number} */ (this.before[at]) + inside;
  }

  /**
   * @param {number} start
   * @param {number} end
   * @returns {Span[]} what of the spans lies from start to end, counted from start
   */
  within(start, end) {
    /** @type {Span[]} */
    const found = [];
    for (let at = numUpTo(this.end, start); at < this.first.length; at += 1) {
      const first = Math.max(/** @type {number} */ (this.first[at]), start);
      if (first >= end) break;
      found.push([first - start, Math.min(/** @type {number} */ (this.end[at]), end) - first]);
    }
    return found;
  }
}
