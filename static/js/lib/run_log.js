// What is known of a run from its events, by column; events that come twice change nothing.

import { Points } from "./points.js";

/** @typedef {import("./points.js").Curve} Curve */
/** @typedef {[number, number, string]} Span first epoch, last epoch and kind of losses that are not finite */

/**
 * @typedef {object} EpochEvent
 * @property {number} epoch
 * @property {number | null} loss
 * @property {string} at
 * @property {number} [slope]
 * @property {number} [intercept]
 * @property {number | null} [validation_loss]
 * @property {string} [nonfinite]
 */

/**
 * @typedef {object} EpochsEvent
 * @property {[number, number]} epoch
 * @property {(number | null)[]} loss
 * @property {string} at
 * @property {number} [slope]
 * @property {number} [intercept]
 * @property {(number | null)[]} [validation_loss]
 * @property {Span[]} [nonfinite]
 */

/**
 * @typedef {object} ModulesEvent
 * @property {number} epoch
 * @property {(number | null)[]} gradient_norm
 * @property {boolean[]} has_gradient
 * @property {Record<string, number[]>} [nonfinite]
 */

/**
 * @typedef {object} Run
 * @property {string} id
 * @property {string} status
 * @property {number} epochs
 * @property {number} epochs_done
 * @property {{slope: number, intercept: number} | null} [fit]
 * @property {string | null} [error]
 */

/**
 * @typedef {object} Picture a run in few points, after the event `last_event`
 * @property {Run} run
 * @property {number} last_event
 * @property {number} num_epochs
 * @property {number} seconds
 * @property {Curve & {nonfinite: Span[]}} loss
 * @property {Curve | null} smoothed
 * @property {Curve | null} validation_loss
 */

/**
 * @typedef {object} Line
 * @property {number} epoch
 * @property {number} slope
 * @property {number} intercept
 */

const KEPT_LINES = 400;
const EARLY = 3;

export class RunLog {
  /** @param {number} epochs how many are to come in all */
  constructor(epochs) {
    this.epochs = epochs;
    this.losses = new Points();
    this.validation = new Points();
    /** @type {Span[]} */
    this.nonfinite = [];
    /** @type {Map<number, Line>} */
    this.lines = new Map();
    /** The norm of all gradients together, by epoch; NaN where none arrived. @type {Map<number, number>} */
    this.gradients = new Map();
    /** @type {Line | null} */
    this.line = null;
    this.status = "";
    this.lastId = 0;
    /** How many epochs came in few points. */
    this.drawn = 0;
    this.trained = 0;
    this.timed = 0;
    this.lastAt = NaN;
    /** @type {Run | null} */
    this.run = null;
  }

  /** How many epochs are done. */
  get done() {
    return this.losses.end;
  }

  /** Seconds an epoch takes while the run trains, NaN before there are two. */
  get each() {
    return this.timed ? this.trained / this.timed : NaN;
  }

  /**
   * @param {number} epoch
   * @returns {number | null | undefined} null where it is not finite, undefined where it is not known
   */
  lossAt(epoch) {
    return this.losses.at(epoch);
  }

  /**
   * @param {number} epoch
   * @returns {string} nan, inf or -inf; "" where the loss is finite
   */
  kindAt(epoch) {
    return this.nonfinite.findLast(([first, last]) => first <= epoch && epoch <= last)?.[2] ?? "";
  }

  /**
   * Begins with a picture in place of all events up to one.
   * @param {Picture} picture
   */
  begin(picture) {
    this.losses = Points.of(picture.loss);
    this.validation = Points.of(picture.validation_loss ?? { epoch: [], value: [] });
    this.nonfinite = [...picture.loss.nonfinite];
    this.drawn = picture.num_epochs;
    this.status = picture.run.status;
    this.lastId = picture.last_event;
    this.trained = picture.seconds;
    this.timed = Math.max(picture.num_epochs - 1, 0);
  }

  /**
   * @param {string} kind of the event
   * @param {unknown} data of the event, decoded
   * @param {number} id of the event
   */
  take(kind, data, id) {
    if (kind === "epoch") this.#epoch(/** @type {EpochEvent} */ (data));
    if (kind === "epochs") this.#epochs(/** @type {EpochsEvent} */ (data));
    if (kind === "modules") this.#modules(/** @type {ModulesEvent} */ (data));
    if (kind === "status") this.#status(/** @type {{status: string}} */ (data).status);
    if (kind === "end") this.#end(/** @type {Run} */ (data));
    if (id > this.lastId) this.lastId = id;
  }

  /** @param {ModulesEvent} event */
  #modules({ epoch, gradient_norm, has_gradient, nonfinite }) {
    let squares = 0;
    for (const each of gradient_norm) squares += (each ?? 0) ** 2;
    const norm = nonfinite?.gradient_norm ? Infinity : Math.sqrt(squares);
    this.gradients.set(epoch, has_gradient.some(Boolean) ? norm : NaN);
    if (this.gradients.size > KEPT_LINES) this.gradients.delete(this.gradients.keys().next().value ?? epoch);
  }

  /** @param {string} status */
  #status(status) {
    this.status = status;
    // The time until the next epoch is not one of training.
    this.lastAt = NaN;
  }

  /** @param {EpochEvent} event */
  #epoch(event) {
    if (event.epoch !== this.done) return;
    this.losses.push(event.epoch, event.loss ?? NaN);
    if (event.validation_loss !== undefined) this.validation.push(event.epoch, event.validation_loss ?? NaN);
    if (event.nonfinite) this.#gap([event.epoch, event.epoch, event.nonfinite]);
    this.#seen(event.epoch, 1, event.at, event.slope, event.intercept);
  }

  /** @param {EpochsEvent} event */
  #epochs(event) {
    const [first, last] = event.epoch;
    const done = this.done;
    if (first > done || last < done) return;
    for (let epoch = done; epoch <= last; epoch += 1) {
      this.losses.push(epoch, event.loss[epoch - first] ?? NaN);
      if (event.validation_loss) this.validation.push(epoch, event.validation_loss[epoch - first] ?? NaN);
    }
    for (const span of event.nonfinite ?? []) if (span[1] >= done) this.#gap(span);
    this.#seen(last, last + 1 - done, event.at, event.slope, event.intercept);
  }

  /** @param {Span} span */
  #gap(span) {
    const before = this.nonfinite.at(-1);
    if (before && before[2] === span[2] && before[1] >= span[0] - 1) before[1] = span[1];
    else this.nonfinite.push([...span]);
  }

  /**
   * @param {number} epoch
   * @param {number} count of epochs since the last call
   * @param {string} at
   * @param {number | undefined} slope
   * @param {number | undefined} intercept
   */
  #seen(epoch, count, at, slope, intercept) {
    const now = Date.parse(at);
    if (!Number.isNaN(this.lastAt)) {
      this.trained += Math.max(now - this.lastAt, 0) / 1000;
      this.timed += count;
    }
    this.lastAt = now;
    if (slope === undefined || intercept === undefined) return;
    this.line = { epoch, slope, intercept };
    this.lines.set(epoch, this.line);
    if (this.lines.size > KEPT_LINES) {
      for (const old of this.lines.keys()) {
        if (old >= EARLY) {
          this.lines.delete(old);
          break;
        }
      }
    }
  }

  /** @param {Run} run */
  #end(run) {
    this.run = run;
    this.status = run.status;
    if (run.fit) this.line = { epoch: this.done, slope: run.fit.slope, intercept: run.fit.intercept };
  }
}
