// The rows of a tree that are to be seen, in order: any of them can be asked for, what is shut or like others costs nothing.

import { OPEN, SHUT, WITH_TENSORS } from "./open_state.js";
import { partAt } from "./row_parts.js";
import { RowTree } from "./row_tree.js";

/** @typedef {import("./shapes.js").Shape} Shape */

/**
 * A row: a module, a fold of `count` modules of which `row` is the first, or a tensor of the module at `row`.
 * `level`, `position` and `size` are as in ARIA, from 1; `isOpen` is null where there is nothing to open.
 * @typedef {{kind: "module" | "fold" | "tensor", row: number, tensor: number, count: number, level: number,
 *   position: number, size: number, isOpen: boolean | null}} Item
 */

/** @typedef {Pick<Item, "kind" | "row" | "tensor">} Key */

export class Rows extends RowTree {
  /** @returns {number} of rows */
  get count() {
    return 1 + this.below(0, this.outline.shapeOf(0)).height;
  }

  /**
   * @param {number} index from 0
   * @returns {Item}
   */
  at(index) {
    let [row, shape, level, position, size] = [0, this.outline.shapeOf(0), 1, 1, 1];
    for (let left = index; left > 0; ) {
      let list = this.below(row, shape);
      left -= 1;
      level += 1;
      for (;;) {
        const part = partAt(list.parts, "start", left);
        if (!part) return this.#module(row, shape, level, position, size);
        left -= part.start;
        const { kind, offset, count, each, inner, before } = part;
        size = list.items;
        if (kind === "tensors") return { kind: "tensor", row, tensor: left, count: 0, level, position: left + 1, size, isOpen: null };
        if (kind === "fold") {
          if (left === 0 || !inner) return { kind: "fold", row: row + offset, tensor: -1, count, level, position: before + 1, size, isOpen: inner !== null };
          [list, left, level] = [inner, left - 1, level + 1];
          continue;
        }
        const at = kind === "plain" ? Math.floor(left / each) : 0;
        left -= at * each;
        shape = part.shape;
        row += offset + at * (this.outline.shapes[shape]?.size ?? 1);
        position = before + at + 1;
        break;
      }
    }
    return this.#module(row, shape, level, position, size);
  }

  /**
   * @param {number} row
   * @param {number} number of its shape
   * @param {number} level
   * @param {number} position
   * @param {number} size
   * @returns {Item}
   */
  #module(row, number, level, position, size) {
    const shape = /** @type {Shape} */ (this.outline.shapes[number]);
    const isLeaf = shape.numChildren + shape.parameters.length + shape.buffers.length === 0;
    const isOpen = isLeaf ? null : this.state.level(row, shape) !== SHUT;
    return { kind: "module", row, tensor: -1, count: 1, level, position, size, isOpen };
  }

  /**
   * @param {Key} key
   * @returns {{index: number, isThere: boolean}} where the row is, or the one that it is hidden in
   */
  find({ kind, row, tensor }) {
    let index = 0;
    const trail = this.outline.places.trail(row);
    for (const [depth, place] of trail.entries()) {
      let list = this.below(place.row, place.shape.number);
      const next = trail[depth + 1];
      if (!next) {
        if (kind !== "tensor") return { index, isThere: kind === "module" };
        const isListed = list.parts[0]?.kind === "tensors" && tensor < list.parts[0].count;
        return { index: isListed ? index + 1 + tensor : index, isThere: isListed };
      }
      const offset = next.row - place.row;
      for (let base = index + 1; ; ) {
        const part = partAt(list.parts, "offset", offset);
        if (!part || part.kind === "tensors") return { index, isThere: false };
        index = base + part.start;
        if (part.kind === "fold") {
          const isIt = kind === "fold" && row === place.row + part.offset;
          if (isIt || !part.inner) return { index, isThere: isIt };
          [list, base] = [part.inner, index + 1];
          continue;
        }
        index += ((offset - part.offset) / next.shape.size) * part.each;
        break;
      }
    }
    return { index, isThere: true };
  }

  /**
   * @param {Key} key of a module or a fold
   * @param {boolean} isOpen
   */
  open({ kind, row }, isOpen) {
    if (kind === "fold") {
      if (isOpen) this.state.runs.add(row);
      else this.state.runs.delete(row);
    } else if (kind === "module") this.state.levels.set(row, isOpen ? WITH_TENSORS : SHUT);
    this.touch(row);
  }

  /**
   * Opens what a row is in, so that it can be seen.
   * @param {number} row
   */
  show(row) {
    for (const above of this.outline.trail(row).slice(0, -1)) {
      if (this.state.level(above, this.outline.at(above)) === SHUT) this.state.levels.set(above, OPEN);
    }
    this.touch(row);
    for (let found = this.find({ kind: "module", row, tensor: -1 }); !found.isThere; found = this.find({ kind: "module", row, tensor: -1 })) {
      const { row: first } = this.at(found.index);
      const parent = this.outline.parent(first);
      const member = this.outline.trail(row).find((each) => this.outline.parent(each) === parent);
      if (member === undefined || this.state.out.has(member)) return;
      this.state.out.add(member);
      this.touch(row);
    }
  }

  /**
   * Lists the tensors of a module that is open, or has nothing else.
   * @param {number} row
   */
  showTensors(row) {
    const shape = this.outline.at(row);
    if (shape.parameters.length + shape.buffers.length === 0) return;
    if (shape.numChildren && this.state.level(row, shape) === SHUT) return;
    this.state.levels.set(row, WITH_TENSORS);
    this.touch(row);
  }
}
