// What a row of the tree says: its words and figures, ready to be drawn.

import { CONTAINERS } from "./hues.js";
import { countParts, exact, percent } from "./numbers.js";
import { clipped } from "./visible.js";
import { _, ngettext } from "./words.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./outline.js").OwnTensor} OwnTensor */
/** @typedef {import("./rows.js").Item} Item */
/** @typedef {{icon: string, word: string, title: string, kind: string}} Badge */

/** A stretch of text; marked where a search asked for it. @typedef {{text: string, isMarked: boolean}} Piece */

/**
 * `count` has the digits, the unit and the exact figure; `share` is a part of the whole tree, from 0 to 1.
 * @typedef {{name: Piece[], many: string, swatch: string, className: Piece[], isInferred: boolean, extra: string,
 *   badges: Badge[], count: [string, string, string], share: number, percent: string, between: string}} Facts
 */

const DASH = "–";

/**
 * @param {string} icon
 * @param {string} word
 * @param {string} title
 * @returns {Badge}
 */
const badge = (icon, word, title = "", kind = "") => ({ icon, word, title, kind });

/** @param {string} text @returns {Piece[]} */
export const plain = (text) => (text ? [{ text, isMarked: false }] : []);

/**
 * @param {number} number
 * @param {number} whole
 * @returns {Pick<Facts, "count" | "share" | "percent">}
 */
export function shareOf(number, whole) {
  return { count: [...countParts(number), exact(number)], share: whole ? number / whole : 0, percent: percent(number, whole) };
}

/**
 * @param {Outline} outline
 * @param {string} className
 * @param {number} numParameters
 * @returns {string} the CSS class of its swatch
 */
export function swatchOf(outline, className, numParameters) {
  if (CONTAINERS.has(className)) return "swatch-box";
  if (!className) return "swatch-unknown";
  return numParameters ? `h${outline.hue(className)}` : "swatch-none";
}

export class RowFacts {
  /**
   * @param {Outline} outline
   * @param {string} rootName
   * @param {boolean} listsTensors whether every row lists its tensors, which then say for themselves what they are
   */
  constructor(outline, rootName, listsTensors) {
    this.outline = outline;
    this.rootName = rootName;
    this.listsTensors = listsTensors;
    this.whole = outline.numParameters(0);
  }

  /**
   * @param {Item} item
   * @returns {Facts}
   */
  of(item) {
    if (item.kind === "tensor") return this.tensor(/** @type {OwnTensor} */ (this.outline.ownTensors(item.row)[item.tensor]));
    return item.kind === "fold" ? this.#fold(item) : this.module(item.row, this.name(item.row));
  }

  /** @param {number} row */
  name(row) {
    return row ? this.outline.place(row).name : this.rootName;
  }

  /** @param {Item} item @returns {string} its own name, as it is */
  nameOf({ kind, row, tensor }) {
    return kind === "tensor" ? (this.outline.ownTensors(row)[tensor]?.name ?? "") : this.name(row);
  }

  /**
   * @param {number} row
   * @param {string} name
   * @returns {Facts}
   */
  module(row, name) {
    const { outline } = this;
    const { class: className, extra_repr: extra } = outline.at(row);
    const number = outline.numParameters(row);
    return {
      name: plain(clipped(name)), many: "", between: "", swatch: swatchOf(outline, className, number),
      className: plain(clipped(className) || "?"), isInferred: outline.isInferred(row), extra: clipped(extra),
      badges: this.badges(row, number), ...shareOf(number, this.whole),
    };
  }

  /**
   * @param {Item} item
   * @returns {Facts}
   */
  #fold({ row, count }) {
    const { outline } = this;
    const { size } = outline.at(row);
    const last = row + (count - 1) * size;
    const [first, end] = [clipped(this.name(row), 40), clipped(this.name(last), 40)];
    const total = outline.totals.ofSiblings(row, count);
    return { ...this.module(row, `(${first}${DASH}${end})`), many: `${exact(count)} ×`, ...shareOf(total, this.whole) };
  }

  /**
   * @param {OwnTensor} tensor
   * @param {string} name
   * @returns {Facts}
   */
  tensor(tensor, name = tensor.name) {
    const { shape, dtype, isBuffer, isPersistent, requiresGrad, tiedTo, numel } = tensor;
    const badges = [];
    if (isBuffer) badges.push(bufferBadge(isPersistent));
    else if (!requiresGrad) badges.push(badge("snowflake", _("frozen"), _("requires no gradient")));
    if (tiedTo) badges.push(badge("link-2", _("tied to %(name)s", { name: clipped(tiedTo, 24) }), _("the same tensor as %(path)s", { path: clipped(tiedTo, 200) })));
    const extra = `${shape ? `[${shape.join(", ")}]` : _("unknown shape")} ${dtype}`;
    const share = isBuffer ? shareOf(0, this.whole) : shareOf(numel, this.whole);
    return { name: plain(clipped(name)), many: "", between: "", swatch: "", className: [], isInferred: false, extra, badges, ...share };
  }

  /**
   * @param {number} row
   * @param {number} numParameters
   * @returns {Badge[]}
   */
  badges(row, numParameters) {
    const { outline, listsTensors } = this;
    const found = [];
    const first = outline.sharedWith(row);
    const tied = first < 0 && !listsTensors ? this.#tied(row) : "";
    if (first >= 0) found.push(badge("link-2", _("shared"), _("the same module as %(path)s", { path: clipped(outline.path(first), 200) || this.rootName })));
    else if (tied) found.push(badge("link-2", _("tied to %(name)s", { name: clipped(tied.split(".").at(-2) ?? this.rootName, 20) }), _("a tensor of it is %(path)s", { path: clipped(tied, 200) })));
    if (numParameters && outline.isFrozen(row)) found.push(badge("snowflake", _("frozen"), _("no parameter below requires a gradient")));
    const { buffers } = outline.at(row);
    if (buffers.length && !listsTensors) {
      const fleeting = buffers.every((buffer) => !buffer.isPersistent);
      const word = ngettext("%(num)s buffer", "%(num)s buffers", buffers.length, { num: exact(buffers.length) });
      found.push(badge("database", word, fleeting ? _("not persistent: left out of the state dict") : "", fleeting ? "dashed" : ""));
    }
    if (outline.isEval(row)) found.push(badge("moon", _("eval"), _("in evaluation mode")));
    const isCut = !outline.hasGradient(row) && (listsTensors || outline.hasGradient(outline.parent(row)));
    if (isCut) found.push(badge("unplug", _("no grad"), _("forward never calls it, so its gradients stay None"), "bad"));
    return found;
  }

  /** @param {number} row @returns {string} the path of what one of its own tensors is tied to */
  #tied(row) {
    const { outline } = this;
    if (outline.sharing.isEmpty) return "";
    const { parameters, buffers } = outline.at(row);
    for (const tensor of [...parameters, ...buffers]) {
      const path = outline.tiedTo(row, tensor);
      if (path) return path;
    }
    return "";
  }
}

/** @param {boolean} isPersistent */
export function bufferBadge(isPersistent) {
  if (isPersistent) return badge("database", _("buffer"));
  return badge("database", _("buffer"), _("not persistent: left out of the state dict"), "dashed");
}
