// The sheet of the selected module on a phone: how high it stands, and where it goes when it is let go.

/** @typedef {"peek" | "half" | "full"} Stand */

/** @type {Stand[]} */
export const STANDS = ["peek", "half", "full"];

const PEEK = 96;
/** What is left of the tree over the highest sheet: the way to the selected row, that row, and one beside it. */
const LEFT = 112;

/**
 * @param {Stand} stand
 * @param {number} room pixels that the tree and the sheet share
 * @returns {number} its height in whole pixels
 */
export function heightOf(stand, room) {
  const full = Math.max(PEEK, room - LEFT);
  if (stand === "peek") return PEEK;
  return Math.round(stand === "half" ? Math.min(Math.max(PEEK, room / 2), full) : full);
}

/**
 * @param {number} height where it was let go
 * @param {number} speed pixels a millisecond, upwards over 0
 * @param {number} room
 * @returns {Stand} the nearest, a throw ahead of the finger
 */
export function landing(height, speed, room) {
  const aim = height + 160 * speed;
  const distance = (/** @type {Stand} */ stand) => Math.abs(heightOf(stand, room) - aim);
  return STANDS.reduce((best, stand) => (distance(stand) < distance(best) ? stand : best));
}

/**
 * @param {string} key
 * @param {Stand} stand
 * @returns {Stand | null} where a key leads, null where it means nothing
 */
export function moved(key, stand) {
  const place = STANDS.indexOf(stand);
  if (key === "ArrowUp") return STANDS[Math.min(place + 1, 2)] ?? null;
  if (key === "ArrowDown") return STANDS[Math.max(place - 1, 0)] ?? null;
  if (key === "Home" || key === "Escape") return "peek";
  if (key === "End") return "full";
  return null;
}

/**
 * @param {Stand} stand
 * @returns {Stand} where a press leads: higher, and from the top down again
 */
export function next(stand) {
  return STANDS[(STANDS.indexOf(stand) + 1) % STANDS.length] ?? "peek";
}
