// How long to wait before a lost connection is tried again.

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
 * @returns {string}
 */
export function offlineWords(seconds) {
  return `Connection lost. Trying again in ${seconds}\u2009s; the run goes on without this page.`;
}
