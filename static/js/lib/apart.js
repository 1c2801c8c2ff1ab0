// Where words stand that would else lie over one another.

/**
 * @param {number} wanted
 * @param {number[]} taken
 * @param {number} apart the least distance of two
 * @param {[number, number]} range that it may stand in
 * @returns {number} the free place that is nearest to what is wanted; that itself where nothing is free
 */
export function apart(wanted, taken, apart, [low, high]) {
  const isFree = (/** @type {number} */ place) => place >= low && place <= high && taken.every((each) => Math.abs(each - place) >= apart);
  const places = [wanted, low, high, ...taken.flatMap((each) => [each - apart, each + apart])].filter(isFree);
  if (!places.length) return wanted;
  return places.reduce((best, place) => (Math.abs(place - wanted) < Math.abs(best - wanted) ? place : best));
}
