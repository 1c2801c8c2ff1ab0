// How long to wait before a lost connection is tried again, and what is said meanwhile.

import { _ } from "./words.js";

const DELAYS_S = [1, 2, 4, 8, 15, 30];

/**
 * @param {number} tries how many have failed in a row
 * @returns {number} seconds
 */
export function delay(tries) {
  return DELAYS_S[Math.min(Math.max(tries - 1, 0), DELAYS_S.length - 1)] ?? 1;
}

/**
 * @param {number} seconds left
 * @param {boolean} isLive whether a run goes on meanwhile
 * @returns {string}
 */
export function offlineWords(seconds, isLive) {
  if (isLive) return _("Connection lost. Trying again in %(seconds)s\u2009s; the run goes on without this page.", { seconds });
  return _("Connection lost. Trying again in %(seconds)s\u2009s.", { seconds });
}
