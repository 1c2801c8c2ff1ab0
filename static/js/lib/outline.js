// A tree as its distinct shapes tell it: every place of it can be asked for, none is made before it is.

import { hues } from "./hues.js";
import { Places } from "./places.js";
import { Runs } from "./runs.js";
import { shapesOf } from "./shapes.js";
import { Sharing } from "./sharing.js";
import { Spans } from "./spans.js";
import { Totals } from "./totals.js";

/** @typedef {import("./places.js").Place} Located */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./shapes.js").Tensor} Tensor */
/** @typedef {import("./shapes.js").ShapesAnswer} ShapesAnswer */

/** A place: `shape` numbers it, `position` is that among its parent's children. @typedef {{row: number, shape: number, name: string, depth: number, parent: number, position: number}} Place */

/** A module's own parameter or buffer; `tiedTo` is where the same tensor stands first, "" where that is here. @typedef {Tensor & {requiresGrad: boolean, tiedTo: string}} OwnTensor */

export class Outline {
  /** @param {ShapesAnswer} answer of `/api/trees/{id}/shapes` */
  constructor(answer) {
    this.shapes = shapesOf(answer);
    this.places = new Places(this.shapes, answer.root);
    this.sharing = new Sharing(this.places, answer.shared);
    this.frozen = new Spans(answer.frozen);
    this.evaluating = new Spans(answer.eval);
    this.unreached = new Spans(answer.no_grad);
    this.totals = new Totals(this.places, this.sharing, this.frozen);
    this.likeness = new Runs(this.places, this.sharing, this.frozen, this.evaluating);
    this.hues = hues(this.shapes.map((shape) => shape.class));
    this.count = this.places.count;
  }

  /**
   * @param {number} row
   * @returns {Shape} what the module and all below it look like
   */
  at(row) {
    return this.places.at(row).shape;
  }

  /** @param {number} row */
  shapeOf(row) {
    return this.at(row).number;
  }

  /**
   * @param {number} row
   * @returns {Place}
   */
  place(row) {
    return placeOf(this.places.at(row));
  }

  /** @param {number} row */
  path(row) {
    return this.places.path(row);
  }

  /**
   * @param {string} path
   * @returns {number} -1 where it leads nowhere
   */
  rowOf(path) {
    return this.places.rowOf(path);
  }

  /**
   * @param {number} row
   * @returns {number} the row after its subtree
   */
  end(row) {
    return row + this.at(row).size;
  }

  /**
   * @param {number} row
   * @returns {number} -1 for the root
   */
  parent(row) {
    return this.places.at(row).parent;
  }

  /**
   * @param {number} row
   * @returns {number[]} the rows from the root to it
   */
  trail(row) {
    return this.places.trail(row).map((place) => place.row);
  }

  /**
   * @param {number} row
   * @returns {Iterable<Place>}
   */
  *children(row) {
    for (const place of this.places.children(row)) yield placeOf(place);
  }

  /**
   * @param {number} row
   * @returns {import("./runs.js").Run[]} its children, like neighbours together
   */
  runs(row) {
    return this.likeness.of(row);
  }

  /** @param {number} row */
  numModules(row) {
    return this.totals.of(row, "modules");
  }

  /** @param {number} row */
  numParameters(row) {
    return this.totals.of(row, "parameters");
  }

  /** @param {number} row */
  numTrainable(row) {
    return this.totals.of(row, "trainable");
  }

  /** @param {number} row */
  numBuffers(row) {
    return this.totals.of(row, "buffers");
  }

  /** @param {number} row */
  numBytes(row) {
    return this.totals.of(row, "bytes");
  }

  /**
   * @param {number} row
   * @returns {OwnTensor[]} parameters, then buffers
   */
  ownTensors(row) {
    const { shape, parameter } = this.places.at(row);
    return [...shape.parameters, ...shape.buffers].map((tensor, at) => ({
      ...tensor,
      requiresGrad: !tensor.isBuffer && !this.frozen.has(parameter + at),
      tiedTo: this.tiedTo(row, tensor),
    }));
  }

  /**
   * @param {number} row
   * @param {Tensor} tensor one of its own
   * @returns {string} the path of the same tensor's first place, "" where it is this
   */
  tiedTo(row, tensor) {
    if (this.sharing.isEmpty) return "";
    const first = this.sharing.originOf(row, tensor);
    if (first.row === row && first.name === tensor.name) return "";
    return first.row ? `${this.path(first.row)}.${first.name}` : first.name;
  }

  /** @param {number} row @returns {string} "" where it is not known */
  className(row) {
    return this.at(row).class;
  }

  /**
   * @param {string} className
   * @returns {number} 0 to 23, -1 for a container and for a class that is not known
   */
  hue(className) {
    return this.hues.get(className) ?? -1;
  }

  /** @param {number} row @returns {boolean} whether there are parameters below and none of them requires a gradient */
  isFrozen(row) {
    return this.frozen.count > 0 && this.numParameters(row) > 0 && this.numTrainable(row) === 0;
  }

  /** @param {number} row */
  isEval(row) {
    return this.evaluating.has(row);
  }

  /** @param {number} row @returns {boolean} whether its class was concluded from names and shapes */
  isInferred(row) {
    return this.at(row).isInferred;
  }

  /**
   * @param {number} row
   * @returns {number} the first place of the same module, -1 where it is this
   */
  sharedWith(row) {
    const first = this.sharing.origin(row);
    return first === row ? -1 : first;
  }

  /** @param {number} row @returns {boolean} whether the root's forward calls it, as far as is known */
  hasGradient(row) {
    return !this.unreached.has(row);
  }
}

/**
 * @param {Located} place
 * @returns {Place}
 */
const placeOf = ({ row, shape, name, depth, parent, position }) => ({ row, shape: shape.number, name, depth, parent, position });
