// Which other runs are drawn over one, what they are called, and where a loss cannot be drawn.

/**
 * @typedef {object} Other
 * @property {string} id
 * @property {string} name
 * @property {import("./points.js").Points} losses
 * @property {boolean} isGrowing
 */

/** What `runs` in the address says when none is wanted. */
export const NONE = "none";

/**
 * @param {string[]} ids that are drawn
 * @param {string} id
 * @returns {string[]} with it, or without it where it was among them
 */
export function toggled(ids, id) {
  return ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id];
}

/**
 * @param {ArrayLike<number | null>} losses
 * @param {boolean} isFailed
 * @returns {boolean} whether the run ended above its start
 */
export function isGrowing(losses, isFailed) {
  const [first, last] = [losses[0], losses[losses.length - 1]];
  return isFailed || (typeof first === "number" && typeof last === "number" && last > first);
}

/**
 * @param {import("./run_log.js").RunLog} log
 * @param {boolean} isLog
 * @param {number} most
 * @returns {{epoch: number, kind: string}[]} the first of every stretch that cannot be drawn
 */
export function gaps(log, isLog, most) {
  /** @type {{epoch: number, kind: string}[]} */
  const found = [];
  const { losses } = log;
  let before = "";
  for (let place = 0; place < losses.count && found.length < most; place += 1) {
    const [epoch, loss] = [losses.epoch[place] ?? 0, losses.value[place] ?? NaN];
    const kind = Number.isFinite(loss) ? (isLog && loss <= 0 ? "≤ 0" : "") : (log.kindAt(epoch) || "nan").replace("-", "\u2212");
    if (kind && kind !== before) found.push({ epoch, kind });
    before = kind;
  }
  return found;
}
