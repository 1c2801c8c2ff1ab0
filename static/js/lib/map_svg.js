// A map as an SVG document of its own: text as text, and no file besides it needed.

import { inkOn } from "./paints.js";
import { px, wedgePath } from "./scene.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./scene.js").Box} Box */
/** @typedef {import("./paints.js").Paint} Paint */

/** Colours as "#rrggbb". @typedef {{ink: string, ink2: string, line: string, sunken: string, surface: string, accent: string, sans: string, mono: string, of: (paint: Paint) => string}} Palette */

/**
 * What stands around a scene of a size: `captions` above it, `foot` below it; `say` tells all of a cell.
 * @typedef {{width: number, height: number, title: string, captions: {text: string, x: number}[], foot: string, say: (cell: import("./icicle.js").Cell) => string}} Sheet
 */

export const MARGIN = 12;
export const HEAD = 22;
export const FOOT = 20;

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
// What XML 1.0 has no place for, not even as a character reference.
const REFUSED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** @param {string} text */
export function escaped(text) {
  return text.replace(REFUSED, "\ufffd").replace(/[&<>"']/g, (char) => ENTITIES[char] ?? "");
}

/** @param {Box} box */
const place = ({ x, y, width, height }) => `x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"`;

/**
 * @param {Scene} scene
 * @param {Palette} palette
 * @param {Sheet} sheet
 * @returns {string}
 */
export function svgOf(scene, palette, { width, height, title, captions, foot, say }) {
  const [wide, high] = [width + 2 * MARGIN, height + 2 * MARGIN + HEAD + FOOT];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${px(wide)} ${px(high)}" width="${px(wide)}" height="${px(high)}" role="img">`,
    `<title>${escaped(title)}</title>`,
    ...patternOf(scene, palette),
    `<rect width="100%" height="100%" fill="${palette.surface}"/>`,
    `<g font-family="${escaped(palette.sans)}" font-size="11" fill="${palette.ink2}">`,
    ...captions.map(({ text, x }) => `<text x="${px(MARGIN + x)}" y="${MARGIN + 10}">${escaped(text)}</text>`),
    `<text x="${MARGIN}" y="${px(high - MARGIN)}">${escaped(foot)}</text>`,
    "</g>",
    `<g transform="translate(${MARGIN} ${MARGIN + HEAD})">`,
    ...drawn(scene, palette, say),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/**
 * @param {Scene} scene
 * @param {Palette} palette
 */
function patternOf(scene, palette) {
  if (!scene.tiles.some(({ paint }) => isHatched(paint))) return [];
  const line = `<path d="M0 7L7 0" stroke="${palette.line}"/>`;
  return [`<pattern id="none" width="7" height="7" patternUnits="userSpaceOnUse">${line}</pattern>`];
}

/** @param {Paint} paint */
export const isHatched = (paint) => paint.fill === "cell-none";

/**
 * @param {Scene} scene
 * @param {Palette} palette
 * @param {Sheet["say"]} say
 */
function* drawn(scene, palette, say) {
  if (scene.wedge) yield `<path d="${wedgePath(scene.wedge)}" fill="${palette.sunken}" stroke="${palette.line}"/>`;
  for (const tile of scene.tiles) {
    yield `<rect ${place(tile)} fill="${palette.of(tile.paint)}"><title>${escaped(say(tile.cell))}</title></rect>`;
    if (isHatched(tile.paint)) yield `<rect ${place(tile)} fill="url(#none)" pointer-events="none"/>`;
  }
  for (const word of scene.words) {
    const at = word.isTurned
      ? `text-anchor="middle" dominant-baseline="central" transform="translate(${px(word.x)} ${px(word.y)}) rotate(-90)"`
      : `x="${px(word.x)}" y="${px(word.y)}"`;
    yield `<text ${at} ${fontOf(word.kind, palette)} fill="${inkOf(word, palette)}">${escaped(word.text)}</text>`;
  }
  if (scene.frame) yield `<rect ${place(scene.frame)} fill="none" stroke="${palette.ink}" stroke-width="1.25"/>`;
  for (const box of scene.chosen) {
    const dashes = box.isInside ? ' stroke-dasharray="4 3"' : "";
    yield `<rect ${place(box)} fill="none" stroke="${palette.accent}" stroke-width="2"${dashes}/>`;
  }
}

/**
 * @param {import("./labels.js").LabelKind} kind
 * @param {Palette} palette
 */
function fontOf(kind, palette) {
  const family = escaped(kind === "name" || kind === "extra" ? palette.mono : palette.sans);
  return `font-family="${family}" font-size="11" font-weight="${kind === "name" ? 500 : 400}"`;
}

/**
 * @param {{kind: import("./labels.js").LabelKind, paint: Paint}} word
 * @param {Palette} palette
 * @returns {string} the colour of a word: on a statistic's colour whichever of black and white can be read
 */
export function inkOf({ kind, paint }, palette) {
  if (paint.at !== undefined) return inkOn(palette.of(paint));
  return kind === "name" ? palette.ink : palette.ink2;
}
