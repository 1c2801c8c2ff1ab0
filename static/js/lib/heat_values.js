// A statistic of modules as values of rows: a module's own where it has parameters, else that of all it holds.

/**
 * @typedef {object} Stats as GET /api/runs/{id}/modules answers
 * @property {number | null} epoch
 * @property {{first: number | null, last: number | null, every: number, count: number}} epochs
 * @property {Record<string, [number, number]>} ranges
 * @property {number[]} rows
 * @property {(number | null)[]} parameter_norm
 * @property {(number | null)[]} gradient_norm
 * @property {(number | null)[]} update_ratio
 * @property {boolean[]} has_gradient
 * @property {Record<string, number[]>} [nonfinite]
 */

/** @typedef {"gradient_norm" | "parameter_norm" | "update_ratio"} Key */

/** @type {Key[]} */
export const KEYS = ["gradient_norm", "parameter_norm", "update_ratio"];

/**
 * @param {string | null} word
 * @returns {Key | null} the statistic of that name
 */
export const keyOf = (word) => KEYS.find((key) => key === word) ?? null;

/**
 * @param {Stats} stats
 * @param {Key} key
 * @returns {(number | null)[]} by module; null where no gradient arrived, which is never zero, and Infinity for what was
 *   not finite
 */
function column(stats, key) {
  const bad = new Set(stats.nonfinite?.[key] ?? []);
  return stats[key].map((value, place) => {
    if (bad.has(place)) return Infinity;
    return key !== "parameter_norm" && !stats.has_gradient[place] ? null : value;
  });
}

/** What is known of a module and all in it, as squares. */
class Sum {
  top = 0;
  below = 0;
  isKnown = false;

  /**
   * @param {number | null} norm
   * @param {number | null} weight what a ratio is of; 1 for a norm
   */
  add(norm, weight = 1) {
    if (norm === null || weight === null) return;
    this.isKnown = true;
    this.top += (norm * weight) ** 2;
    this.below += weight ** 2;
  }
}

/**
 * Norms join as the root of the sum of their squares, ratios as the norm of all steps over that of all parameters.
 * @param {Stats} stats
 * @param {Key} key
 * @param {(row: number) => number} parent of a row, -1 above the root
 * @returns {Map<number, number | null>} by row
 */
export function valuesOf(stats, key, parent) {
  const isRatio = key === "update_ratio";
  const own = column(stats, key);
  /** @type {Map<number, number | null>} */
  const values = new Map();
  for (const [place, row] of stats.rows.entries()) if (row >= 0) values.set(row, own[place] ?? null);
  /** @type {Map<number, Sum>} */
  const holders = new Map();
  for (const row of values.keys()) {
    for (let above = parent(row); above >= 0 && !values.has(above) && !holders.has(above); above = parent(above)) {
      holders.set(above, new Sum());
    }
  }
  if (!holders.size) return values;
  for (const [place, row] of stats.rows.entries()) {
    const weight = isRatio ? (stats.parameter_norm[place] ?? null) : 1;
    // Above a module with parameters of its own another one may stand that has none.
    for (let above = row < 0 ? -1 : parent(row); above >= 0; above = parent(above)) holders.get(above)?.add(own[place] ?? null, weight);
  }
  for (const [row, { isKnown, top, below }] of holders) {
    values.set(row, isKnown ? Math.sqrt(isRatio ? top / (below || 1) : top) : null);
  }
  return values;
}
