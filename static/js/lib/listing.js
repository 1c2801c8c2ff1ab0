// The flat lists of a tree, as torch's methods give them: any place of one can be asked for, none is made before.

import { numUpTo, Spans } from "./spans.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./spans.js").Span} Span */
/** @typedef {"modules" | "parameters" | "buffers" | "children"} Kind */

/** A module, or a tensor of its own: `tensor` counts the parameters, or the buffers, of the module; -1 for a module. @typedef {{row: number, tensor: number}} Item */

export class Listing {
  /** @type {Spans} what is left out */
  #removed = new Spans();
  /** @type {number[]} by span of it, what is kept before */
  #kept = [];
  /** @type {number[] | null} */
  #rows = null;

  /**
   * @param {Outline} outline
   * @param {Kind} kind
   * @param {{removeDuplicate?: boolean, recurse?: boolean}} options as torch has them
   */
  constructor(outline, kind, { removeDuplicate = true, recurse = true } = {}) {
    this.outline = outline;
    this.kind = kind;
    const { root } = outline.places;
    const all = kind === "modules" ? root.shape.size : kind === "parameters" ? root.shape.parameterEntries : root.shape.bufferEntries;
    this.total = recurse || kind === "modules" ? all : kind === "parameters" ? root.shape.parameters.length : root.shape.buffers.length;
    if (kind === "children") this.#rows = distinct(outline);
    else if (removeDuplicate) this.#remove(this.#duplicates());
    this.count = this.#rows ? this.#rows.length : this.total - this.#removed.numBefore(this.total);
  }

  /** @param {Span[]} spans */
  #remove(spans) {
    this.#removed = new Spans(spans.sort(([one], [other]) => one - other));
    this.#kept = this.#removed.first.map((first, at) => first - (this.#removed.before[at] ?? 0));
  }

  /** @returns {Span[]} */
  #duplicates() {
    const { places, sharing } = this.outline;
    const repeats = sharing.repeats();
    if (this.kind === "modules") return repeats;
    const isBuffer = this.kind === "buffers";
    const tied = sharing.tied().filter((spot) => spot.isBuffer === isBuffer);
    return [
      ...repeats.map(([row]) => {
        const { shape, parameter, buffer } = places.at(row);
        return /** @type {Span} */ (isBuffer ? [buffer, shape.bufferEntries] : [parameter, shape.parameterEntries]);
      }).filter(([, count]) => count),
      ...tied.map(({ row, name }) => {
        const { shape, parameter, buffer } = places.at(row);
        const at = (isBuffer ? shape.buffers : shape.parameters).findIndex((tensor) => tensor.name === name);
        return /** @type {Span} */ ([(isBuffer ? buffer : parameter) + at, 1]);
      }),
    ];
  }

  /**
   * @param {number} place in the list
   * @returns {Item}
   */
  at(place) {
    if (this.#rows) return { row: this.#rows[place] ?? 0, tensor: -1 };
    const entry = place + (this.#removed.before[numUpTo(this.#kept, place)] ?? 0);
    if (this.kind === "modules") return { row: entry, tensor: -1 };
    const key = this.kind === "buffers" ? "buffer" : "parameter";
    const owner = this.outline.places.owner(key, entry);
    return { row: owner.row, tensor: entry - owner[key] };
  }

  /**
   * @param {Item} item
   * @returns {string} its dotted name
   */
  name({ row, tensor }) {
    const path = this.outline.path(row);
    if (tensor < 0) return path;
    const { parameters, buffers } = this.outline.at(row);
    const name = (this.kind === "buffers" ? buffers : parameters)[tensor]?.name ?? "";
    return path ? `${path}.${name}` : name;
  }
}

/**
 * @param {Outline} outline
 * @returns {number[]} the rows of the root's children, a module that stands twice among them once
 */
function distinct(outline) {
  const rows = [...outline.children(0)].map(({ row }) => row);
  if (outline.sharing.isEmpty) return rows;
  const seen = new Set();
  return rows.filter((row) => {
    const first = outline.sharing.origin(row);
    return !seen.has(first) && seen.add(first);
  });
}
