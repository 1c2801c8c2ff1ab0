// The map as a table, its equal: a row for every cell that is drawn.

import { exact } from "./lib/numbers.js";
import { _, ngettext } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/icicle.js").Cell} Cell */
/** @typedef {import("./lib/map_says.js").MapSays} MapSays */

const MOST_ROWS = 2_000;

/**
 * @param {string} tag
 * @param {string | Node} held
 * @param {string} className
 */
function made(tag, held, className = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(held);
  return element;
}

/**
 * @param {MapSays} says
 * @returns {string[]} the heads of the columns
 */
function headsOf({ amounts, paints }) {
  const value = { parameters: _("Parameters"), bytes: _("Bytes"), flops: _("FLOPs, MACs") }[amounts.area];
  const colour = { class: "", dtype: "dtype", trainable: _("Trainable"), heat: paints.heat?.label ?? "" }[paints.colour];
  return [_("Module"), _("Class"), ...(colour ? [colour] : []), value, _("Share"), _("Depth")];
}

/**
 * @param {Cell} cell
 * @param {MapSays} says
 */
function rowOf(cell, says) {
  const row = document.createElement("tr");
  if (cell.row === workspace.selected && cell.count === 1) row.setAttribute("aria-current", "true");
  const link = document.createElement("a");
  Object.assign(link, { className: "name", href: workspace.address(cell.row), textContent: says.fullName(cell) });
  link.dataset.row = String(cell.row);
  const name = made("th", link);
  name.setAttribute("scope", "row");
  const colour = says.paints.colour === "class" ? [] : [made("td", says.word(cell))];
  row.append(name, made("td", says.className(cell)), ...colour);
  row.append(made("td", figure(cell, says), "n"), made("td", says.share(cell), "n"), made("td", exact(cell.depth), "n"));
  return row;
}

/**
 * @param {Cell} cell
 * @param {MapSays} says
 */
function figure({ amount }, { amounts }) {
  return amounts.area === "flops" ? `${exact(amount)}, ${exact(Math.floor(amount / 2))}` : exact(amount);
}

/**
 * @param {Cell[]} cells in pre-order
 * @param {MapSays} says
 * @returns {HTMLTableElement}
 */
export function tableOf(cells, says) {
  const table = document.createElement("table");
  table.className = "table table-ruled";
  const total = ngettext("%(num)s module of the map", "%(num)s modules of the map", cells.length, { num: exact(cells.length) });
  const listed = _("The first %(num)s of %(all)s modules of the map", { num: exact(MOST_ROWS), all: exact(cells.length) });
  const head = document.createElement("tr");
  const heads = headsOf(says);
  for (const [at, text] of heads.entries()) {
    const cell = made("th", text, at >= heads.length - 3 ? "n" : "");
    cell.setAttribute("scope", "col");
    head.append(cell);
  }
  const body = document.createElement("tbody");
  body.append(...cells.slice(0, MOST_ROWS).map((cell) => rowOf(cell, says)));
  table.append(made("caption", cells.length > MOST_ROWS ? listed : total), made("thead", head), body);
  return table;
}

/**
 * @param {HTMLElement} place
 * @param {HTMLTableElement} table put there, the focus on the module that had it
 */
export function putTable(place, table) {
  const focused = document.activeElement;
  const row = focused instanceof HTMLElement && place.contains(focused) ? (focused.dataset.row ?? "") : null;
  place.replaceChildren(table);
  if (row === null) return;
  const again = row && table.querySelector(`[data-row="${row}"]`);
  (again instanceof HTMLElement ? again : place).focus({ preventScroll: true });
}
