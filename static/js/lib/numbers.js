// Numbers as a page writes them: the same rules as app/pages/filters.py, held together by tests/js/numbers.json.

const THIN = "\u2009";
const MINUS = "\u2212";

/** @param {string} text */
const minus = (text) => text.replace("-", MINUS);

/**
 * @param {number} number
 * @returns {string} every digit, with commas
 */
export function exact(number) {
  return minus(number.toLocaleString("en-US", { maximumFractionDigits: 0 }));
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/**
 * @param {number} number
 * @returns {string} bytes in powers of 1,000, the exact figure under 10,000
 */
export function numBytes(number) {
  if (number < 10_000) return `${exact(number)}${THIN}B`;
  let [size, step] = [number, 0];
  for (; step < BYTE_UNITS.length - 1 && Number(size.toFixed(1)) >= 1000; step += 1) size /= 1000;
  const digits = size.toFixed(2);
  return `${digits.length <= 4 ? digits : size.toFixed(1)}${THIN}${BYTE_UNITS[step]}`;
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
  if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${whole % 60}${THIN}s`;
  return `${Math.floor(whole / 3600)}${THIN}h ${Math.floor((whole % 3600) / 60)}${THIN}min`;
}

/**
 * @param {number} number of a line
 * @returns {string} with three decimals while it is small
 */
export function ofLine(number) {
  if (!Number.isFinite(number)) return "";
  return Math.abs(number) < 1000 ? minus(number.toFixed(3)) : significant(number);
}
