// The chart of the loss in place of the server's drawing: fed by the run, log or linear as was chosen for the tree.

import { LossPlot } from "./loss_plot.js";
import { exact, loss as lossText } from "./lib/numbers.js";
import { Smoothed } from "./lib/smoothing.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */
/** @typedef {import("./lib/others.js").Other} Other */

/** @type {LossPlot | null} */
let plot = null;
/** @type {Other[]} */
let others = [];
let isSmooth = false;

/** @returns {string} under which the scale of the tree is remembered */
const key = () => `moduletree-scale:${document.querySelector("[data-run]")?.getAttribute("data-tree") ?? ""}`;

/** @returns {string} */
function stored() {
  try {
    return localStorage.getItem(key()) ?? "";
  } catch {
    return "";
  }
}

/** @returns {"log" | "linear" | ""} */
function remembered() {
  const word = stored();
  return word === "log" || word === "linear" ? word : "";
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

/** The factor that is chosen in the page, 0 for the losses as they are. */
function factor() {
  const choice = document.querySelector("[data-smooth]");
  return choice instanceof HTMLSelectElement ? Number(choice.value) : 0;
}

/** Smooths what is drawn; of a run that came as a picture the server does it, who has every epoch of it. */
async function smooth() {
  const [wanted, log, run] = [factor(), plot?.log, document.querySelector("[data-run]")?.getAttribute("data-run")];
  if (!wanted || !log) {
    plot?.smooth(null);
    return;
  }
  if (!log.drawn) {
    plot?.smooth(new Smoothed(wanted));
    return;
  }
  const answer = await fetch(`/api/runs/${run}/picture?smooth=${wanted}`, { headers: { Accept: "application/json" } });
  if (!answer.ok || factor() !== wanted || plot?.log !== log) return;
  const picture = await answer.json();
  plot.smooth(Smoothed.after(wanted, picture.smoothed, picture.num_epochs));
}

/** The plot of the box that is there now: the dock may have been drawn anew. */
function current() {
  const box = document.querySelector("[data-loss-chart]");
  if (plot?.box === box) return plot;
  plot?.destroy();
  plot = box instanceof HTMLElement ? new LossPlot(box, remembered(), hovered) : null;
  plot?.compare(others);
  isSmooth = false;
  return plot;
}

function press() {
  for (const button of document.querySelectorAll("[data-scale] [data-scale-to]")) {
    button.setAttribute("aria-pressed", String((button.getAttribute("data-scale-to") === "log") === plot?.isLog));
  }
}

/** @param {number | null} epoch that is pointed at */
function hovered(epoch) {
  const loss = epoch === null ? undefined : plot?.log?.lossAt(epoch);
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
  const [first, latest] = [log.lossAt(0), log.lossAt(log.done - 1)];
  if (!box || typeof first !== "number" || !(log.run || log.done === log.epochs)) return;
  const last = typeof latest === "number" ? lossText(latest) : log.kindAt(log.done - 1);
  box.setAttribute(
    "aria-label",
    _("Loss by epoch: %(first)s at epoch 0, %(latest)s at epoch %(epoch)s; %(done)s of %(epochs)s epochs are done.", {
      first: lossText(first), latest: last, epoch: exact(log.done - 1), done: exact(log.done), epochs: exact(log.epochs),
    }),
  );
}

document.addEventListener("run", (event) => {
  const log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  const isAnew = current()?.log !== log;
  plot?.show(log);
  if (isAnew || isSmooth !== factor() > 0) {
    isSmooth = factor() > 0;
    void smooth();
  }
  describe(log);
  press();
});
document.addEventListener("others", (event) => {
  others = /** @type {CustomEvent<Other[]>} */ (event).detail;
  current()?.compare(others);
  press();
});
document.addEventListener("change", (event) => {
  if (!(event.target instanceof Element) || !event.target.matches("[data-smooth]")) return;
  isSmooth = factor() > 0;
  void smooth();
});
document.addEventListener("theme", () => plot?.again());
document.addEventListener("click", (event) => {
  const word = event.target instanceof Element ? event.target.closest("[data-scale-to]")?.getAttribute("data-scale-to") : null;
  if (word === "log" || word === "linear") choose(word);
});
