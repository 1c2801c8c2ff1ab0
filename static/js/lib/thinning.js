// Which of many numbers a picture needs; app/training/thinning.py says the same.

/**
 * @param {ArrayLike<number>} values NaN or infinite where there is a gap
 * @param {number} count how many of them there are
 * @param {number} columns how many pixels wide the picture is
 * @returns {number[]} the places to draw: of each pixel the lowest, the highest, the lowest over zero, the first that is
 *   not, and the ends of what is not finite; all of them where they are few
 */
export function keptPlaces(values, count, columns) {
  if (count <= 2 * columns) return Array.from({ length: count }, (_, place) => place);
  const size = Math.ceil(count / columns);
  const kept = [0];
  for (let start = 0; start < count; start += size) {
    for (const place of seen(values, start, Math.min(start + size, count))) {
      if (place > (kept.at(-1) ?? 0)) kept.push(place);
    }
  }
  if (kept.at(-1) !== count - 1) kept.push(count - 1);
  return kept;
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} start
 * @param {number} end
 * @returns {number[]} in order; a place may come twice
 */
function seen(values, start, end) {
  let [low, high, over, under, first, last] = [-1, -1, -1, -1, -1, -1];
  for (let place = start; place < end; place += 1) {
    const value = values[place] ?? NaN;
    if (!Number.isFinite(value)) {
      if (first < 0) first = place;
      last = place;
      continue;
    }
    if (low < 0 || value < (values[low] ?? NaN)) low = place;
    if (high < 0 || value > (values[high] ?? NaN)) high = place;
    if (value <= 0) {
      if (under < 0) under = place;
    } else if (over < 0 || value < (values[over] ?? NaN)) over = place;
  }
  return [low, high, over, under, first, last].filter((place) => place >= 0).sort((one, other) => one - other);
}
