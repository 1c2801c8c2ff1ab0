// An exponential moving average without its bias to zero, as it grows; app/training/smoothing.py says the same.

import { Points } from "./points.js";

/** @typedef {import("./points.js").Curve} Curve */

export class Smoothed {
  /** @param {number} factor from 0 to under 1 */
  constructor(factor) {
    this.factor = factor;
    this.points = new Points();
    this.average = 0;
    this.count = 0;
    this.end = 0;
  }

  /**
   * Goes on from what the server has smoothed.
   * @param {number} factor
   * @param {Curve} curve
   * @param {number} numEpochs
   * @returns {Smoothed}
   */
  static after(factor, curve, numEpochs) {
    const smoothed = new Smoothed(factor);
    smoothed.points = Points.of(curve);
    smoothed.count = numEpochs;
    smoothed.average = (curve.value.findLast((value) => value !== null) ?? 0) * (1 - factor ** numEpochs);
    smoothed.end = numEpochs;
    return smoothed;
  }

  /**
   * Takes what is new.
   * @param {Points} points with every epoch since the last call
   */
  take(points) {
    for (let place = points.from(this.end); place < points.count; place += 1) {
      const value = points.value[place] ?? NaN;
      if (!Number.isFinite(value)) {
        this.points.push(points.epoch[place] ?? 0, NaN);
        continue;
      }
      this.count += 1;
      this.average = this.average * this.factor + (1 - this.factor) * value;
      this.points.push(points.epoch[place] ?? 0, this.average / (1 - this.factor ** this.count));
    }
    this.end = points.end;
  }
}
