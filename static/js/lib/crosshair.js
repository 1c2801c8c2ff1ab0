// Where the arrow keys lead the crosshair of a chart.

/**
 * @param {string} key
 * @param {number | null} at where it is now; null for nowhere
 * @param {number} last the number at the right end, 0 at the left
 * @param {number} step
 * @returns {number | null | undefined} where it goes, null for nowhere; undefined where the key leads nowhere
 */
export function led(key, at, last, step) {
  switch (key) {
    case "ArrowLeft":
      return at === null ? last : Math.max(at - step, 0);
    case "ArrowRight":
      return at === null ? 0 : Math.min(at + step, last);
    case "Home":
      return 0;
    case "End":
      return last;
    case "Escape":
      return null;
    default:
      return undefined;
  }
}
