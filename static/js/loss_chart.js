// The chart of the loss in place of the server's drawing: fed by the run, log or linear as was chosen for the tree.

import { LossPlot } from "./loss_plot.js";
import { exact, loss as lossText } from "./lib/numbers.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */
/** @typedef {import("./lib/others.js").Other} Other */

/** @type {LossPlot | null} */
let plot = null;
/** @type {Other[]} */
let others = [];

/** @returns {string} under which the scale of the tree is remembered */
const key = () => `moduletree-scale:${document.querySelector("[data-run]")?.getAttribute("data-tree") ?? ""}`;

/** @returns {"log" | "linear" | ""} */
function remembered() {
  try {
    const word = localStorage.getItem(key());
    return word === "log" || word === "linear" ? word : "";
  } catch {
    return "";
  }
}

/** @param {"log" | "linear"} word */
function choose(word) {
  try {
    localStorage.setItem(key(), word);
  } catch {
    // Storage can be forbidden; the choice then lasts for this page.
  }
  plot?.choose(word);
  press();
}

/** The plot of the box that is there now: the dock may have been drawn anew. */
function current() {
  const box = document.querySelector("[data-loss-chart]");
  if (plot?.box === box) return plot;
  plot?.destroy();
  plot = box instanceof HTMLElement ? new LossPlot(box, remembered(), hovered) : null;
  plot?.compare(others);
  return plot;
}

function press() {
  for (const button of document.querySelectorAll("[data-scale] [data-scale-to]")) {
    button.setAttribute("aria-pressed", String((button.getAttribute("data-scale-to") === "log") === plot?.isLog));
  }
}

/** @param {number | null} epoch that is pointed at */
function hovered(epoch) {
  const loss = epoch === null ? undefined : plot?.log?.losses[epoch];
  const words = document.querySelector("[data-loss-hover]");
  if (!words) return;
  words.textContent = typeof loss === "number" ? _("epoch %(epoch)s, %(loss)s", { epoch: exact(epoch ?? 0), loss: lossText(loss) }) : "";
}

/**
 * What the drawing says to who cannot see it.
 * @param {RunLog} log
 */
function describe(log) {
  const box = document.querySelector("[data-loss-chart]");
  const [first, latest] = [log.losses[0], log.losses[log.done - 1]];
  if (!box || typeof first !== "number" || !(log.run || log.done === log.epochs)) return;
  const last = typeof latest === "number" ? lossText(latest) : (log.nonfinite.get(log.done - 1) ?? "");
  box.setAttribute(
    "aria-label",
    _("Loss by epoch: %(first)s at epoch 0, %(latest)s at epoch %(epoch)s; %(done)s of %(epochs)s epochs are done.", {
      first: lossText(first), latest: last, epoch: exact(log.done - 1), done: exact(log.done), epochs: exact(log.epochs),
    }),
  );
}

document.addEventListener("run", (event) => {
  const log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  current()?.show(log);
  describe(log);
  press();
});
document.addEventListener("others", (event) => {
  others = /** @type {CustomEvent<Other[]>} */ (event).detail;
  current()?.compare(others);
  press();
});
document.addEventListener("theme", () => plot?.again());
document.addEventListener("click", (event) => {
  const word = event.target instanceof Element ? event.target.closest("[data-scale-to]")?.getAttribute("data-scale-to") : null;
  if (word === "log" || word === "linear") choose(word);
});
