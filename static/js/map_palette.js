// The colours and fonts of the map, read from the style sheets and written as "#rrggbb", which every program knows.

import { mixed } from "./lib/paints.js";

/** @typedef {import("./lib/map_svg.js").Palette} Palette */

const STOPS = [0, 1, 2, 3, 4];

/**
 * @param {Element} host in which the style sheets hold
 * @returns {Palette} of the theme that shows now; ask again when it changes
 */
export function paletteOf(host) {
  const probe = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  probe.setAttribute("width", "0");
  probe.setAttribute("height", "0");
  probe.classList.add("hidden-text");
  probe.append(rect);
  const pixel = document.createElement("canvas");
  pixel.width = pixel.height = 1;
  const context = pixel.getContext("2d", { willReadFrequently: true });
  const style = getComputedStyle(host);
  /** @type {Map<string, string>} */
  const known = new Map();

  /** @param {string} css any colour that the browser knows */
  const hex = (css) => {
    if (!context) return "#000000";
    context.fillStyle = css;
    context.fillRect(0, 0, 1, 1);
    const { data } = context.getImageData(0, 0, 1, 1);
    return `#${[...data.slice(0, 3)].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  };

  /** @param {string} fill classes of a cell */
  const filled = (fill) => {
    const found = known.get(fill);
    if (found) return found;
    rect.setAttribute("class", `cell ${fill}`);
    host.append(probe);
    const made = hex(getComputedStyle(rect).fill);
    probe.remove();
    known.set(fill, made);
    return made;
  };

  const token = (/** @type {string} */ name) => hex(style.getPropertyValue(name).trim());
  const stops = STOPS.map((stop) => token(`--seq-${stop}`));
  return {
    ink: token("--ink"), ink2: token("--ink-2"), line: token("--line-2"), sunken: token("--sunken"),
    surface: token("--surface"), accent: token("--accent"), sans: style.getPropertyValue("--sans").trim(),
    mono: style.getPropertyValue("--mono").trim(),
    of: (paint) => (paint.at === undefined ? filled(paint.fill) : mixed(stops, paint.at)),
  };
}
