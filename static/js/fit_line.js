// The fitted line, moved as the run learns; epochs 0, 1 and 2 stay behind it, faint.

import { significant } from "./lib/numbers.js";
import { ends, inside, pixel, range } from "./lib/plane.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */

const SVG = "http://www.w3.org/2000/svg";
const EARLY = 3;
const APART = 10;

/**
 * @param {Element} element
 * @param {Record<string, string>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/**
 * @param {SVGElement} drawing
 * @param {RunLog} log
 */
function draw(drawing, log) {
  const x = range(drawing.dataset.x ?? "");
  const y = range(drawing.dataset.y ?? "");
  const line = drawing.querySelector("[data-fit-line]");
  if (line && log.line) set(line, ends(x, y, log.line.slope, log.line.intercept));
  const early = drawing.querySelector("[data-fit-early]");
  const labels = drawing.querySelector("[data-fit-labels]");
  if (!early || !labels) return;
  early.replaceChildren();
  labels.replaceChildren();
  const taken = log.line ? [Number(ends(x, y, log.line.slope, log.line.intercept).y2)] : [];
  for (let epoch = 0; epoch < EARLY; epoch += 1) {
    const at = log.lines.get(epoch);
    if (!at) continue;
    const place = ends(x, y, at.slope, at.intercept);
    const end = Number(place.y2);
    if (taken.some((other) => Math.abs(other - end) < APART)) continue;
    taken.push(end);
    early.append(set(document.createElementNS(SVG, "line"), { class: "fit-early", ...place }));
    const label = set(document.createElementNS(SVG, "text"), { class: "chart-axis", x: "315", y: place.y2, dy: "4" });
    label.textContent = String(epoch);
    labels.append(label);
  }
}

/**
 * The diamond at x, on the line or where the tree's answer is.
 * @param {SVGElement} drawing
 * @param {number} at
 * @param {number} answer
 */
function mark(drawing, at, answer) {
  const x = range(drawing.dataset.x ?? "");
  const y = range(drawing.dataset.y ?? "");
  const group = drawing.querySelector("[data-fit-now]");
  const isShown = inside(x, at) && inside(y, answer);
  group?.toggleAttribute("hidden", !isShown);
  const [guide, diamond, figure] = ["guide", "diamond", "figure"].map((name) => drawing.querySelector(`[data-fit-${name}]`));
  if (!isShown || !guide || !diamond || !figure) return;
  const [left, top] = [pixel(x, at).toFixed(1), pixel(y, answer).toFixed(1)];
  set(guide, { d: `M${x.from} ${top}H${left}V${y.from}` });
  set(diamond, { transform: `translate(${left} ${top})` });
  set(figure, { x: left, y: top });
  figure.textContent = significant(answer);
}

document.addEventListener("run", (event) => {
  const log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  const drawing = document.querySelector("[data-fit]");
  // Once the run is over the server's drawing holds: the line that the tree is now.
  if (!(drawing instanceof SVGElement) || !log.line || !document.querySelector("[data-run][data-active]")) return;
  draw(drawing, log);
  const field = document.querySelector("form[data-predict] input");
  const at = field instanceof HTMLInputElement && field.value.trim() ? Number(field.value) : NaN;
  mark(drawing, at, log.line.slope * at + log.line.intercept);
});
document.addEventListener("predicted", (event) => {
  const { x, y } = /** @type {CustomEvent<{x: number, y: number}>} */ (event).detail;
  const drawing = document.querySelector("[data-fit]");
  if (drawing instanceof SVGElement) mark(drawing, x, y);
});
