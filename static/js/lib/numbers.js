// Numbers as a page writes them: the same rules as app/pages/filters.py, held together by tests/js/numbers.json.

import { _ } from "./words.js";

const THIN = "\u2009";
const MINUS = "\u2212";
const DASH = "\u2013";

/** @param {string} text */
const minus = (text) => text.replace("-", MINUS);

// Made once: a row of a tree that scrolls asks for several, and to make one takes longer than all the rest of it.
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/**
 * @param {number} number
 * @returns {string} every digit, with commas
 */
export function exact(number) {
  return minus(WHOLE.format(number));
}

const COUNT_UNITS = ["", "k", "M", "B", "T"];
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/**
 * @param {number} number
 * @param {string[]} units
 * @returns {[string, string]}
 */
function scaled(number, units) {
  let [size, step] = [number, 0];
  for (; step < units.length - 1 && Number(Math.abs(size).toFixed(1)) >= 1000; step += 1) size /= 1000;
  const digits = size.toFixed(2);
  return [minus(digits.replace("-", "").length <= 4 ? digits : size.toFixed(1)), units[step] ?? ""];
}

/**
 * @param {number} number
 * @returns {[string, string]} `count` as its digits and its unit, which has a slot of its own in a row
 */
export function countParts(number) {
  if (number === 0) return [DASH, ""];
  return Math.abs(number) < 10_000 ? [exact(number), ""] : scaled(number, COUNT_UNITS);
}

/**
 * @param {number} number
 * @returns {string} `1,536`, and from 10,000 on three digits or one decimal with k, M, B, T; zero is a dash
 */
export function count(number) {
  return countParts(number).filter((part) => part).join(THIN);
}

/**
 * @param {number} number
 * @returns {string} bytes in powers of 1,000, the exact figure under 10,000
 */
export function numBytes(number) {
  return number < 10_000 ? `${exact(number)}${THIN}B` : scaled(number, BYTE_UNITS).join(THIN);
}

/**
 * @param {number} part
 * @param {number} whole
 * @returns {string} a share to one decimal, 100 % only if it is the whole; nothing for nothing
 */
export function percent(part, whole) {
  if (part === 0 || whole === 0) return "";
  if (part === whole) return `100${THIN}%`;
  const share = (100 * part) / whole;
  return share < 0.1 ? `<${THIN}0.1${THIN}%` : `${Math.min(share, 99.9).toFixed(1)}${THIN}%`;
}

/**
 * @param {number} number
 * @param {number} digits
 * @param {boolean} keepZeros
 * @returns {string} the number to so many significant digits, without the zeros that end it unless they are asked for
 */
export function significant(number, digits = 4, keepZeros = false) {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return number > 0 ? "inf" : `${MINUS}inf`;
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (size >= 1e6 || size < 1e-4) return scientific(number, digits, keepZeros);
  if (size >= 10 ** (digits - 1)) return exact(number);
  const decimals = digits - 1 - Math.floor(Math.log10(size));
  const text = number.toFixed(decimals);
  return minus(keepZeros || !text.includes(".") ? text : text.replace(/\.?0+$/, ""));
}

/** @param {number} number */
export const loss = (number) => significant(number, 4, true);

/**
 * @param {number} number
 * @param {number} digits
 * @param {boolean} keepZeros
 */
function scientific(number, digits, keepZeros = false) {
  const [mantissa = "", exponent = ""] = number.toExponential(digits - 1).split("e");
  const short = mantissa.includes(".") && !keepZeros ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return `${minus(short)}e${Number(exponent)}`;
}

/**
 * @param {number} number one element of a tensor
 * @returns {string} as torch prints it
 */
export function value(number) {
  if (!Number.isFinite(number)) return significant(number);
  const size = Math.abs(number);
  if (Number.isInteger(number) && size < 1e8) return minus(`${number.toFixed(0)}.`);
  if (size >= 1e-4 && size < 1e8) return minus(number.toFixed(4));
  return scientific(number, 4);
}

/**
 * @param {number} number a relative change
 * @returns {string} a signed percentage
 */
export function change(number) {
  if (!Number.isFinite(number)) return "";
  const size = 100 * Math.abs(number);
  const digits = size < 1000 ? size.toFixed(1) : exact(size);
  const sign = digits === "0.0" ? "" : number < 0 ? MINUS : "+";
  return `${sign}${digits}${THIN}%`;
}

/**
 * @param {number} duration in seconds
 * @returns {string} in the unit that suits it
 */
export function seconds(duration) {
  if (duration < 0.1) return `${significant(duration * 1000, 2)}${THIN}ms`;
  if (duration < 60) return `${significant(duration, 2)}${THIN}s`;
  const whole = Math.round(duration);
  const minutes = Math.floor((whole % 3600) / 60);
  if (whole < 3600) return _("%(minutes)s\u2009min %(seconds)s\u2009s", { minutes, seconds: whole % 60 });
  return _("%(hours)s\u2009h %(minutes)s\u2009min", { hours: Math.floor(whole / 3600), minutes });
}

/**
 * @param {number} number of a line
 * @returns {string} with three decimals while it is small
 */
export function ofLine(number) {
  if (!Number.isFinite(number)) return "";
  return Math.abs(number) < 1000 ? minus(number.toFixed(3)) : significant(number);
}
