// What the map says of a cell: in it, beside the pointer, to a screen reader, and in the table.

import { count, exact, numBytes, percent, significant } from "./numbers.js";
import { clipped } from "./visible.js";
import { _, ngettext } from "./words.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./amounts.js").Amounts} Amounts */
/** @typedef {import("./amounts.js").Area} Area */
/** @typedef {import("./paints.js").Paints} Paints */
/** @typedef {import("./paints.js").Paint} Paint */
/** @typedef {import("./icicle.js").Cell} Cell */

const FLOPS_PER_MAC = 2;

/**
 * @param {number} amount
 * @param {Area} area
 * @returns {string} in short
 */
export function short(amount, area) {
  if (area === "flops") return _("%(num)s FLOPs", { num: count(amount) });
  return area === "bytes" ? numBytes(amount) : count(amount);
}

/**
 * @param {number} amount
 * @param {Area} area
 * @returns {string} every digit, with its unit
 */
export function whole(amount, area) {
  const num = exact(amount);
  if (area === "bytes") return ngettext("%(num)s byte", "%(num)s bytes", amount, { num });
  if (area === "parameters") return ngettext("%(num)s parameter", "%(num)s parameters", amount, { num });
  return _("%(flops)s FLOPs, %(macs)s MACs", { flops: num, macs: exact(Math.floor(amount / FLOPS_PER_MAC)) });
}

/**
 * @param {MapSays} says
 * @returns {string} what height and colour mean, for a map that stands alone
 */
export function footOf({ amounts, paints: { colour, heat } }) {
  const height = { parameters: _("parameters"), bytes: _("bytes"), flops: "FLOPs" }[amounts.area];
  if (colour !== "heat" || !heat) {
    return _("Height: %(height)s. Colour: %(colour)s.", { height, colour: { class: _("class"), dtype: "dtype", trainable: _("trainable"), heat: "" }[colour] });
  }
  const [low, high] = heat.range.map((value) => significant(value));
  return _("Height: %(height)s. Colour: %(colour)s, from %(low)s to %(high)s.", { height, colour: heat.title ?? heat.label, low: low ?? "", high: high ?? "" });
}

export class MapSays {
  /** @type {Map<Cell, Paint>} */
  #paints = new Map();

  /**
   * @param {Outline} outline
   * @param {Amounts} amounts
   * @param {Paints} paints
   * @param {string} rootName
   */
  constructor(outline, amounts, paints, rootName) {
    this.outline = outline;
    this.amounts = amounts;
    this.paints = paints;
    this.rootName = rootName;
  }

  paint = (/** @type {Cell} */ cell) => {
    const known = this.#paints.get(cell) ?? this.paints.of(cell);
    this.#paints.set(cell, known);
    return known;
  };

  /** @param {Cell} cell @returns {string} its name, and of how many it is: those amount to what the cell does */
  name = (cell) => {
    if (cell.times === 1) return this.ownName(cell);
    const num = exact(cell.times);
    return cell.count > 1 ? _("%(num)s ×", { num }) : _("%(num)s × %(name)s", { num, name: this.ownName(cell) });
  };

  count = (/** @type {Cell} */ { amount }) => (this.amounts.area === "bytes" ? numBytes(amount) : count(amount));

  /** @param {Cell} cell @returns {string} its own name, or that of the first of several */
  ownName = ({ row }) => clipped(row ? this.outline.place(row).name : this.rootName);

  /** @param {Cell} cell @returns {string} the name, and of how many */
  fullName(cell) {
    if (cell.count === 1) return this.name(cell);
    return _("%(num)s × from %(name)s on", { num: exact(cell.times), name: this.ownName(cell) });
  }

  /** @param {Cell} cell */
  exact(cell) {
    return whole(cell.amount, this.amounts.area);
  }

  /** @param {Cell} cell @returns {string} of the whole tree */
  share({ amount }) {
    return percent(amount, this.amounts.total);
  }

  /** @param {Cell} cell @returns {string} what the colour says where that is not the class */
  word(cell) {
    return this.paints.colour === "class" ? "" : this.paint(cell).word;
  }

  /** @param {Cell} cell @returns {string} */
  className({ shape }) {
    return shape.class ? clipped(shape.class) : _("class not known");
  }

  /** @param {Cell} cell @returns {string} all of it in one line */
  line(cell) {
    const share = _("%(share)s of the tree", { share: this.share(cell) });
    return [this.fullName(cell), this.className(cell), this.word(cell), this.exact(cell), share].filter((part) => part).join(", ");
  }
}
