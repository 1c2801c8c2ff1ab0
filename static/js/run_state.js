// Where the run is: progress, time an epoch, status. When it ends the tree and the dock take what it made, in place.

import { exact, loss as lossText, seconds } from "./lib/numbers.js";
import { _ } from "./lib/words.js";
import { refresh } from "./swap.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */

const BAR = 120;

/** @returns {HTMLElement | null} what says which run is open */
const panel = () => document.querySelector("[data-run]");

/**
 * @param {string} selector
 * @param {string} text
 */
function say(selector, text) {
  const element = document.querySelector(selector);
  if (element && element.textContent !== text) element.textContent = text;
}

/** @param {RunLog} log */
function progress(log) {
  // A stream begins at the first epoch: it says nothing new before it is where the page was when it came.
  if (!log.done || log.done < Number(panel()?.dataset.done)) return;
  const [epoch, done, epochs] = [exact(log.done - 1), exact(log.done), exact(log.epochs)];
  say("[data-run-progress]", _("epoch %(epoch)s, %(done)s of %(epochs)s done", { epoch, done, epochs }));
  if (log.each > 0) say("[data-run-each]", _("%(time)s each", { time: seconds(log.each) }));
  document.querySelector("[data-run-bar]")?.setAttribute("width", String((BAR * log.done) / log.epochs));
}

/** @param {RunLog} log */
function ended(log) {
  const epoch = exact(Math.max(log.done - 1, 0));
  const last = log.lossAt(log.done - 1);
  const [status, loss] = [log.run?.status ?? "", typeof last === "number" ? lossText(last) : log.kindAt(log.done - 1)];
  say("[data-loss-said]", _("The run has ended: %(status)s at epoch %(epoch)s, loss %(loss)s.", { status: spoken(status), epoch, loss }));
}

/** @param {string} status */
function spoken(status) {
  /** @type {Record<string, string>} */
  const words = { succeeded: _("succeeded"), failed: _("failed"), cancelled: _("cancelled"), interrupted: _("interrupted") };
  return words[status] ?? status;
}

/** What the page shows of the tree is what a run made of it. */
export async function taken() {
  if (!document.querySelector("[data-workspace]")) return;
  const { workspace } = await import("./workspace.js");
  await workspace.changed();
}

document.addEventListener("run", (event) => {
  const log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  const now = panel();
  if (now?.dataset.active === undefined) return;
  progress(log);
  if (log.run) {
    delete now.dataset.active;
    now.dataset.status = log.run.status;
    ended(log);
    const hasResult = log.run.status === "succeeded";
    void refresh(["strip", "start", "fit", "epochs"]).then(() => (hasResult ? taken() : undefined));
  } else if (log.status && log.status !== now.dataset.status) {
    now.dataset.status = log.status;
    void refresh(["strip"]);
  }
});
document.addEventListener("back", () => void refresh(["strip"]));
