// The map's panel in large goes over from one module to another, one of which holds the other.

import { drawTiles } from "./map_draw.js";
import { boxOf } from "./lib/scene.js";
import { standing } from "./lib/cells.js";

/** @typedef {import("./lib/panels.js").Panel} Panel */
/** @typedef {import("./lib/scene.js").Box} Box */
/** @typedef {import("./lib/scene.js").Says} Says */
/** @typedef {import("./lib/map_svg.js").Palette} Palette */

const LASTS_MS = 160;

/** @param {number} part of the time @returns {number} of the way: quick at first, as the pages' curve is */
const eased = (part) => 1 - (1 - part) ** 3;

/**
 * @param {Panel} panel
 * @param {number} row
 * @returns {Box | null} the room that the module has in a panel, with all that is to its right
 */
function roomIn(panel, row) {
  const cell = standing(panel.cells, row);
  if (!cell || cell.row !== row) return null;
  return { x: panel.x + cell.x, y: cell.y, width: panel.width - cell.x, height: cell.height };
}

/**
 * @param {Panel} before
 * @param {Panel} after
 * @returns {{from: Box, to: Box} | null} what of the one panel becomes all of the other, where that is so
 */
export function wayOf(before, after) {
  const whole = (/** @type {Panel} */ panel) => ({ x: panel.x, y: 0, width: panel.width, height: panel.height });
  const inside = roomIn(before, after.top);
  if (inside) return { from: inside, to: whole(after) };
  const outside = roomIn(after, before.top);
  return outside ? { from: whole(before), to: outside } : null;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Panel} panel
 * @param {{is: Box, was: Box, alpha: number}} view `was` is a part of the panel, which is drawn at `is`
 * @param {Says} says
 * @param {Palette} palette
 */
function drawAt(context, panel, { is, was, alpha }, says, palette) {
  const [across, down] = [is.width / was.width, is.height / was.height];
  context.globalAlpha = alpha;
  const tiles = panel.cells.map((cell) => {
    const box = boxOf(cell, panel);
    const [x, y] = [is.x + (box.x - was.x) * across, is.y + (box.y - was.y) * down];
    return { x, y, width: box.width * across, height: box.height * down, paint: says.paint(cell), cell };
  });
  drawTiles(context, tiles.filter((tile) => tile.y < panel.height && tile.y + tile.height > 0), palette);
}

/**
 * @param {{before: Panel, after: Panel, says: Says, palette: Palette}} change
 * @param {() => CanvasRenderingContext2D | null} begun draws what stays, and returns where the rest is drawn
 * @param {() => void} ended
 * @returns {() => void} call it to go to the end at once
 */
export function goOver({ before, after, says, palette }, begun, ended) {
  const way = wayOf(before, after);
  const start = performance.now();
  let frame = 0;
  const step = (/** @type {number} */ now) => {
    const part = Math.min((now - start) / LASTS_MS, 1);
    const context = part < 1 && way ? begun() : null;
    if (!context || !way) return ended();
    const at = eased(Math.max(part, 0));
    const between = (/** @type {number} */ one, /** @type {number} */ other) => one + (other - one) * at;
    const is = {
      x: between(way.from.x, way.to.x), y: between(way.from.y, way.to.y),
      width: between(way.from.width, way.to.width), height: between(way.from.height, way.to.height),
    };
    context.save();
    context.beginPath();
    context.rect(after.x, 0, after.width, after.height);
    context.clip();
    drawAt(context, before, { is, was: way.from, alpha: 1 - at }, says, palette);
    drawAt(context, after, { is, was: way.to, alpha: at }, says, palette);
    context.restore();
    frame = requestAnimationFrame(step);
    return undefined;
  };
  frame = requestAnimationFrame(step);
  return () => {
    cancelAnimationFrame(frame);
    ended();
  };
}
