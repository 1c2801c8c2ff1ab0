// The drawing of runs over each other, made anew for the room that there is: the same as the server's, with a crosshair.

import { apart } from "./lib/apart.js";
import { exact, seconds, significant } from "./lib/numbers.js";
import { along, gapsOf, isShown, pathOf, toX, toY } from "./lib/overlay.js";
import { epochTicks, extent, scaleOf, takesLog, tickStep } from "./lib/scale.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/overlay.js").Area} Area */
/** @typedef {import("./lib/overlay.js").Curve} Curve */
/** @typedef {{id: string, hue: string, name: string, curves: Record<string, Curve>}} Line */
/** @typedef {{scale: string, x: string}} Look */

const SVG = "http://www.w3.org/2000/svg";
const MOST_NAMES = 24;
const NAME_HEIGHT = 13;
const LETTER_WIDTH = 7;
const MOST_MARKS = 100;
const NARROW = 640;

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElement}
 */
export function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * @param {Line[]} lines
 * @param {Look} look
 * @param {number} width
 * @returns {Area}
 */
export function areaOf(lines, look, width) {
  const isNarrow = width < NARROW;
  const range = extent(lines.flatMap((line) => Object.values(line.curves).flatMap((curve) => curve.value)));
  const isLog = look.scale ? look.scale === "log" : takesLog(range);
  const ends = lines.map((line) => along(/** @type {Curve} */ (line.curves.loss), look.x).at(-1) ?? 0);
  return {
    left: isNarrow ? 44 : 52, right: width - (isNarrow ? 44 : 112), top: 12, bottom: (isNarrow ? 300 : 400) - 34,
    last: Math.max(...ends, 0) || 1, scale: scaleOf(range, isLog),
  };
}

/**
 * @param {Line[]} lines
 * @param {Look} look
 * @param {Area} area
 * @param {number} width
 * @param {string} said
 * @returns {SVGElement}
 */
export function draw(lines, look, area, width, said) {
  const height = area.bottom + 34;
  const drawing = element("svg", { class: "overlay-svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": said });
  drawing.append(...axes(area, look, height));
  const names = namesOf(lines, look, area);
  for (const line of lines) drawing.append(group(line, look, area));
  for (const line of lines) {
    const at = names.get(line.id);
    if (at) drawing.append(element("text", { class: "chart-name", x: at.x.toFixed(1), y: at.y.toFixed(1) }, line.name));
  }
  drawing.append(element("g", { "data-overlay-cross": "" }));
  return drawing;
}

/**
 * @param {Area} area
 * @param {Look} look
 * @param {number} height
 */
function* axes(area, look, height) {
  for (const tick of area.scale.ticks) {
    const y = toY(area, tick).toFixed(1);
    yield element("line", { class: "chart-grid", x1: area.left, x2: area.right, y1: y, y2: y });
    yield element("text", { class: "chart-axis", x: area.left - 6, y, dy: 4, "text-anchor": "end" }, significant(tick));
  }
  for (const tick of area.scale.minor) {
    const y = toY(area, tick).toFixed(1);
    yield element("line", { class: "chart-minor", x1: area.left - 4, x2: area.left, y1: y, y2: y });
  }
  for (const tick of look.x === "time" ? times(area.last) : epochTicks(area.last + 1)) {
    const x = toX(area, tick).toFixed(1);
    yield element("line", { class: "chart-minor", x1: x, x2: x, y1: area.bottom, y2: area.bottom + 4 });
    const label = look.x === "time" && tick ? seconds(tick) : exact(tick);
    yield element("text", { class: "chart-axis", x, y: area.bottom + 16, "text-anchor": "middle" }, label);
  }
  const axis = look.x === "time" ? _("time trained") : _("epoch");
  yield element("text", { class: "chart-axis", x: area.right, y: height - 4, "text-anchor": "end" }, axis);
}

/** @param {number} last */
function times(last) {
  const step = tickStep(last, 4);
  return Array.from({ length: Math.floor(last / step + 1e-9) + 1 }, (_each, number) => number * step);
}

/**
 * @param {Line} line
 * @param {Look} look
 * @param {Area} area
 */
function group(line, look, area) {
  const made = element("g", { class: `overlay-line ${line.hue}`, "data-overlay-line": line.id });
  const isSmooth = line.curves.smoothed !== undefined;
  /** @type {Record<string, string>} */
  const kinds = {
    loss: isSmooth ? "raw" : "main", smoothed: "main",
    validation_loss: isSmooth ? "validation-raw" : "validation", smoothed_validation_loss: "validation",
  };
  for (const [key, curve] of Object.entries(line.curves)) {
    made.append(element("path", { class: `overlay-${kinds[key]}`, d: pathOf(area, along(curve, look.x), curve.value) }));
  }
  const loss = /** @type {Curve} */ (line.curves.loss);
  for (const at of gapsOf(area.scale, loss.value).slice(0, MOST_MARKS)) {
    const x = toX(area, along(loss, look.x)[at] ?? 0).toFixed(1);
    made.append(element("path", { class: "overlay-mark", d: `M${x} ${area.bottom}m-3 -7l6 6m0 -6l-6 6` }));
  }
  return made;
}

/**
 * @param {Line[]} lines
 * @param {Look} look
 * @param {Area} area
 * @returns {Map<string, {x: number, y: number}>} where the names stand, unless they are too many
 */
function namesOf(lines, look, area) {
  /** @type {Map<string, {x: number, y: number}>} */
  const names = new Map();
  if (lines.length > MOST_NAMES) return names;
  /** @type {{x: number, end: number, y: number}[]} */
  const taken = [];
  for (const line of lines) {
    const curve = line.curves.smoothed ?? /** @type {Curve} */ (line.curves.loss);
    const last = curve.value.findLastIndex((loss) => isShown(area.scale, loss));
    if (last < 0) continue;
    const x = Math.min(toX(area, along(curve, look.x)[last] ?? 0), area.right) + 6;
    const end = x + LETTER_WIDTH * line.name.length;
    const beside = taken.filter((other) => other.x < end && x < other.end).map((other) => other.y);
    const y = apart(toY(area, curve.value[last] ?? 0) + 4, beside, NAME_HEIGHT, [area.top + 8, area.bottom + 4]);
    taken.push({ x, end, y });
    names.set(line.id, { x, y });
  }
  return names;
}
