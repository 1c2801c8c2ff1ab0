// What stands below an open row of the tree, in parts that are alike: tensors, like siblings, folds and single modules.

import { numUpTo } from "./spans.js";

/**
 * A part of the rows below a place. `start` and `before` are how many rows and items of the list come before it;
 * `offset` is the row of its first module, counted from the place. `each` is the height of one of its modules.
 * @typedef {{kind: "tensors" | "plain" | "node" | "fold", start: number, before: number, height: number, offset: number,
 *   count: number, shape: number, each: number, inner: Parts | null}} Part
 */

/** Parts of one list, in order. @typedef {{parts: Part[], height: number, items: number}} Parts */

export const LEAST_FOLDED = 3;

/** @returns {Parts} */
export const noParts = () => ({ parts: [], height: 0, items: 0 });

/**
 * @param {Parts} list
 * @param {Pick<Part, "kind" | "height" | "offset" | "count"> & Partial<Part>} part
 */
export function append(list, part) {
  list.parts.push({ shape: 0, each: 1, inner: null, ...part, start: list.height, before: list.items });
  list.height += part.height;
  list.items += part.kind === "tensors" || part.kind === "plain" ? part.count : 1;
}

/**
 * @param {Part[]} parts
 * @param {"start" | "offset"} key
 * @param {number} value
 * @returns {Part | undefined} the last that does not begin after the value
 */
export function partAt(parts, key, value) {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Part} */ (parts[middle])[key] <= value) low = middle + 1;
    else high = middle;
  }
  return parts[low - 1];
}

/** Like siblings that follow each other: `offset` counts rows from the place that they are in. @typedef {{offset: number, count: number, shape: number, size: number, each: number}} Siblings */

/**
 * Adds siblings, those that have a node of their own one by one.
 * @param {Parts} list
 * @param {Siblings} siblings
 * @param {number[]} apart offsets of modules with a node, ascending
 * @param {(offset: number) => number} heightOf such a module
 */
export function appendSiblings(list, { offset, count, shape, size, each }, apart, heightOf) {
  const end = offset + count * size;
  let from = offset;
  /** @param {number} to */
  const plain = (to) => {
    const number = (to - from) / size;
    if (number > 0) append(list, { kind: "plain", height: number * each, offset: from, count: number, shape, each });
  };
  for (let at = numUpTo(apart, offset - 1); at < apart.length; at += 1) {
    const one = /** @type {number} */ (apart[at]);
    if (one >= end) break;
    plain(one);
    append(list, { kind: "node", height: heightOf(one), offset: one, count: 1, shape });
    from = one + size;
  }
  plain(end);
}

/**
 * Adds like siblings, folded but for those that were taken out; fewer than three are not folded.
 * @param {Parts} list
 * @param {Siblings} siblings
 * @param {{out: number[], apart: number[], isOpen: (offset: number) => boolean, heightOf: (offset: number) => number}} state
 *   `out` are the offsets of modules that were taken out, ascending
 */
export function appendFolded(list, siblings, { out, apart, isOpen, heightOf }) {
  const { offset, count, size, shape } = siblings;
  const end = offset + count * size;
  let from = offset;
  /** @param {number} to */
  const segment = (to) => {
    const some = { ...siblings, offset: from, count: (to - from) / size };
    if (some.count < LEAST_FOLDED) appendSiblings(list, some, apart, heightOf);
    else if (isOpen(from)) {
      const inner = noParts();
      appendSiblings(inner, some, apart, heightOf);
      append(list, { kind: "fold", height: 1 + inner.height, offset: from, count: some.count, shape, inner });
    } else append(list, { kind: "fold", height: 1, offset: from, count: some.count, shape });
  };
  for (let at = numUpTo(out, offset - 1); at < out.length; at += 1) {
    const one = /** @type {number} */ (out[at]);
    if (one >= end) break;
    segment(one);
    appendSiblings(list, { ...siblings, offset: one, count: 1 }, apart, heightOf);
    from = one + size;
  }
  segment(end);
}
