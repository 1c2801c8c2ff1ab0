// The FLOPs of the map: those of a trace, asked for once a revision.

import { askJson } from "./ask.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/amounts.js").Trace} Trace */
/** A trace, or what is needed for one. @typedef {{trace: Trace | null, problem: string}} Traced */

/** @type {Map<string, Promise<Traced>>} */
const asked = new Map();

/**
 * @param {string} address
 * @param {number} revision of the tree
 * @returns {Promise<Traced>}
 */
export function traced(address, revision) {
  const key = `${revision} ${address}`;
  const known = asked.get(key) ?? fetched(address);
  asked.set(key, known);
  void known.then(({ trace }) => trace ?? asked.delete(key));
  return known;
}

/**
 * @param {string} address
 * @returns {Promise<Traced>}
 */
async function fetched(address) {
  try {
    const response = await askJson(address);
    const answer = await response.json();
    if (response.status === 422) return { trace: null, problem: _("FLOPs need a trace, and nothing says what the forward takes.") };
    if (!response.ok) return { trace: null, problem: String(answer.detail ?? "") };
    if (!answer.total_flops && answer.stopped) return { trace: null, problem: _("FLOPs need a trace, and the forward stopped.") };
    return { trace: answer, problem: "" };
  } catch {
    return { trace: null, problem: _("The server does not answer.") };
  }
}
