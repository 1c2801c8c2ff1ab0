// The map as a file: a PNG at twice the size of the screen's, or an SVG with its text as text.

import { drawScene } from "./map_draw.js";
import { FOOT, HEAD, MARGIN, svgOf } from "./lib/map_svg.js";

/** @typedef {import("./lib/scene.js").Scene} Scene */
/** @typedef {import("./lib/map_svg.js").Palette} Palette */
/** @typedef {import("./lib/map_svg.js").Sheet} Sheet */

const SCALE = 2;
// What no file system takes in a name, and what hides in one.
const REFUSED = /[\p{C}\p{Zl}\p{Zp}<>:"/\\|?*]+/gu;

/**
 * @param {string} name of the tree
 * @param {string} ending
 */
export function fileName(name, ending) {
  const kept = name.replace(REFUSED, "_").replace(/^\.+/, "").trim().slice(0, 80);
  return `${kept || "tree"}-map.${ending}`;
}

/**
 * @param {Scene} scene
 * @param {Palette} palette
 * @param {Sheet} sheet
 * @returns {Promise<Blob | null>}
 */
export function pngOf(scene, palette, { width, height, captions, foot }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: SCALE * (width + 2 * MARGIN), height: SCALE * (height + 2 * MARGIN + HEAD + FOOT) });
  const context = canvas.getContext("2d");
  if (context) {
    context.fillStyle = palette.surface;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.scale(SCALE, SCALE);
    context.font = `400 11px ${palette.sans}`;
    context.fillStyle = palette.ink2;
    for (const { text, x } of captions) context.fillText(text, MARGIN + x, MARGIN + 10);
    context.fillText(foot, MARGIN, height + MARGIN + HEAD + FOOT);
    context.translate(MARGIN, MARGIN + HEAD);
    drawScene(context, scene, palette);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/**
 * @param {"png" | "svg"} kind
 * @param {{scene: Scene, palette: Palette, sheet: Sheet, name: string}} map
 */
export async function save(kind, { scene, palette, sheet, name }) {
  const svg = () => new Blob([svgOf(scene, palette, sheet)], { type: "image/svg+xml" });
  const file = kind === "svg" ? svg() : await pngOf(scene, palette, sheet);
  if (!file) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = fileName(name, kind);
  link.click();
  // A browser may read it only after the click; a minute later it has.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
