// Where a line y = slope x + intercept lies in a drawing whose ranges the server wrote down.

/**
 * @param {string} text "low high pixel-of-low pixel-of-high"
 * @returns {{low: number, high: number, from: number, to: number}}
 */
export function range(text) {
  const [low = 0, high = 1, from = 0, to = 1] = text.split(" ").map(Number);
  return { low, high, from, to };
}

/**
 * @param {{low: number, high: number, from: number, to: number}} axis
 * @param {number} value
 * @returns {number} its pixel
 */
export function pixel(axis, value) {
  return axis.from + ((value - axis.low) / (axis.high - axis.low)) * (axis.to - axis.from);
}

/**
 * @param {{low: number, high: number}} axis
 * @param {number} value
 * @returns {boolean} whether the value lies on the axis
 */
export function inside(axis, value) {
  return value >= axis.low && value <= axis.high;
}

/**
 * @param {{low: number, high: number, from: number, to: number}} x
 * @param {{low: number, high: number, from: number, to: number}} y
 * @param {number} slope
 * @param {number} intercept
 * @returns {{x1: string, y1: string, x2: string, y2: string}} from one side of the drawing to the other
 */
export function ends(x, y, slope, intercept) {
  /** @param {number} at */
  const high = (at) => Math.min(Math.max(pixel(y, slope * at + intercept), -1e5), 1e5).toFixed(1);
  return { x1: x.from.toFixed(1), y1: high(x.low), x2: x.to.toFixed(1), y2: high(x.high) };
}
