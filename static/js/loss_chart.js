// The chart of the loss in place of the server's drawing: fed by the run, log or linear as was chosen for the tree.

import { askJson } from "./ask.js";
import { led } from "./lib/crosshair.js";
import { LossPlot } from "./loss_plot.js";
import { exact, loss as lossText } from "./lib/numbers.js";
import { Smoothed } from "./lib/smoothing.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */
/** @typedef {import("./lib/others.js").Other} Other */

const STEP = 10;

/** @type {LossPlot | null} */
let plot = null;
/** @type {Other[]} */
let others = [];
let isSmooth = false;

/** @type {number | null} the epoch at which the crosshair stands */
let at = null;
let isLed = false;

/** @typedef {"scale" | "smooth"} Choice */

/** @param {Choice} what @returns {string} under which it is remembered of the tree */
const key = (what) => `moduletree-${what}:${document.querySelector("[data-run]")?.getAttribute("data-tree") ?? ""}`;

/** @param {Choice} what */
function stored(what) {
  try {
    return localStorage.getItem(key(what)) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {Choice} what
 * @param {string} word
 */
function store(what, word) {
  try {
    localStorage.setItem(key(what), word);
  } catch {
    // Storage can be forbidden; the choice then lasts for this page.
  }
}

/** @returns {"log" | "linear" | ""} */
function remembered() {
  const word = stored("scale");
  return word === "log" || word === "linear" ? word : "";
}

/** @param {"log" | "linear"} word */
function choose(word) {
  store("scale", word);
  plot?.choose(word);
  press();
}

/** @returns {HTMLSelectElement | null} */
const smoothing = () => document.querySelector("select[data-smooth]");

/** The factor that is chosen in the page, 0 for the losses as they are. */
const factor = () => Number(smoothing()?.value ?? 0);

/** Chooses in the page what was chosen for the tree. */
function recall() {
  const [choice, word] = [smoothing(), stored("smooth")];
  if (choice && [...choice.options].some((option) => option.value === word)) choice.value = word;
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
  const answer = await askJson(`/runs/${run}/picture?smooth=${wanted}`);
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
  recall();
  isSmooth = false;
  at = null;
  return plot;
}

function press() {
  for (const button of document.querySelectorAll("[data-scale] [data-scale-to]")) {
    button.setAttribute("aria-pressed", String((button.getAttribute("data-scale-to") === "log") === plot?.isLog));
  }
}

/** @param {number | null} epoch that is pointed at */
function hovered(epoch) {
  if (!isLed) at = epoch;
  const loss = epoch === null ? undefined : plot?.log?.lossAt(epoch);
  const words = document.querySelector("[data-loss-hover]");
  if (!words) return;
  words.textContent = typeof loss === "number" ? _("epoch %(epoch)s, %(loss)s", { epoch: exact(epoch ?? 0), loss: lossText(loss) }) : "";
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const box = event.target;
  if (!plot || box !== plot.box || event.ctrlKey || event.metaKey || event.altKey) return;
  const last = (plot.log?.done ?? 0) - 1;
  const size = Math.max(plot.epochsAPixel, 1) * (event.shiftKey ? STEP : 1);
  const to = last < 0 ? undefined : led(event.key, at, last, size);
  if (to === undefined) return;
  event.preventDefault();
  at = to;
  isLed = true;
  plot.point(at);
  isLed = false;
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
  store("smooth", String(factor()));
  isSmooth = factor() > 0;
  void smooth();
});
document.addEventListener("keydown", walk);
document.addEventListener("theme", () => plot?.again());
document.addEventListener("click", (event) => {
  const word = event.target instanceof Element ? event.target.closest("[data-scale-to]")?.getAttribute("data-scale-to") : null;
  if (word === "log" || word === "linear") choose(word);
});
