// The map by keyboard: one stop for Tab, and the cell that has the focus told as a row of the tree is.

import { walked } from "./lib/cells.js";
import { boxOf } from "./lib/scene.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/icicle.js").Cell} Cell */
/** @typedef {import("./lib/panels.js").Panel} Panel */
/** @typedef {import("./lib/map_says.js").MapSays} MapSays */

/** @typedef {{cells: Cell[], panels: Panel[], says: MapSays, selection: number[]}} Walked */

let turn = 0;

export class MapWalk {
  #at = 0;
  /** @type {Walked | null} */
  #shown = null;

  constructor() {
    this.element = document.createElement("div");
    this.ring = document.createElement("div");
    this.element.className = "map-walk";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "tree");
    this.element.setAttribute("aria-multiselectable", "true");
    this.element.setAttribute("aria-label", _("Map"));
    this.element.setAttribute("aria-description", _("Arrow keys walk, Enter selects, Enter again zooms in, Escape zooms out, t shows a table."));
    this.ring.className = "map-focus";
    this.ring.hidden = true;
    this.element.addEventListener("focus", () => this.#tell());
  }

  /** @returns {Cell | null} the cell that has the focus */
  get cell() {
    return this.#shown?.cells[this.#at] ?? null;
  }

  /**
   * @param {Walked} shown
   * @param {boolean} goes whether the focus goes to the selection
   */
  put(shown, goes) {
    const selected = shown.selection.at(-1) ?? 0;
    const row = goes ? selected : (this.cell?.row ?? selected);
    this.#shown = shown;
    const found = shown.cells.findLastIndex((cell) => cell.row <= row && row < cell.row + cell.count * cell.shape.size);
    this.#at = Math.max(found, 0);
    if (document.activeElement === this.element) this.#tell();
    else this.#setRing();
  }

  /**
   * @param {string} key
   * @returns {boolean} whether the key led somewhere
   */
  go(key) {
    const next = this.#shown ? walked(key, this.#shown.cells, this.#at) : null;
    if (next === null) return false;
    this.#at = next;
    this.#tell();
    return true;
  }

  #tell() {
    const { cell } = this;
    const shown = this.#shown;
    if (!cell || !shown) return;
    // An item of its own for each place: a screen reader says again only what is new.
    const item = document.createElement("div");
    item.className = "hidden-text";
    turn += 1;
    item.id = `map-cell-${turn}`;
    item.setAttribute("role", "treeitem");
    item.setAttribute("aria-level", String(cell.depth + 1));
    item.setAttribute("aria-selected", String(shown.selection.includes(cell.row)));
    item.textContent = shown.says.line(cell);
    this.element.replaceChildren(item);
    this.element.setAttribute("aria-activedescendant", item.id);
    this.#setRing();
  }

  #setRing() {
    const { cell } = this;
    const panel = this.#shown?.panels.findLast((each) => cell && each.cells.includes(cell));
    this.ring.hidden = !cell || !panel;
    if (!cell || !panel) return;
    const { x, y, width, height } = boxOf(cell, panel);
    Object.assign(this.ring.style, { left: `${x}px`, top: `${y}px`, width: `${Math.max(width, 4)}px`, height: `${Math.max(height, 4)}px` });
  }
}
