// The loss by epoch as a chart that grows with the run, other runs dashed behind it.

import uPlot from "../vendor/uplot.js";
import { over, placed, token, under } from "./loss_marks.js";
import { exact, significant } from "./lib/numbers.js";
import { epochTicks, extent, place, scaleOf, takesLog } from "./lib/scale.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */
/** @typedef {import("./lib/others.js").Other} Other */

const DOTS_UNDER = 40;

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
    const before = this.scale;
    this.scale = this.#scaled(log);
    if (!this.plot || before.isLog !== this.scale.isLog) this.again();
    else this.plot.setData(this.#data());
  }

  /** @param {Other[]} others */
  compare(others) {
    this.others = others;
    if (!this.log?.done) return;
    this.scale = this.#scaled(this.log);
    this.again();
  }

  /** @param {"log" | "linear"} word */
  choose(word) {
    this.chosen = word;
    if (this.log) this.show(this.log);
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

  /** @param {RunLog} log */
  #scaled(log) {
    const range = extent(this.#seen(log));
    return scaleOf(range, this.chosen ? this.chosen === "log" : takesLog(range));
  }

  /** @param {RunLog} log */
  *#seen(log) {
    yield* log.losses;
    for (const other of this.others) yield* other.losses.slice(0, this.#last() + 1);
  }

  /** @returns {uPlot.AlignedData} */
  #data() {
    const losses = this.log?.losses ?? [];
    const long = Math.max(losses.length, ...this.others.map((other) => Math.min(other.losses.length, this.#last() + 1)));
    /** @param {(number | null)[]} column */
    const shown = (column) => Array.from({ length: long }, (_, epoch) => placed(this.scale, column[epoch]));
    return [Array.from({ length: long }, (_, epoch) => epoch), shown(losses), ...this.others.map((other) => shown(other.losses))];
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
      series: [{}, this.#series(accent, last), ...this.others.map((other) => this.#dashed(other))],
      hooks: {
        drawAxes: [(plot) => this.log && under(plot, this.log, this.scale)],
        draw: [(plot) => this.log && over(plot, this.log, this.scale, this.others)],
        setCursor: [(plot) => this.hover(plot.cursor.idx ?? null)],
      },
    };
  }

  /**
   * @param {string} accent
   * @param {number} last
   * @returns {uPlot.Series}
   */
  #series(accent, last) {
    const show = (this.log?.done ?? 0) < DOTS_UNDER && last < DOTS_UNDER;
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
