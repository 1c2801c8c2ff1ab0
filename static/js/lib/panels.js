// The map's two panels: the whole tree at the left, a part of it in large at the right, and what joins the two.

import { blockOf } from "./blocks.js";
import { standing } from "./cells.js";
import { icicle } from "./icicle.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./amounts.js").Amounts} Amounts */
/** @typedef {import("./icicle.js").Cell} Cell */

/** `x` is where the panel begins in the drawing, where its cells are placed from 0. @typedef {{top: number, x: number, width: number, height: number, isLabelled: boolean, cells: Cell[]}} Panel */
/** Cells in one panel, or in two; `block` is what the second shows, 0 for none. @typedef {{panels: Panel[], block: number}} Panels */
/** @typedef {{width: number, height: number, selected: number, zoom: number, present: number}} View */

/** Parts of the width: app/pages/map.py draws the same. */
const WHOLE = 0.337;
const PART = 0.57;
const LEAST_WIDTH = 200;

/**
 * @param {Outline} outline
 * @param {Amounts} amounts
 * @param {View} view `zoom` is the row that a person chose, `present` the block that is shown; 0 for none
 * @returns {Panels}
 */
export function panelsOf(outline, amounts, { width, height, selected, zoom, present }) {
  const whole = panelOf(outline, amounts, { top: 0, x: 0, width: WHOLE * width, height, isLabelled: false });
  const block = zoom || blockOf(outline, selected, whole.cells, present);
  if (!block || width < LEAST_WIDTH) {
    return { panels: [panelOf(outline, amounts, { top: block && zoom, x: 0, width, height, isLabelled: true })], block };
  }
  const part = { top: block, x: (1 - PART) * width, width: PART * width, height, isLabelled: true };
  return { panels: [whole, panelOf(outline, amounts, part)], block };
}

/**
 * @param {Outline} outline
 * @param {Amounts} amounts
 * @param {Omit<Panel, "cells">} panel
 * @returns {Panel}
 */
const panelOf = (outline, amounts, panel) => ({ ...panel, cells: icicle(outline, amounts, panel) });

/**
 * @param {Panel} whole
 * @param {number} row
 * @returns {{x: number, y: number, width: number, height: number} | null} the room that the module has in the panel of
 *   the whole tree, with all that is to its right
 */
export function roomOf(whole, row) {
  const cell = standing(whole.cells, row);
  if (!cell) return null;
  const height = cell.height / cell.count;
  const at = (row - cell.row) / cell.shape.size;
  const isHere = Number.isInteger(at) && at < cell.count;
  return { x: cell.x, y: cell.y + (isHere ? at * height : 0), width: whole.width - cell.x, height: isHere ? height : cell.height };
}
