// The loss by epoch as a chart that grows with the run, in place of the server's drawing.

import uPlot from "../vendor/uplot.js";
import { loss as lossText, significant } from "./lib/numbers.js";
import { epochTicks, extent, place, scaleOf, takesLog } from "./lib/scale.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */

const DOTS_UNDER = 40;

/** @param {string} name */
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

class LossChart {
  /**
   * @param {HTMLElement} box
   * @param {string} tree
   */
  constructor(box, tree) {
    this.box = box;
    this.key = `moduletree-scale:${tree}`;
    /** @type {RunLog | null} */
    this.log = null;
    /** @type {uPlot | null} */
    this.plot = null;
    this.scale = scaleOf({ low: 0, high: 1, positive: 1, count: 0 }, false);
    this.chosen = remembered(this.key);
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(box);
  }

  /** @param {RunLog} log */
  show(log) {
    this.log = log;
    if (!log.done) return;
    const before = this.scale;
    this.scale = this.#scaled(log);
    if (!this.plot || before.isLog !== this.scale.isLog) this.#make();
    else this.plot.setData(this.#data());
  }

  /** @param {"log" | "linear"} word */
  choose(word) {
    this.chosen = word;
    remember(this.key, word);
    if (this.log) this.show(this.log);
  }

  again() {
    if (this.plot) this.#make();
  }

  /** @param {RunLog} log */
  #scaled(log) {
    const range = extent(log.losses);
    return scaleOf(range, this.chosen ? this.chosen === "log" : takesLog(range));
  }

  /** @returns {uPlot.AlignedData} */
  #data() {
    const losses = this.log?.losses ?? [];
    const { isLog } = this.scale;
    const shown = losses.map((loss) => (loss === null || (isLog && loss <= 0) ? null : place(this.scale, loss)));
    return [Array.from(losses.keys()), shown];
  }

  #size() {
    return { width: Math.max(this.box.clientWidth, 80), height: Math.max(this.box.clientHeight, 80) };
  }

  #make() {
    this.plot?.destroy();
    const epochs = this.log?.epochs ?? 2;
    const last = Math.max(epochs, 2) - 1;
    const font = `11px ${token("--sans")}`;
    const accent = token("--accent");
    const live = document.createElement("div");
    live.className = "chart-live";
    this.box.replaceChildren(live);
    this.plot = new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        padding: [10, 26, 0, 0],
        cursor: { drag: { x: false, y: false }, y: false, points: { size: 7, fill: accent } },
        scales: {
          x: { time: false, range: [0, last] },
          y: { range: [0, 1] },
        },
        axes: [
          {
            font, stroke: token("--ink-3"), size: 26, gap: 4, grid: { show: false },
            ticks: { stroke: token("--line-2"), width: 1, size: 4 },
            splits: () => epochTicks(epochs),
            values: (_, splits) => splits.map((epoch) => epoch.toLocaleString("en-US")),
          },
          {
            font, stroke: token("--ink-3"), size: 46, gap: 6,
            grid: { stroke: token("--line"), width: 1 },
            ticks: { show: false },
            splits: () => this.scale.ticks.map((tick) => place(this.scale, tick)),
            values: () => this.scale.ticks.map((tick) => significant(tick)),
          },
        ],
        series: [
          {},
          {
            stroke: accent, width: 2, spanGaps: false,
            points: { show: (this.log?.done ?? 0) < DOTS_UNDER && last < DOTS_UNDER, size: 6, width: 1.5, stroke: accent, fill: token("--surface") },
          },
        ],
        hooks: { drawAxes: [(plot) => this.#under(plot)], draw: [(plot) => this.#over(plot)], setCursor: [(plot) => this.#hover(plot)] },
      },
      this.#data(),
      live,
    );
  }

  /**
   * Minor ticks, and the epochs to come.
   * @param {uPlot} plot
   */
  #under(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = token("--line-2");
    for (const tick of this.scale.minor) {
      const y = Math.round(plot.valToPos(place(this.scale, tick), "y", true));
      ctx.fillRect(bbox.left - 4 * devicePixelRatio, y, 4 * devicePixelRatio, 1);
    }
    const log = this.log;
    if (log && log.done < log.epochs) {
      const x = plot.valToPos(log.done - 1, "x", true);
      ctx.globalCompositeOperation = "destination-over";
      ctx.fillStyle = token("--sunken");
      ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
      ctx.globalCompositeOperation = "source-over";
      ctx.globalAlpha = 0.6;
      ctx.fillStyle = token("--accent");
      ctx.fillRect(Math.round(x), bbox.top, 1, bbox.height);
    }
    ctx.restore();
  }

  /**
   * The first and the latest loss, the tail, and the words of losses that are not finite.
   * @param {uPlot} plot
   */
  #over(plot) {
    const log = this.log;
    if (!log) return;
    const ratio = devicePixelRatio;
    const { ctx, bbox } = plot;
    const shown = this.#data()[1] ?? [];
    const last = log.done - 1;
    const latest = shown[last];
    ctx.save();
    ctx.font = `${12 * ratio}px ${token("--sans")}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.lineJoin = "round";
    ctx.lineWidth = 3 * ratio;
    ctx.strokeStyle = token("--surface");
    if (typeof latest === "number") {
      const [x, y] = [plot.valToPos(last, "x", true), plot.valToPos(latest, "y", true)];
      ctx.fillStyle = token("--accent");
      ctx.globalAlpha = 0.2;
      disc(ctx, x, y, 8 * ratio);
      ctx.globalAlpha = 1;
      disc(ctx, x, y, 4 * ratio);
      if (last > 0) {
        ctx.font = `600 ${12 * ratio}px ${token("--sans")}`;
        const text = lossText(log.losses[last] ?? NaN);
        const room = bbox.left + bbox.width - x;
        const width = ctx.measureText(text).width;
        say(ctx, text, room > width + 14 * ratio ? x + 10 * ratio : x - width, Math.max(y - 10 * ratio, bbox.top + 12 * ratio));
      }
    }
    const first = shown[0];
    const isApart = last === 0 || plot.valToPos(last, "x", true) - bbox.left > 84 * ratio || typeof latest !== "number";
    if (typeof first === "number" && isApart) {
      ctx.font = `${12 * ratio}px ${token("--sans")}`;
      ctx.fillStyle = token("--ink-2");
      const y = Math.max(plot.valToPos(first, "y", true) - 6 * ratio, bbox.top + 12 * ratio);
      say(ctx, lossText(log.losses[0] ?? NaN), bbox.left + 8 * ratio, y);
    }
    ctx.fillStyle = token("--bad");
    ctx.font = `500 ${11 * ratio}px ${token("--sans")}`;
    let before = "";
    for (const [epoch, kind] of log.nonfinite) {
      if (kind !== before && log.nonfinite.get(epoch - 1) !== kind) {
        const x = Math.min(plot.valToPos(epoch, "x", true), bbox.left + bbox.width - 60 * ratio);
        say(ctx, `${kind} at ${epoch.toLocaleString("en-US")}`, x, bbox.top + bbox.height - 6 * ratio);
      }
      before = kind;
    }
    ctx.restore();
  }

  /** @param {uPlot} plot */
  #hover(plot) {
    const epoch = plot.cursor.idx;
    const loss = epoch === null || epoch === undefined ? undefined : this.log?.losses[epoch];
    const words = document.querySelector("[data-loss-hover]");
    if (words) words.textContent = typeof loss === "number" ? `epoch ${epoch?.toLocaleString("en-US")}, ${lossText(loss)}` : "";
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function disc(ctx, x, y, radius) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} x
 * @param {number} y
 */
function say(ctx, text, x, y) {
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

/** @param {string} key */
function remembered(key) {
  try {
    const word = localStorage.getItem(key);
    return word === "log" || word === "linear" ? word : "";
  } catch {
    return "";
  }
}

/**
 * @param {string} key
 * @param {string} word
 */
function remember(key, word) {
  try {
    localStorage.setItem(key, word);
  } catch {
    // Storage can be forbidden; the choice then lasts for this page.
  }
}

const box = document.querySelector("[data-loss-chart]");
const panel = document.querySelector("[data-run]");
if (box instanceof HTMLElement && panel instanceof HTMLElement) {
  const chart = new LossChart(box, panel.dataset.tree ?? "");
  const seg = document.querySelector("[data-scale]");
  const press = () => {
    for (const button of seg?.querySelectorAll("[data-scale-to]") ?? []) {
      button.setAttribute("aria-pressed", String((button.getAttribute("data-scale-to") === "log") === chart.scale.isLog));
    }
  };
  document.addEventListener("run", (event) => {
    chart.show(/** @type {CustomEvent<RunLog>} */ (event).detail);
    press();
  });
  document.addEventListener("theme", () => chart.again());
  seg?.addEventListener("click", (event) => {
    const word = event.target instanceof Element ? event.target.getAttribute("data-scale-to") : null;
    if (word === "log" || word === "linear") chart.choose(word);
    press();
  });
}
