// A map as what is drawn of it: boxes, words, outlines and the wedge, for the screen, a PNG and an SVG alike.

import { standing, standsFor } from "./cells.js";
import { labelsOf, plainLabels } from "./labels.js";
import { roomOf } from "./panels.js";

/** @typedef {import("./icicle.js").Cell} Cell */
/** @typedef {import("./labels.js").Label} Label */
/** @typedef {import("./panels.js").Panels} Panels */
/** @typedef {import("./panels.js").Panel} Panel */
/** @typedef {import("./paints.js").Paint} Paint */

/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/** @typedef {Box & {paint: Paint, cell: Cell}} Tile */
/** @typedef {Label & {paint: Paint}} Word */
/** Of a selected module, or, where it `isInside`, of the siblings it is drawn with or the nearest one above. @typedef {Box & {isInside: boolean}} Chosen */
/** From the left panel's edge, y from `top` to `bottom`, to the right panel's, all of its height. @typedef {{from: number, to: number, top: number, bottom: number, height: number}} Wedge */
/** @typedef {{tiles: Tile[], words: Word[], chosen: Chosen[], frame: Box | null, wedge: Wedge | null}} Scene */

/** @typedef {{paint: (cell: Cell) => Paint, name: (cell: Cell) => string, count: (cell: Cell) => string}} Says */

const GAP_FROM = 3;

/**
 * @param {Panels} shown
 * @param {number[]} selection the rows of the selected modules
 * @param {Says} says
 * @returns {Scene}
 */
export function sceneOf({ panels, block }, selection, says) {
  /** @type {Scene} */
  const scene = { tiles: [], words: [], chosen: [], frame: null, wedge: null };
  for (const panel of panels) {
    for (const cell of panel.cells) draw(scene, cell, panel, says);
    for (const row of selection) {
      const cell = standing(panel.cells, row);
      if (cell) scene.chosen.push({ ...boxOf(cell, panel), isInside: cell.count > 1 || !standsFor(cell, row) });
    }
  }
  const [whole, part] = panels;
  const room = whole && part?.cells.length ? roomOf(whole, block) : null;
  if (whole && part && room) {
    scene.frame = { ...room, x: room.x + whole.x };
    scene.wedge = { from: whole.x + whole.width, to: part.x, top: room.y, bottom: room.y + room.height, height: part.height };
  }
  return scene;
}

/**
 * @param {Box} cell
 * @param {Panel} panel
 * @returns {Box} as it is drawn: a pixel is left to the neighbours
 */
export function boxOf({ x, y, width, height }, panel) {
  const gap = height > GAP_FROM ? 1 : 0;
  return { x: panel.x + x, y, width: Math.max(width - 1, 0.5), height: Math.max(height - gap, 0.4) };
}

/**
 * @param {Scene} scene
 * @param {Cell} cell
 * @param {Panel} panel
 * @param {Says} says
 */
function draw(scene, cell, panel, says) {
  const box = boxOf(cell, panel);
  const paint = says.paint(cell);
  scene.tiles.push({ ...box, paint, cell });
  const words = panel.isLabelled
    ? labelsOf(box, () => ({ name: says.name(cell), count: says.count(cell), extra: cell.shape.extra_repr.split("\n")[0] ?? "" }))
    : plainLabels(box, () => says.name(cell));
  for (const word of words) scene.words.push({ ...word, paint });
}

/**
 * @param {Wedge} wedge
 * @returns {string} its outline as the `d` of an SVG path: the upper curve, then the lower one
 */
export function wedgePath({ from, to, top, bottom, height }) {
  const middle = px((from + to) / 2);
  const [left, right] = [px(from), px(to)];
  return (
    `M${left} ${px(top)}C${middle} ${px(top)} ${middle} 0 ${right} 0` +
    `L${right} ${px(height)}C${middle} ${px(height)} ${middle} ${px(bottom)} ${left} ${px(bottom)}Z`
  );
}

/** @param {number} number */
export const px = (number) => String(Math.round(number * 100) / 100);
