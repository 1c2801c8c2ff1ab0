// How large a pane becomes, by keys and within what the window leaves.

const STEP = 16;
const LEAP = 64;

/**
 * @typedef {object} Range
 * @property {number} low
 * @property {number} high
 */

/**
 * @param {number} size
 * @param {Range} range where there is no room for the least, the least holds
 * @returns {number} whole pixels within the range
 */
export function within(size, { low, high }) {
  return Math.round(Math.max(low, Math.min(size, high)));
}

/**
 * @param {string} key
 * @param {boolean} isFar whether Shift is held
 * @param {number} size as it is
 * @param {Range} range
 * @param {{less: string, more: string}} arrows
 * @returns {number | null} the size that the key asks for, null where it asks for none
 */
export function resized(key, isFar, size, range, { less, more }) {
  const step = isFar ? LEAP : STEP;
  if (key === less) return within(size - step, range);
  if (key === more) return within(size + step, range);
  if (key === "Home") return range.low;
  if (key === "End") return within(range.high, range);
  return null;
}
