// Runs over each other: where their losses stand, what is nearest to a place, where names go.

import { place } from "./scale.js";

/** @typedef {import("./scale.js").Scale} Scale */

/**
 * @typedef {object} Curve
 * @property {number[]} epoch
 * @property {number[]} seconds
 * @property {(number | null)[]} value null where it is not finite
 */

/**
 * @typedef {object} Area in which is drawn
 * @property {number} left
 * @property {number} right
 * @property {number} top
 * @property {number} bottom
 * @property {number} last the number at the right end
 * @property {Scale} scale
 */

/** @param {Curve} curve @param {string} x @returns {number[]} */
export const along = (curve, x) => (x === "time" ? curve.seconds : curve.epoch);

/** @param {Area} area @param {number} value */
export const toX = (area, value) => area.left + ((area.right - area.left) * value) / area.last;

/** @param {Area} area @param {number} loss */
export const toY = (area, loss) => area.bottom - (area.bottom - area.top) * Math.min(Math.max(place(area.scale, loss), 0), 1);

/**
 * @param {Scale} scale
 * @param {number | null | undefined} loss
 * @returns {loss is number} whether the axis can show it
 */
export const isShown = (scale, loss) => typeof loss === "number" && (!scale.isLog || loss > 0);

/**
 * @param {Area} area
 * @param {number[]} xs
 * @param {(number | null)[]} values
 * @returns {string} moves and lines through what can be shown; the rest are gaps
 */
export function pathOf(area, xs, values) {
  const steps = [];
  let isJoined = false;
  for (const [at, loss] of values.entries()) {
    const shown = isShown(area.scale, loss);
    if (shown) steps.push(`${isJoined ? "L" : "M"}${toX(area, xs[at] ?? 0).toFixed(1)} ${toY(area, loss).toFixed(1)}`);
    isJoined = shown;
  }
  return steps.join("");
}

/**
 * @param {number[]} xs in order
 * @param {number} x
 * @returns {number} the place of the nearest; -1 where there is none
 */
export function nearest(xs, x) {
  let [low, high] = [0, xs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return xs.length ? 0 : -1;
  if (low === xs.length) return low - 1;
  return x - (xs[low - 1] ?? 0) <= (xs[low] ?? 0) - x ? low - 1 : low;
}

/**
 * @param {Scale} scale
 * @param {(number | null)[]} values
 * @returns {number[]} the first place of every stretch that the axis cannot show
 */
export function gapsOf(scale, values) {
  const found = [];
  for (const [at, loss] of values.entries()) {
    if (!isShown(scale, loss) && (at === 0 || isShown(scale, values[at - 1]))) found.push(at);
  }
  return found;
}
