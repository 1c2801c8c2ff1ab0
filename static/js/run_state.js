// Where the run is: progress, time an epoch, status, and whether the connection holds. At the end the page is fetched again.

import { exact, loss as lossText, seconds } from "./lib/numbers.js";
import { offlineWords } from "./lib/retry.js";
import { refresh } from "./swap.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */

const BAR = 120;
const wasActive = document.querySelector("[data-run]")?.hasAttribute("data-active") ?? false;
let shownStatus = document.querySelector("[data-run]")?.getAttribute("data-status") ?? "";
let isOver = false;

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
  if (!log.done) return;
  say("[data-run-progress]", `epoch ${exact(log.done - 1)}, ${exact(log.done)} of ${exact(log.epochs)} done`);
  if (log.each > 0) say("[data-run-each]", `${seconds(log.each)} each`);
  document.querySelector("[data-run-bar]")?.setAttribute("width", String((BAR * log.done) / log.epochs));
}

document.addEventListener("run", (event) => {
  const log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  if (!wasActive || isOver) return;
  progress(log);
  if (log.run) {
    isOver = true;
    const loss = log.losses[log.done - 1];
    say("[data-loss-said]", `The run ${log.run.status} at epoch ${log.done - 1}${typeof loss === "number" ? `, loss ${lossText(loss)}` : ""}.`);
    void refresh(["crumbs", "facts", "panes", "strip", "fit", "epochs"]);
  } else if (log.status && log.status !== shownStatus) {
    shownStatus = log.status;
    void refresh(["strip"]);
  }
});

document.addEventListener("run-offline", (event) => {
  const left = /** @type {CustomEvent<number | null>} */ (event).detail;
  const offline = document.querySelector("[data-run-offline]");
  offline?.toggleAttribute("hidden", left === null);
  document.querySelector("[data-run-state]")?.toggleAttribute("hidden", left !== null);
  if (left !== null) say("[data-run-offline-words]", offlineWords(left));
});
