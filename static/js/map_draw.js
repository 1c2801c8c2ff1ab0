// Draws a scene of the map on a canvas, as sharp as the screen is.

import { inkOf, isHatched } from "./lib/map_svg.js";
import { wedgePath } from "./lib/scene.js";

/** @typedef {import("./lib/scene.js").Scene} Scene */
/** @typedef {import("./lib/scene.js").Box} Box */
/** @typedef {import("./lib/map_svg.js").Palette} Palette */

const DASHES = [4, 3];
const SPACING = { name: "-0.02em", extra: "-0.05em", count: "0em", plain: "0em" };

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size in CSS pixels
 * @param {number} ratio of the screen's pixels to those
 * @returns {CanvasRenderingContext2D | null} cleared
 */
export function contextOf(canvas, { width, height }, ratio) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {Palette} palette
 * @param {Box[]} lit what the pointer is over, in the map or in the tree
 */
export function drawScene(context, scene, palette, lit = []) {
  if (scene.wedge) drawWedge(context, scene.wedge, palette);
  drawTiles(context, scene.tiles, palette);
  drawWords(context, scene.words, palette);
  outline(context, lit, palette.ink2, 1);
  if (scene.frame) outline(context, [scene.frame], palette.ink, 1.25);
  for (const box of scene.chosen) {
    context.setLineDash(box.isInside ? DASHES : []);
    outline(context, [box], palette.accent, 2);
  }
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./lib/scene.js").Tile[]} tiles
 * @param {Palette} palette
 */
export function drawTiles(context, tiles, palette) {
  let fill = "";
  for (const { x, y, width, height, paint } of tiles) {
    const next = palette.of(paint);
    if (next !== fill) context.fillStyle = fill = next;
    context.fillRect(x, y, width, height);
  }
  const hatched = tiles.filter(({ paint }) => isHatched(paint));
  if (hatched.length) hatch(context, hatched, palette);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Box[]} boxes
 * @param {Palette} palette
 */
function hatch(context, boxes, palette) {
  context.save();
  context.beginPath();
  for (const { x, y, width, height } of boxes) context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (const { x, y, width, height } of boxes) {
    // Lines at one distance from the drawing's corner, so that those of neighbours meet.
    for (let at = Math.floor((x + y) / 7) * 7; at < x + y + width + height; at += 7) {
      context.moveTo(at - y, y);
      context.lineTo(at - y - height, y + height);
    }
  }
  context.strokeStyle = palette.line;
  context.stroke();
  context.restore();
  outline(context, boxes, palette.line, 1);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./lib/scene.js").Word[]} words
 * @param {Palette} palette
 */
function drawWords(context, words, palette) {
  for (const word of words) {
    const isMono = word.kind === "name" || word.kind === "extra";
    context.font = `${word.kind === "name" ? 500 : 400} 11px ${isMono ? palette.mono : palette.sans}`;
    context.letterSpacing = SPACING[word.kind];
    context.fillStyle = inkOf(word, palette);
    if (word.isTurned) {
      context.save();
      context.translate(word.x, word.y);
      context.rotate(-Math.PI / 2);
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(word.text, 0, 0);
      context.restore();
    } else context.fillText(word.text, word.x, word.y);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./lib/scene.js").Wedge} wedge
 * @param {Palette} palette
 */
function drawWedge(context, wedge, palette) {
  const path = new Path2D(wedgePath(wedge));
  context.fillStyle = palette.sunken;
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.fill(path);
  context.stroke(path);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Box[]} boxes
 * @param {string} colour
 * @param {number} width
 */
function outline(context, boxes, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  for (const { x, y, width: wide, height: high } of boxes) {
    context.strokeRect(x + width / 2, y + width / 2, Math.max(wide - width, 0.5), Math.max(high - width, 0.5));
  }
}
