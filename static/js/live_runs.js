// The active runs of a list, kept as they are now: one stream for all of them; the list is fetched again when one ends.
// A page whose own run is followed has its stream already: the others then stand still.

import { askJson } from "./ask.js";
import { lost } from "./away.js";
import { exact, loss as lossText } from "./lib/numbers.js";
import { refresh } from "./swap.js";

const ACTIVE = new Set(["queued", "running", "paused"]);
const MOST = 8;

/** @type {EventSource | null} */
let source = null;

function active() {
  return [...document.querySelectorAll("[data-live-run]")].filter((each) => ACTIVE.has(each.getAttribute("data-live-status") ?? ""));
}

/**
 * @param {string} run
 * @param {number} epoch
 * @param {(number | null)[]} losses of the epochs up to that one; null where one is not finite
 */
function show(run, epoch, losses) {
  const row = document.querySelector(`[data-live-run="${CSS.escape(run)}"]`);
  const total = row?.getAttribute("data-live-epochs");
  const [words, progress] = [row?.querySelector("[data-live-loss]"), row?.querySelector("[data-live-progress]")];
  const loss = losses.at(-1);
  if (words && typeof loss === "number") words.textContent = lossText(loss);
  const best = row?.querySelector("[data-live-best]");
  if (best instanceof HTMLElement) lower(best, losses);
  if (progress && total) progress.textContent = `${exact(epoch + 1)} / ${exact(Number(total))}`;
}

/**
 * @param {HTMLElement} best the lowest loss so far
 * @param {(number | null)[]} losses
 */
function lower(best, losses) {
  const known = best.dataset.liveBest || Infinity;
  const least = losses.reduce((/** @type {number} */ low, loss) => Math.min(low, loss ?? low), Number(known));
  if (least >= Number(known)) return;
  best.dataset.liveBest = String(least);
  best.textContent = lossText(least);
}

function open() {
  const runs = active().slice(0, MOST);
  if (source || !runs.length || document.hidden || document.querySelector("[data-run][data-active]")) return;
  const query = runs.map((each) => `run=${encodeURIComponent(each.getAttribute("data-live-run") ?? "")}`).join("&");
  source = new EventSource(`/api/events?${query}&batch=200&after=latest`);
  source.addEventListener("epochs", (event) => {
    const { run, epoch, loss } = JSON.parse(event.data);
    show(run, epoch[1], loss);
  });
  source.addEventListener("end", () => void again());
  source.onerror = () => void broke(runs[0]?.getAttribute("data-live-run") ?? "");
}

/** @param {string} run of those that are followed */
async function broke(run) {
  close();
  await lost("runs", async () => (await askJson(`/runs/${run}`)).status < 500, { isLive: true });
  await again();
}

async function again() {
  close();
  await refresh([document.querySelector("[data-live-area]")?.getAttribute("data-live-area") ?? "runs"]);
  open();
}

function close() {
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
document.addEventListener("swapped", () => (document.querySelector("[data-run][data-active]") ? close() : open()));
addEventListener("pagehide", close);
open();
