// What stands beside the pointer over the map: all of it is in the table and in the inspector too.

import { _ } from "./lib/words.js";

/** @typedef {import("./lib/icicle.js").Cell} Cell */
/** @typedef {import("./lib/map_says.js").MapSays} MapSays */

const AWAY = 14;

export class MapTip {
  constructor() {
    this.element = document.createElement("div");
    this.element.className = "map-tip";
    this.element.setAttribute("aria-hidden", "true");
    this.element.hidden = true;
  }

  /**
   * @param {Cell} cell
   * @param {MapSays} says
   * @param {{x: number, y: number, width: number, height: number}} at the pointer, in a stage of that size
   */
  show(cell, says, { x, y, width, height }) {
    const name = document.createElement("b");
    name.textContent = says.fullName(cell);
    const about = document.createElement("span");
    about.textContent = [says.className(cell), says.word(cell)].filter((part) => part).join(", ");
    const extra = document.createElement("small");
    extra.textContent = cell.shape.extra_repr.split("\n")[0] ?? "";
    const figures = document.createElement("div");
    figures.className = "num";
    figures.textContent = `${says.exact(cell)}, ${_("%(share)s of the tree", { share: says.share(cell) })}`;
    this.element.replaceChildren(name, about, ...(extra.textContent ? [extra] : []), figures);
    this.element.hidden = false;
    const { offsetWidth, offsetHeight } = this.element;
    const left = x + AWAY + offsetWidth > width ? x - AWAY - offsetWidth : x + AWAY;
    const top = y + AWAY + offsetHeight > height ? y - AWAY - offsetHeight : y + AWAY;
    this.element.style.translate = `${Math.max(left, 0)}px ${Math.max(top, 0)}px`;
  }

  /** @returns {boolean} whether it stood there */
  hide() {
    const stood = !this.element.hidden;
    this.element.hidden = true;
    return stood;
  }
}
