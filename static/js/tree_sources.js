// What the tree's pane lists: the modules with what is in them, one of torch's flat lists, or what a search found.

import { Listing } from "./lib/listing.js";
import { plain } from "./lib/row_facts.js";
import { clipped, visible } from "./lib/visible.js";
import { ngettext } from "./lib/words.js";
import { exact } from "./lib/numbers.js";

/** @typedef {import("./lib/outline.js").Outline} Outline */
/** @typedef {import("./lib/row_facts.js").Facts} Facts */
/** @typedef {import("./lib/row_facts.js").RowFacts} RowFacts */
/** @typedef {import("./lib/row_facts.js").Piece} Piece */
/** @typedef {import("./lib/rows.js").Item} Item */
/** @typedef {import("./lib/rows.js").Key} Key */
/** @typedef {import("./lib/rows.js").Rows} Rows */

/**
 * @typedef {{count: number, isFlat: boolean, at: (index: number) => Item, facts: (index: number) => Facts,
 *   find: (key: Key) => {index: number, isThere: boolean}, isFaint: (index: number) => boolean}} TreeSource
 */

/**
 * @typedef {{name: string, is_buffer: boolean, shape: number[] | null, dtype: string, numel: number, marks?: [number, number][]}} FoundTensor
 * @typedef {{row: number, depth: number, name: string, path: string, class_name: string, num_parameters: number,
 *   is_found: boolean, tensors: FoundTensor[], class_status?: string, marks?: [number, number][],
 *   class_marks?: [number, number][]}} FoundRow
 * @typedef {{q: string, num_modules: number, num_tensors: number, rows: FoundRow[], next: string | null}} FoundPage
 */

/** @implements {TreeSource} */
export class WholeTree {
  isFlat = false;

  /**
   * @param {Rows} rows
   * @param {RowFacts} words
   */
  constructor(rows, words) {
    this.rows = rows;
    this.words = words;
  }

  get count() {
    return this.rows.count;
  }

  /** @param {number} index */
  at(index) {
    return this.rows.at(index);
  }

  /** @param {number} index */
  facts(index) {
    return this.words.of(this.at(index));
  }

  /** @param {Key} key */
  find(key) {
    return this.rows.find(key);
  }

  isFaint() {
    return false;
  }
}

/** @implements {TreeSource} */
export class FlatList {
  isFlat = true;

  /**
   * @param {Outline} outline
   * @param {RowFacts} words
   * @param {import("./lib/listing.js").Kind} kind
   * @param {{removeDuplicate: boolean, recurse: boolean}} options
   */
  constructor(outline, words, kind, options) {
    this.words = words;
    this.listing = new Listing(outline, kind, options);
  }

  get count() {
    return this.listing.count;
  }

  /**
   * @param {number} index
   * @returns {Item}
   */
  at(index) {
    const { row, tensor } = this.listing.at(index);
    const shift = this.listing.kind === "buffers" && tensor >= 0 ? this.words.outline.at(row).parameters.length : 0;
    const kind = tensor < 0 ? "module" : "tensor";
    return { kind, row, tensor: tensor + shift, count: 1, level: 1, position: index + 1, size: this.count, isOpen: null };
  }

  /** @param {number} index */
  facts(index) {
    const place = this.listing.at(index);
    const name = this.listing.name(place);
    if (place.tensor < 0) return this.words.module(place.row, name || this.words.rootName);
    const { outline } = this.words;
    const tensor = outline.ownTensors(place.row)[this.at(index).tensor];
    return this.words.tensor(/** @type {import("./lib/row_facts.js").OwnTensor} */ (tensor), name);
  }

  /** @param {Key} key */
  find(key) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { row, tensor } = this.at(middle);
      if (row < key.row || (row === key.row && tensor < key.tensor)) low = middle + 1;
      else high = middle;
    }
    const index = Math.min(low, this.count - 1);
    return { index: Math.max(index, 0), isThere: index >= 0 && this.at(index).row === key.row };
  }

  isFaint() {
    return false;
  }
}

/** What a search found, as far as it has come. @implements {TreeSource} */
export class Found {
  isFlat = false;
  /** @type {{item: Item, row: FoundRow, tensor: FoundTensor | null, between: number}[]} */
  #lines = [];
  /** The last row on each level. @type {FoundRow[]} */
  #way = [];
  #seen = new Set();

  /**
   * @param {Outline} outline
   * @param {RowFacts} words
   */
  constructor(outline, words) {
    this.outline = outline;
    this.words = words;
  }

  /** @param {FoundRow[]} rows the next of those that were found */
  add(rows) {
    for (const row of rows) {
      if (!this.#seen.has(row.row)) this.#addModule(row);
      for (const tensor of row.tensors) this.#addTensor(row, tensor);
    }
  }

  /** @param {FoundRow} row */
  #addModule(row) {
    this.#seen.add(row.row);
    while (this.#way.length && this.outline.end(this.#way.at(-1)?.row ?? 0) <= row.row) this.#way.pop();
    const between = row.depth - (this.#way.at(-1)?.depth ?? -1) - 1;
    this.#push("module", row, null, this.#way.length + 1, between);
    this.#way.push(row);
  }

  /**
   * @param {FoundRow} row
   * @param {FoundTensor} tensor
   */
  #addTensor(row, tensor) {
    const level = this.#way.findIndex((above) => above.row === row.row) + 2;
    this.#push("tensor", row, tensor, level, 0);
  }

  /**
   * @param {"module" | "tensor"} kind
   * @param {FoundRow} row
   * @param {FoundTensor | null} tensor
   * @param {number} level
   * @param {number} between
   */
  #push(kind, row, tensor, level, between) {
    const own = tensor ? this.outline.ownTensors(row.row).findIndex((each) => each.name === tensor.name && each.isBuffer === tensor.is_buffer) : -1;
    // What is on a level is known when all has come: until then a reader is told that it is not (-1).
    const item = { kind, row: row.row, tensor: own, count: 1, level, position: 1, size: -1, isOpen: null };
    this.#lines.push({ item, row, tensor, between });
  }

  get count() {
    return this.#lines.length;
  }

  /** @param {number} index */
  #line(index) {
    return /** @type {{item: Item, row: FoundRow, tensor: FoundTensor | null, between: number}} */ (this.#lines[index]);
  }

  /** @param {number} index @returns {Item} */
  at(index) {
    return this.#line(index).item;
  }

  /** @param {number} index @returns {Facts} */
  facts(index) {
    const { row, tensor, between, item } = this.#line(index);
    if (tensor) {
      const own = this.outline.ownTensors(row.row)[item.tensor];
      const facts = own ? this.words.tensor(own) : this.words.module(row.row, tensor.name);
      return { ...facts, name: marked(tensor.name, tensor.marks) };
    }
    const name = row.row ? row.name : this.words.rootName;
    const facts = this.words.module(row.row, name);
    const levels = between ? ngettext("%(num)s level between", "%(num)s levels between", between, { num: exact(between) }) : "";
    const className = row.class_name ? marked(row.class_name, row.class_marks) : facts.className;
    return { ...facts, name: marked(name, row.marks), className, between: levels };
  }

  /** @param {Key} key */
  find(key) {
    const index = this.#lines.findIndex(({ item }) => item.row === key.row && (key.kind !== "tensor" || item.tensor === key.tensor));
    return { index: Math.max(index, 0), isThere: index >= 0 };
  }

  /** @param {number} index */
  isFaint(index) {
    const { row, tensor } = this.#line(index);
    return !tensor && !row.is_found;
  }

  /** @returns {number} the first line that was found itself, -1 for none */
  get first() {
    return this.#lines.findIndex((_line, index) => !this.isFaint(index));
  }
}

/**
 * @param {string} text
 * @param {[number, number][]} spans in characters
 * @returns {Piece[]}
 */
function marked(text, spans = []) {
  const chars = Array.from(text);
  if (!spans.length || chars.length > 80) return plain(clipped(text));
  const pieces = [];
  let from = 0;
  for (const [start, stop] of spans) {
    pieces.push({ text: visible(chars.slice(from, start).join("")), isMarked: false });
    pieces.push({ text: visible(chars.slice(start, stop).join("")), isMarked: true });
    from = stop;
  }
  pieces.push({ text: visible(chars.slice(from).join("")), isMarked: false });
  return pieces.filter((piece) => piece.text);
}
