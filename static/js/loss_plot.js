// The loss by epoch as a chart that grows with the run, other runs dashed behind it.

import uPlot from "../vendor/uplot.js";
import { over, placed, token, under } from "./loss_marks.js";
import { exact, significant } from "./lib/numbers.js";
import { epochTicks, extent, place, scaleOf, takesLog } from "./lib/scale.js";
import { Smoothed } from "./lib/smoothing.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */
/** @typedef {import("./lib/others.js").Other} Other */
/** @typedef {import("./lib/points.js").Curve} Curve */

const DOTS_UNDER = 40;
const EXPAND = 2;
const RAW = "4d";

export class LossPlot {
  /**
   * @param {HTMLElement} box that holds the server's drawing until there is more to show
   * @param {"log" | "linear" | ""} chosen the scale that somebody asked for
   * @param {(epoch: number | null) => void} hover told what is pointed at
   */
  constructor(box, chosen, hover) {
    this.box = box;
    this.chosen = chosen;
    this.hover = hover;
    /** @type {RunLog | null} */
    this.log = null;
    /** @type {Other[]} */
    this.others = [];
    /** @type {Smoothed | null} */
    this.smoothed = null;
    /** @type {Curve[]} what is drawn of the run: its losses, those smoothed, its validation losses */
    this.curves = [];
    this.kind = "";
    /** @type {uPlot | null} */
    this.plot = null;
    this.scale = scaleOf({ low: 0, high: 1, positive: 1, count: 0 }, false);
    this.sizes = new ResizeObserver(() => this.plot?.setSize(this.#size()));
    this.sizes.observe(box);
  }

  /** Whether losses stand on a log axis. */
  get isLog() {
    return this.scale.isLog;
  }

  /** @param {RunLog} log */
  show(log) {
    this.log = log;
    if (!log.done) return;
    this.#thin(log);
    const kind = `${this.scale.isLog} ${this.#lines().join()}`;
    if (!this.plot || this.kind !== kind) this.again();
    else this.plot.setData(this.#data());
    this.kind = kind;
  }

  /** @param {Smoothed | null} smoothed null for the losses as they are */
  smooth(smoothed) {
    this.smoothed = smoothed;
    if (this.log) this.show(this.log);
  }

  /** @param {Other[]} others */
  compare(others) {
    this.others = others;
    if (!this.log?.done) return;
    this.#thin(this.log);
    this.again();
  }

  /** @param {"log" | "linear"} word */
  choose(word) {
    this.chosen = word;
    if (this.log) this.show(this.log);
  }

  /** How many epochs one pixel stands for. */
  get epochsAPixel() {
    return this.#last() / Math.max(this.plot?.over.clientWidth ?? 0, 1);
  }

  /** @param {number | null} epoch at which the crosshair stands; null takes it away */
  point(epoch) {
    const { plot } = this;
    if (epoch === null) plot?.setCursor({ left: -10, top: -10 });
    else plot?.setCursor({ left: plot.valToPos(epoch, "x"), top: 0 });
  }

  /** Drawn once more, in the colours of now. */
  again() {
    if (!this.log?.done) return;
    this.plot?.destroy();
    const live = document.createElement("div");
    live.className = "chart-live";
    this.box.replaceChildren(live);
    this.plot = new uPlot(this.#options(), this.#data(), live);
  }

  destroy() {
    this.sizes.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  #last() {
    return Math.max(this.log?.epochs ?? 2, 2) - 1;
  }

  /** @returns {string[]} the kinds of lines of the run */
  #lines() {
    return ["loss", ...(this.smoothed ? ["smoothed"] : []), ...(this.log?.validation.count ? ["validation"] : [])];
  }

  /** @param {RunLog} log */
  #thin(log) {
    this.smoothed?.take(log.losses);
    const columns = Math.max(this.box.clientWidth, 80);
    const all = { loss: log.losses, smoothed: this.smoothed?.points, validation: log.validation };
    this.curves = this.#lines().map((line) => (all[/** @type {"loss"} */ (line)] ?? log.losses).thinned(columns));
    const seen = [...this.curves, ...this.others.map((other) => this.#until(other))];
    const range = extent(seen.flatMap((curve) => curve.value));
    this.scale = scaleOf(range, this.chosen ? this.chosen === "log" : takesLog(range));
  }

  /**
   * @param {Other} other
   * @returns {Curve} as far as the run's epochs go
   */
  #until(other) {
    const curve = other.losses.thinned(Math.max(this.box.clientWidth, 80));
    const end = curve.epoch.findIndex((epoch) => epoch > this.#last());
    return end < 0 ? curve : { epoch: curve.epoch.slice(0, end), value: curve.value.slice(0, end) };
  }

  /** @returns {uPlot.AlignedData} */
  #data() {
    const curves = [...this.curves, ...this.others.map((other) => this.#until(other))];
    const tables = curves.map(({ epoch, value }) => /** @type {uPlot.AlignedData} */ ([epoch, value.map((loss) => placed(this.scale, loss))]));
    return tables.length > 1 ? uPlot.join(tables, tables.map(() => [EXPAND, EXPAND])) : /** @type {uPlot.AlignedData} */ (tables[0]);
  }

  #size() {
    return { width: Math.max(this.box.clientWidth, 80), height: Math.max(this.box.clientHeight, 80) };
  }

  /** @returns {uPlot.Options} */
  #options() {
    const last = this.#last();
    const [accent, font] = [token("--accent"), `11px ${token("--sans")}`];
    return {
      ...this.#size(),
      legend: { show: false },
      padding: [10, 26, 0, 0],
      cursor: { drag: { x: false, y: false }, y: false, points: { size: 7, fill: accent } },
      scales: { x: { time: false, range: [0, last] }, y: { range: [0, 1] } },
      axes: [
        {
          font, stroke: token("--ink-3"), size: 26, gap: 4, grid: { show: false },
          ticks: { stroke: token("--line-2"), width: 1, size: 4 },
          splits: () => epochTicks(last + 1),
          values: (_, splits) => splits.map((epoch) => exact(epoch)),
        },
        {
          font, stroke: token("--ink-3"), size: 46, gap: 6,
          grid: { stroke: token("--line"), width: 1 },
          ticks: { show: false },
          splits: () => this.scale.ticks.map((tick) => place(this.scale, tick)),
          values: () => this.scale.ticks.map((tick) => significant(tick)),
        },
      ],
      series: [{}, ...this.#lines().map((line) => this.#series(line, accent, last)), ...this.others.map((other) => this.#dashed(other))],
      hooks: {
        drawAxes: [(plot) => this.log && under(plot, this.log, this.scale)],
        draw: [(plot) => this.log && over(plot, this.log, this.scale, this.others)],
        setCursor: [(plot) => this.hover(plot.data[0][plot.cursor.idx ?? -1] ?? null)],
      },
    };
  }

  /**
   * @param {string} line
   * @param {string} accent
   * @param {number} last
   * @returns {uPlot.Series}
   */
  #series(line, accent, last) {
    if (line === "validation") return { stroke: accent, width: 1.5, dash: [5, 3], spanGaps: false, points: { show: false } };
    // The losses as they were stand faint behind those that are smoothed.
    if (line === "loss" && this.smoothed) return { stroke: `${accent}${RAW}`, width: 1, spanGaps: false, points: { show: false } };
    const show = !this.smoothed && (this.log?.done ?? 0) < DOTS_UNDER && last < DOTS_UNDER;
    return { stroke: accent, width: 2, spanGaps: false, points: { show, size: 6, width: 1.5, stroke: accent, fill: token("--surface") } };
  }

  /**
   * @param {Other} other
   * @returns {uPlot.Series}
   */
  #dashed(other) {
    return { stroke: token(other.isGrowing ? "--bad" : "--ink-3"), width: 1.25, dash: [5, 3], spanGaps: false, points: { show: false } };
  }
}
