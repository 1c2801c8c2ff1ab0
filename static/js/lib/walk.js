// Which of a list's rows the keys of a keyboard lead to, from a field above it.

/** The place of the field. */
export const FIELD = -1;

/**
 * @param {string} key
 * @param {number} place of the row that has the focus, or FIELD
 * @param {number} count of the rows
 * @returns {number | null} the next place, null where the key means nothing here
 */
export function step(key, place, count) {
  if (count === 0) return null;
  if (place === FIELD) return key === "ArrowDown" ? 0 : null;
  switch (key) {
    case "ArrowDown":
      return Math.min(place + 1, count - 1);
    case "ArrowUp":
      return place - 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    case "Escape":
      return FIELD;
    default:
      return null;
  }
}
