// While the server is away the page says so, counts down, tries again and mends itself.
//
// Who cannot reach the server calls `lost`; "back" on the document says that it answers again. A page that asks nothing
// looks now and then by itself.

import { iconElement } from "./dialog.js";
import { delay, offlineWords } from "./lib/retry.js";
import { _ } from "./lib/words.js";

const LOOK_MS = 15_000;
const PATIENCE_MS = 8_000;

/** @typedef {() => Promise<boolean>} Probe whether what it asks is there again; one that throws says no */

/** @type {Map<string, {probe: Probe, isLive: boolean, back: Promise<void>, tell: () => void}>} */
const waiting = new Map();
let tries = 0;
let left = 0;
let timer = 0;

/** Made at once: later its icon could not be fetched. */
const notice = makeNotice();

/**
 * Tries until the probe says yes; the page says meanwhile that it is cut off.
 * @param {string} name of what is waited for; asked for twice, it is waited for once
 * @param {Probe} probe
 * @param {{isLive?: boolean}} options `isLive` where a run goes on without the page
 * @returns {Promise<void>} once it is there again
 */
export function lost(name, probe, { isLive = false } = {}) {
  const known = waiting.get(name);
  if (known) return known.back;
  let tell = () => {};
  const back = new Promise((/** @type {(value: void) => void} */ resolve) => {
    tell = resolve;
  });
  waiting.set(name, { probe, isLive, back, tell });
  if (waiting.size === 1) void attempt();
  return back;
}

/** @returns {Promise<boolean>} */
async function isThere() {
  // A server that is away answers nothing at all, and one that is there never refuses this.
  const response = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  return response.ok;
}

async function attempt() {
  clearTimeout(timer);
  const all = [...waiting];
  const answers = await Promise.all(all.map(([, { probe }]) => probe().catch(() => false)));
  for (const [place, [name, { tell }]] of all.entries()) {
    if (!answers[place]) continue;
    waiting.delete(name);
    tell();
  }
  if (waiting.size) {
    tries += 1;
    left = delay(tries);
    count();
  } else mended();
}

function count() {
  say();
  if (left <= 0) void attempt();
  else timer = window.setTimeout(count, 1000);
  left -= 1;
}

function say() {
  notice.box.hidden = false;
  const isLive = [...waiting.values()].some((each) => each.isLive) || document.querySelector("[data-run][data-active]") !== null;
  notice.words.textContent = offlineWords(Math.max(left, 0), isLive);
  if (!notice.said.textContent) notice.said.textContent = _("Connection lost. Trying again.");
}

function makeNotice() {
  const box = document.createElement("div");
  box.className = "away";
  box.hidden = true;
  box.dataset.away = "";
  const words = document.createElement("span");
  words.className = "num";
  words.setAttribute("aria-hidden", "true");
  const said = document.createElement("span");
  said.className = "hidden-text";
  said.setAttribute("role", "status");
  const now = document.createElement("button");
  now.type = "button";
  now.className = "btn btn-small";
  now.textContent = _("Try now");
  now.addEventListener("click", () => void attempt());
  box.append(iconElement("wifi-off"), words, said, now);
  document.body.append(box);
  return { box, words, said };
}

function mended() {
  const wasSaid = !notice.box.hidden;
  notice.box.hidden = true;
  notice.said.textContent = "";
  tries = 0;
  if (!wasSaid) return;
  document.dispatchEvent(new CustomEvent("back"));
}

async function look() {
  if (document.hidden || waiting.size) return;
  const answers = await isThere().catch(() => false);
  if (!answers) void lost("server", isThere);
}

addEventListener("offline", () => void lost("server", isThere));
addEventListener("online", () => void (waiting.size && attempt()));
document.addEventListener("visibilitychange", () => void look());
setInterval(() => void look(), LOOK_MS);
