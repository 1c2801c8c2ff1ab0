// What a page asks its server for. The browser logs every refusal as an error of the page, so that none comes as one: the
// status of a refusal is in a header. What is never refused, or is preloaded, is fetched from the API as it is.

export const ASKS = { "X-Requested-With": "page" };
export const FOR_SCRIPTS = "/for-scripts";

/**
 * Asks an address of a page, as `fetch` does; `status` and `ok` of the answer are what the server meant.
 * @param {string | URL} address not of the API, whose refusals are refusals
 * @param {RequestInit & {headers?: Record<string, string>}} [how] for HTML unless it says so
 * @returns {Promise<Response>}
 */
export async function ask(address, how = {}) {
  const headers = { Accept: "text/html", ...how.headers, ...ASKS };
  const answer = await fetch(address, { ...how, headers });
  const status = Number(answer.headers.get("X-Status")) || answer.status;
  return Object.defineProperties(answer, { status: { value: status }, ok: { value: status >= 200 && status < 300 } });
}

/**
 * Asks for the JSON that the API has at a path, in the words of the page's reader where it is refused.
 * @param {string} path as the API has it, without `/api`
 * @param {RequestInit} [how]
 */
export function askJson(path, how = {}) {
  const type = how.body === undefined ? null : { "Content-Type": "application/json" };
  return ask(FOR_SCRIPTS + path, { ...how, headers: { Accept: "application/json", ...type } });
}
