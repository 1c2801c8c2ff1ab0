// What is known of a run from its events, by column; events that come twice change nothing.

/**
 * @typedef {object} EpochEvent
 * @property {number} epoch
 * @property {number | null} loss
 * @property {string} at
 * @property {number} [slope]
 * @property {number} [intercept]
 * @property {string} [nonfinite]
 */

/**
 * @typedef {object} EpochsEvent
 * @property {[number, number]} epoch
 * @property {(number | null)[]} loss
 * @property {string} at
 * @property {number} [slope]
 * @property {number} [intercept]
 * @property {[number, number, string][]} [nonfinite]
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
    /** @type {(number | null)[]} */
    this.losses = [];
    /** @type {Map<number, string>} */
    this.nonfinite = new Map();
    /** @type {Map<number, Line>} */
    this.lines = new Map();
    /** @type {Line | null} */
    this.line = null;
    this.status = "";
    this.lastId = 0;
    this.firstAt = NaN;
    this.lastAt = NaN;
    /** @type {Run | null} */
    this.run = null;
  }

  /** How many epochs are done. */
  get done() {
    return this.losses.length;
  }

  /** Seconds an epoch takes, NaN before there are two. */
  get each() {
    return this.done > 1 ? (this.lastAt - this.firstAt) / 1000 / (this.done - 1) : NaN;
  }

  /**
   * @param {string} kind of the event
   * @param {unknown} data of the event, decoded
   * @param {number} id of the event
   */
  take(kind, data, id) {
    if (kind === "epoch") this.#epoch(/** @type {EpochEvent} */ (data));
    if (kind === "epochs") this.#epochs(/** @type {EpochsEvent} */ (data));
    if (kind === "status") this.status = /** @type {{status: string}} */ (data).status;
    if (kind === "end") this.#end(/** @type {Run} */ (data));
    if (id > this.lastId) this.lastId = id;
  }

  /** @param {EpochEvent} event */
  #epoch(event) {
    if (event.epoch !== this.done) return;
    this.losses.push(event.loss);
    if (event.nonfinite) this.nonfinite.set(event.epoch, event.nonfinite);
    this.#seen(event.epoch, event.at, event.slope, event.intercept);
  }

  /** @param {EpochsEvent} event */
  #epochs(event) {
    const [first, last] = event.epoch;
    if (first > this.done || last < this.done) return;
    for (const loss of event.loss.slice(this.done - first)) this.losses.push(loss);
    for (const [from, to, kind] of event.nonfinite ?? []) {
      for (let epoch = from; epoch <= to; epoch += 1) this.nonfinite.set(epoch, kind);
    }
    this.#seen(last, event.at, event.slope, event.intercept);
  }

  /**
   * @param {number} epoch
   * @param {string} at
   * @param {number | undefined} slope
   * @param {number | undefined} intercept
   */
  #seen(epoch, at, slope, intercept) {
    this.lastAt = Date.parse(at);
    if (Number.isNaN(this.firstAt)) this.firstAt = this.lastAt;
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
