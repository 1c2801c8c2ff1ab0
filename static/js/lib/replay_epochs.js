// The epochs at which a run has statistics, as places of a slider.

/**
 * @param {{first: number | null, last: number | null, every: number}} epochs
 * @param {number} wanted
 * @returns {number} the epoch with statistics at or nearest before the one wanted
 */
export function nearest({ first, last, every }, wanted) {
  if (first === null || last === null) return 0;
  const inside = Math.min(Math.max(wanted, first), last);
  return first + Math.floor((inside - first) / Math.max(every, 1)) * Math.max(every, 1);
}
