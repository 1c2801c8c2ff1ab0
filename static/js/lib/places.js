// Where in a tree a place is: found by going down its distinct shapes, which are never expanded.

import { nameAt, numbered } from "./shapes.js";

/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./shapes.js").Entry} Entry */

/**
 * A place, in pre-order. `position` is that among its parent's children; `parameter`, `buffer` and `elements` are what
 * the places before it hold, what is shared counted each time.
 * @typedef {{row: number, shape: Shape, name: string, depth: number, parent: number, position: number,
 *   parameter: number, buffer: number, elements: number}} Place
 */

/** @typedef {"row" | "parameter" | "buffer" | "position"} Key what an entry is counted by */

/**
 * @param {Entry[]} entries
 * @param {Key} key
 * @param {number} value
 * @returns {Entry | undefined} the last entry that does not begin after the value
 */
function entryAt(entries, key, value) {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Entry} */ (entries[middle])[key] <= value) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1];
}

/** @type {Record<"row" | "parameter" | "buffer", "size" | "parameterEntries" | "bufferEntries">} */
const EXTENT = { row: "size", parameter: "parameterEntries", buffer: "bufferEntries" };

export class Places {
  /** The way to the place that was asked for last: the next is often near. @type {Place[]} */
  #trail;
  /** @type {Map<number, Map<string, Entry[]>>} */
  #named = new Map();

  /**
   * @param {Shape[]} shapes
   * @param {number} root its number
   */
  constructor(shapes, root) {
    this.shapes = shapes;
    const shape = /** @type {Shape} */ (shapes[root]);
    this.#trail = [{ row: 0, shape, name: "", depth: 0, parent: -1, position: 0, parameter: 0, buffer: 0, elements: 0 }];
  }

  /** @returns {Place} */
  get root() {
    return /** @type {Place} */ (this.#trail[0]);
  }

  /** @returns {number} of places */
  get count() {
    return this.root.shape.size;
  }

  /**
   * @param {number} row
   * @returns {Place}
   */
  at(row) {
    return this.#last("row", row);
  }

  /**
   * @param {number} row
   * @returns {readonly Place[]} from the root to the row
   */
  trail(row) {
    this.#last("row", row);
    return this.#trail.slice();
  }

  /**
   * @param {"parameter" | "buffer"} key
   * @param {number} entry counted over all places in pre-order
   * @returns {Place} the one that owns it
   */
  owner(key, entry) {
    return this.#last(key, entry);
  }

  /**
   * @param {"row" | "parameter" | "buffer"} key
   * @param {number} value
   * @returns {Place}
   */
  #last(key, value) {
    const trail = this.#trail;
    const own = key === "row" ? null : key === "parameter" ? "parameters" : "buffers";
    let place = /** @type {Place} */ (trail.at(-1));
    while (trail.length > 1 && (value < place[key] || value >= place[key] + place.shape[EXTENT[key]])) {
      trail.pop();
      place = /** @type {Place} */ (trail.at(-1));
    }
    for (;;) {
      const inside = value - place[key];
      const entry = inside < (own ? place.shape[own].length : 1) ? undefined : entryAt(place.shape.entries, key, inside);
      if (!entry) return place;
      const extent = /** @type {Shape} */ (this.shapes[entry.shape])[EXTENT[key]];
      place = this.#child(place, entry, extent ? Math.floor((inside - entry[key]) / extent) : 0);
      trail.push(place);
    }
  }

  /**
   * @param {Place} place
   * @param {Entry} entry one of its shape's
   * @param {number} at which of the entry's children
   * @returns {Place}
   */
  #child(place, entry, at) {
    const shape = /** @type {Shape} */ (this.shapes[entry.shape]);
    return {
      row: place.row + entry.row + at * shape.size,
      shape,
      name: nameAt(entry, at),
      depth: place.depth + 1,
      parent: place.row,
      position: entry.position + at,
      parameter: place.parameter + entry.parameter + at * shape.parameterEntries,
      buffer: place.buffer + entry.buffer + at * shape.bufferEntries,
      elements: place.elements + entry.elements + at * shape.numParameters,
    };
  }

  /**
   * @param {Place} place
   * @param {number} position
   * @returns {Place} its child there
   */
  child(place, position) {
    const entry = /** @type {Entry} */ (entryAt(place.shape.entries, "position", position));
    return this.#child(place, entry, position - entry.position);
  }

  /**
   * @param {number} row
   * @returns {Iterable<Place>} its children, in order
   */
  *children(row) {
    const place = this.at(row);
    for (const entry of place.shape.entries) {
      for (let at = 0; at < entry.count; at += 1) yield this.#child(place, entry, at);
    }
  }

  /** @param {number} row */
  path(row) {
    this.#last("row", row);
    return this.#trail.slice(1).map((place) => place.name).join(".");
  }

  /**
   * @param {string} path
   * @returns {number} the row it leads to, -1 where there is none
   */
  rowOf(path) {
    let place = this.root;
    for (const name of path ? path.split(".") : []) {
      const found = this.#childNamed(place.shape, name);
      if (!found) return -1;
      place = this.#child(place, ...found);
    }
    return place.row;
  }

  /**
   * @param {Shape} shape
   * @param {string} name
   * @returns {[Entry, number] | null} which of its children has the name
   */
  #childNamed(shape, name) {
    let named = this.#named.get(shape.number);
    if (!named) {
      named = new Map();
      for (const entry of shape.entries) named.get(entry.prefix)?.push(entry) ?? named.set(entry.prefix, [entry]);
      this.#named.set(shape.number, named);
    }
    const alone = named.get(name)?.find((entry) => !entry.number);
    if (alone) return [alone, 0];
    const counted = numbered(name);
    for (const entry of (counted && named.get(counted.prefix)) ?? []) {
      if (!counted || !entry.number) continue;
      const at = Number(BigInt(counted.number) - BigInt(entry.number));
      if (at >= 0 && at < entry.count) return [entry, at];
    }
    return null;
  }

  /**
   * @param {number} left
   * @param {number} right not before it
   * @returns {number} the row under which both are, or which one of them is
   */
  meet(left, right) {
    this.#last("row", right);
    const above = this.#trail.findLast((place) => place.row <= left);
    return above ? above.row : 0;
  }
}
