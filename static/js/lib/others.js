// Which other runs are drawn over one, what they are called, and where a loss cannot be drawn.

/**
 * @typedef {object} Other
 * @property {string} id
 * @property {string} name
 * @property {(number | null)[]} losses
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
 * @param {(number | null)[]} losses
 * @param {boolean} isFailed
 * @returns {boolean} whether the run ended above its start
 */
export function isGrowing(losses, isFailed) {
  const [first, last] = [losses[0], losses.at(-1)];
  return isFailed || (typeof first === "number" && typeof last === "number" && last > first);
}

/**
 * @param {(number | null)[]} losses null where one is not finite
 * @param {Map<number, string>} kinds of those: nan, inf, -inf
 * @param {boolean} isLog
 * @param {number} most
 * @returns {{epoch: number, kind: string}[]} the first of every stretch that cannot be drawn
 */
export function gaps(losses, kinds, isLog, most) {
  const found = [];
  let before = "";
  for (let epoch = 0; epoch < losses.length && found.length < most; epoch += 1) {
    const loss = losses[epoch] ?? null;
    const kind = loss === null ? (kinds.get(epoch) ?? "nan").replace("-", "\u2212") : isLog && loss <= 0 ? "≤ 0" : "";
    if (kind && kind !== before) found.push({ epoch, kind });
    before = kind;
  }
  return found;
}
