// The values of a tensor beside its module: read after the structure is there, into the room that was kept for them.

import { ask } from "./ask.js";

const AGAIN_MS = 1000;

/** @type {AbortController | null} */
let reading = null;

/**
 * @param {string} url
 * @param {HTMLElement} room
 * @param {AbortSignal} signal
 */
async function read(url, room, signal) {
  const response = await ask(url, { signal });
  const found = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-glance-part]");
  if (signal.aborted) return;
  if (found) room.replaceChildren(document.adoptNode(found));
  if (response.status === 202) setTimeout(() => void begin(url, room, signal), AGAIN_MS);
  else room.removeAttribute("aria-busy");
}

/**
 * @param {string} url
 * @param {HTMLElement} room
 * @param {AbortSignal} signal
 */
async function begin(url, room, signal) {
  if (signal.aborted || !room.isConnected) return;
  try {
    await read(url, room, signal);
  } catch (error) {
    // Without the server there is nothing to see yet: the links to the pages stay.
    if (!(error instanceof TypeError) && !signal.aborted) throw error;
    room.removeAttribute("aria-busy");
  }
}

/** @param {Element} inspector whose glance is filled in; the one before is given up */
export function glance(inspector) {
  reading?.abort();
  reading = new AbortController();
  const section = inspector.querySelector("[data-glance]");
  const room = section?.querySelector("[data-glance-room]");
  const url = section?.getAttribute("data-glance");
  if (url && room instanceof HTMLElement) void begin(url, room, reading.signal);
}
