// Axes: which scale a loss takes, and where its ticks stand; app/pages/scales.py says the same.

const LOG_FROM = 20;
const MOST_DECADES = 7;

/**
 * @typedef {object} Scale
 * @property {number} low
 * @property {number} high
 * @property {boolean} isLog
 * @property {number[]} ticks
 * @property {number[]} minor
 */

/**
 * @param {Iterable<number | null>} values
 * @returns {{low: number, high: number, positive: number, count: number}} of the finite ones; `positive` is the least over 0
 */
export function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  let positive = Infinity;
  let count = 0;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    count += 1;
    if (value < low) low = value;
    if (value > high) high = value;
    if (value > 0 && value < positive) positive = value;
  }
  return { low, high, positive, count };
}

/**
 * @param {{low: number, high: number, count: number}} range
 * @returns {boolean} whether the values are shown on a log axis: all positive, the largest over 20 times the smallest
 */
export function takesLog({ low, high, count }) {
  return count > 0 && low > 0 && high / low > LOG_FROM;
}

/**
 * @param {{low: number, high: number, positive: number, count: number}} range
 * @param {boolean} isLog
 * @returns {Scale}
 */
export function scaleOf(range, isLog) {
  if (range.count === 0) return { low: 0, high: 1, isLog: false, ticks: [0, 0.5, 1], minor: [] };
  if (isLog && Number.isFinite(range.positive)) return decades(range.positive, Math.max(range.high, range.positive));
  return linear(Math.min(0, range.low), range.high);
}

/**
 * @param {Scale} scale
 * @param {number} value
 * @returns {number} where the value lies between the low end, 0, and the high end, 1
 */
export function place(scale, value) {
  if (!scale.isLog) return (value - scale.low) / (scale.high - scale.low);
  return (Math.log10(value) - Math.log10(scale.low)) / (Math.log10(scale.high) - Math.log10(scale.low));
}

/**
 * @param {number} low
 * @param {number} high
 * @returns {Scale}
 */
function decades(low, high) {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.max(Math.ceil(Math.log10(high) - 1e-9), first + 1);
  const step = Math.ceil((last - first) / MOST_DECADES);
  const ticks = [];
  for (let power = first; power <= last; power += step) ticks.push(10 ** power);
  const minor = [];
  if (step === 1) {
    for (let power = first; power < last; power += 1) {
      for (let digit = 2; digit < 10; digit += 1) minor.push(digit * 10 ** power);
    }
  }
  return { low: 10 ** first, high: 10 ** last, isLog: true, ticks, minor };
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} about how many ticks
 * @returns {Scale}
 */
export function linear(low, high, about = 5) {
  const top = high > low ? high : low + (Math.abs(low) || 1);
  const step = tickStep(top - low, about);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(top / step - 1e-9);
  const ticks = [];
  for (let number = first; number <= last; number += 1) ticks.push(number * step);
  return { low: first * step, high: last * step, isLog: false, ticks, minor: [] };
}

/**
 * @param {number} span
 * @param {number} about
 * @returns {number} the step of 1, 2 or 5 times a power of ten that cuts the span into at most so many
 */
export function tickStep(span, about) {
  const raw = span / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const digit = [1, 2, 5].find((each) => each * power >= raw * (1 - 1e-9));
  return (digit ?? 10) * power;
}

/**
 * @param {number} epochs
 * @returns {number[]} the epochs with a tick: whole steps and the last
 */
export function epochTicks(epochs) {
  const last = Math.max(epochs, 2) - 1;
  const step = Math.max(1, Math.round(tickStep(last, 5)));
  const ticks = [];
  for (let epoch = 0; epoch < last; epoch += step) {
    if (last - epoch >= 0.6 * step) ticks.push(epoch);
  }
  ticks.push(last);
  return ticks;
}
