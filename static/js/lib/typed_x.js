// What is typed as x: one number, or the numbers of one point.

/**
 * @param {string} text
 * @returns {number[] | null} null where something of it is no number
 */
export function pointOf(text) {
  const plain = text.trim().replace(/^\[([^[\]]*)\]$/, "$1");
  if (!plain.trim()) return null;
  const numbers = plain.split(",").map((part) => (part.trim() ? Number(part) : NaN));
  return numbers.every(Number.isFinite) ? numbers : null;
}
