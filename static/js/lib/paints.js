// Which colour a cell of the map takes, and the word for it: by class, dtype, whether it is trainable, or a statistic.

import { significant } from "./numbers.js";
import { hues } from "./hues.js";
import { _ } from "./words.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./icicle.js").Cell} Cell */
/** @typedef {"class" | "dtype" | "trainable" | "heat"} Colour */
/** @typedef {{key: string, label: string, title?: string, range: [number, number], values: Map<number, number | null>}} Heat */

/** `fill` are the CSS classes of the cell; `at` is its place on the sequential scale, from 0 to 1. @typedef {{fill: string, word: string, at?: number}} Paint */

/** @type {Colour[]} */
export const COLOURS = ["class", "dtype", "trainable", "heat"];
export const BOX = "cell-box";
export const NONE = "cell-none";
export const TRAINABLE = "h10";
export const FROZEN = "h16";
const MIXED = "mixed";

export class Paints {
  /** By number of the shape: its one dtype, "" for none, MIXED for several. @type {Map<number, string>} */
  #dtypes = new Map();

  /**
   * @param {Outline} outline
   * @param {Colour} colour
   * @param {Heat | null} heat
   */
  constructor(outline, colour, heat = null) {
    this.outline = outline;
    this.colour = colour === "heat" && !heat ? "class" : colour;
    this.heat = heat;
    if (this.colour === "dtype") this.#readDtypes();
    this.slots = hues(outline.shapes.flatMap(({ parameters, buffers }) => [...parameters, ...buffers].map(({ dtype }) => dtype)));
  }

  /**
   * @param {Cell} cell
   * @returns {Paint}
   */
  of(cell) {
    if (this.colour === "dtype") return this.#ofDtype(cell);
    if (this.colour === "trainable") return this.#ofTrainable(cell);
    if (this.colour === "heat" && this.heat) return ofHeat(cell, this.heat);
    const hue = this.outline.hue(cell.shape.class);
    return { fill: hue < 0 ? BOX : filled(hue, cell.isOwn), word: cell.shape.class };
  }

  /** @param {Cell} cell */
  #ofDtype(cell) {
    const dtype = this.#dtypes.get(cell.shape.number) ?? "";
    const hue = this.slots.get(dtype);
    if (hue === undefined) return { fill: BOX, word: dtype === MIXED ? _("mixed dtypes") : _("no tensors") };
    return { fill: filled(hue, cell.isOwn), word: dtype };
  }

  /**
   * @param {Cell} cell
   * @returns {Paint}
   */
  #ofTrainable({ row, isOwn }) {
    const all = this.outline.numParameters(row);
    const trainable = this.outline.numTrainable(row);
    if (!all) return { fill: BOX, word: _("no parameters") };
    if (trainable > 0 && trainable < all) return { fill: BOX, word: _("some frozen") };
    const hold = isOwn ? "" : " cell-hold";
    return trainable ? { fill: TRAINABLE + hold, word: _("trainable") } : { fill: FROZEN + hold, word: _("frozen") };
  }

  #readDtypes() {
    // A shape is higher than what it holds: those come first.
    for (const shape of [...this.outline.shapes].sort((one, other) => one.height - other.height)) {
      const found = new Set([...shape.parameters, ...shape.buffers].map(({ dtype }) => dtype));
      for (const entry of shape.entries) found.add(this.#dtypes.get(entry.shape) ?? "");
      found.delete("");
      this.#dtypes.set(shape.number, found.size > 1 ? MIXED : ([...found][0] ?? ""));
    }
  }
}

/**
 * @param {number} hue
 * @param {boolean} isOwn
 */
const filled = (hue, isOwn) => (isOwn ? `h${hue}` : `h${hue} cell-hold`);

/**
 * @param {Cell} cell
 * @param {Heat} heat
 * @returns {Paint} of a statistic; the largest one of those that the cell stands for
 */
function ofHeat({ row, count, shape }, { values, range }) {
  /** @type {number | null | undefined} */
  let most;
  for (let at = 0; at < count; at += 1) {
    const value = values.get(row + at * shape.size);
    if (value !== undefined && (most === undefined || most === null || (value ?? -Infinity) > most)) most = value;
  }
  if (most === undefined) return { fill: BOX, word: _("unknown") };
  if (most === null) return { fill: NONE, word: _("none") };
  return { fill: "cell-heat", word: significant(most), at: placeOf(most, range) };
}

/**
 * @param {number} value
 * @param {[number, number]} range
 * @returns {number} from 0 at the low end to 1 at the high one: on a log scale where both are positive
 */
export function placeOf(value, [low, high]) {
  if (!Number.isFinite(value)) return value > 0 || Number.isNaN(value) ? 1 : 0;
  const scale = (/** @type {number} */ each) => (low > 0 ? Math.log(Math.max(each, low)) : each);
  const span = scale(high) - scale(low);
  return span > 0 ? Math.min(Math.max((scale(value) - scale(low)) / span, 0), 1) : 0;
}

/** @param {string} hex "#rrggbb" */
const channels = (hex) => [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));

/**
 * @param {string[]} stops as "#rrggbb"
 * @param {number} at from 0 to 1
 * @returns {string} the colour there
 */
export function mixed(stops, at) {
  const place = Math.min(Math.max(at, 0), 1) * (stops.length - 1);
  const first = Math.min(Math.floor(place), stops.length - 2);
  const [from, to] = [channels(stops[first] ?? "#000000"), channels(stops[first + 1] ?? "#000000")];
  const parts = from.map((part, channel) => Math.round(part + ((to[channel] ?? 0) - part) * (place - first)));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * @param {string} hex
 * @returns {"#000000" | "#ffffff"} whichever stands out more on the colour
 */
export function inkOn(hex) {
  const [red = 0, green = 0, blue = 0] = channels(hex).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000000" : "#ffffff";
}
