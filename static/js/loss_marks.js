// What the chart of the loss draws by itself under and over uPlot's lines.

import { apart } from "./lib/apart.js";
import { exact, loss as lossText } from "./lib/numbers.js";
import { gaps } from "./lib/others.js";
import { place } from "./lib/scale.js";
import { _, ngettext } from "./lib/words.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */
/** @typedef {import("./lib/scale.js").Scale} Scale */
/** @typedef {import("./lib/others.js").Other} Other */
/** @typedef {import("../vendor/uplot.js")} Plot */

const MOST_GAPS = 5;

/** @param {string} name */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {string} rest */
const font = (rest) => `${rest} ${token("--sans")}`;

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
 * Minor ticks, and the epochs to come.
 * @param {Plot} plot
 * @param {RunLog} log
 * @param {Scale} scale
 */
export function under(plot, log, scale) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = token("--line-2");
  for (const tick of scale.minor) {
    const y = Math.round(plot.valToPos(place(scale, tick), "y", true));
    ctx.fillRect(bbox.left - 4 * ratio, y, 4 * ratio, 1);
  }
  if (log.done < log.epochs) {
    const x = plot.valToPos(log.done - 1, "x", true);
    const width = bbox.left + bbox.width - x;
    ctx.globalCompositeOperation = "destination-over";
    ctx.fillStyle = token("--sunken");
    ctx.fillRect(x, bbox.top, width, bbox.height);
    ctx.globalCompositeOperation = "source-over";
    const left = log.epochs - log.done;
    const num = exact(left);
    const text = log.run
      ? ngettext("%(num)s epoch was not run", "%(num)s epochs were not run", left, { num })
      : ngettext("%(num)s epoch to come", "%(num)s epochs to come", left, { num });
    ctx.font = font(`${11 * ratio}px`);
    if (ctx.measureText(text).width + 24 * ratio < width) {
      ctx.fillStyle = token("--ink-3");
      ctx.textAlign = "right";
      ctx.fillText(text, bbox.left + bbox.width - 8 * ratio, bbox.top + bbox.height - 8 * ratio);
    }
    ctx.globalAlpha = 0.6;
    ctx.fillStyle = token(log.run ? "--line-2" : "--accent");
    ctx.fillRect(Math.round(x), bbox.top, 1, bbox.height);
  }
  ctx.restore();
}

/**
 * The names of other runs, the first and the latest loss, the tail, the words of losses that cannot be drawn.
 * @param {Plot} plot
 * @param {RunLog} log
 * @param {Scale} scale
 * @param {Other[]} others
 */
export function over(plot, log, scale, others) {
  const { ctx } = plot;
  ctx.save();
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.strokeStyle = token("--surface");
  const validation = { id: "", name: _("validation"), losses: log.validation, isGrowing: false };
  names(plot, log, scale, log.validation.count ? [validation, ...others] : others);
  ctx.textAlign = "left";
  const latest = tail(plot, log, scale);
  first(plot, log, scale, latest);
  words(plot, log, scale);
  ctx.restore();
}

/**
 * @param {Scale} scale
 * @param {number | null | undefined} loss
 * @returns {number | null} where it stands between the ends of the scale
 */
export function placed(scale, loss) {
  return typeof loss !== "number" || !Number.isFinite(loss) || (scale.isLog && loss <= 0) ? null : place(scale, loss);
}

/**
 * @param {Plot} plot
 * @param {RunLog} log
 * @param {Scale} scale
 * @param {Other[]} others
 */
function names(plot, log, scale, others) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.textAlign = "right";
  ctx.font = font(`${11 * ratio}px`);
  const latest = tailWords(plot, log, scale);
  const taken = latest && latest.x > bbox.left + bbox.width / 2 ? [latest.y] : [];
  const range = /** @type {[number, number]} */ ([bbox.top + 12 * ratio, bbox.top + bbox.height - 4 * ratio]);
  for (const other of others) {
    const place = other.losses.from(Math.max(log.epochs, 2)) - 1;
    const last = other.losses.epoch[place] ?? 0;
    const at = placed(scale, other.losses.value[place]);
    if (at === null) continue;
    // A short run beside a long one ends where its name would stand on everything else.
    if (plot.valToPos(last, "x", true) - bbox.left < 24 * ratio) continue;
    ctx.fillStyle = token(other.isGrowing ? "--bad" : "--ink-2");
    const end = plot.valToPos(at, "y", true);
    const y = apart(end - bbox.top < 24 * ratio ? end + 16 * ratio : end - 7 * ratio, taken, 13 * ratio, range);
    taken.push(y);
    const width = ctx.measureText(other.name).width;
    say(ctx, other.name, Math.max(plot.valToPos(last, "x", true) - 4 * ratio, bbox.left + width + 8 * ratio), y);
  }
}

/**
 * @param {Plot} plot
 * @param {RunLog} log
 * @param {Scale} scale
 * @returns {number | null} where the latest loss stands
 */
function tail(plot, log, scale) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const last = log.done - 1;
  const at = placed(scale, log.losses.latest);
  if (at === null) return null;
  const [x, y] = [plot.valToPos(last, "x", true), plot.valToPos(at, "y", true)];
  ctx.fillStyle = token("--accent");
  if (!log.run) {
    ctx.globalAlpha = 0.2;
    disc(ctx, x, y, 8 * ratio);
    ctx.globalAlpha = 1;
  }
  disc(ctx, x, y, 4 * ratio);
  const latest = tailWords(plot, log, scale);
  if (latest) {
    ctx.font = font(`600 ${12 * ratio}px`);
    const { text } = latest;
    const width = ctx.measureText(text).width;
    const room = bbox.left + bbox.width - x;
    say(ctx, text, room > width + 14 * ratio ? x + 10 * ratio : x - width, latest.y);
  }
  return x;
}

/**
 * @param {Plot} plot
 * @param {RunLog} log
 * @param {Scale} scale
 * @returns {{x: number, y: number, text: string} | null} the latest loss, where it ends; null where the first is the latest
 */
function tailWords(plot, log, scale) {
  const last = log.done - 1;
  const at = placed(scale, log.losses.latest);
  if (at === null || last < 1) return null;
  const ratio = devicePixelRatio;
  const y = Math.max(plot.valToPos(at, "y", true) - 10 * ratio, plot.bbox.top + 12 * ratio);
  return { x: plot.valToPos(last, "x", true), y, text: lossText(log.losses.latest) };
}

/**
 * @param {Plot} plot
 * @param {RunLog} log
 * @param {Scale} scale
 * @param {number | null} latest
 */
function first(plot, log, scale, latest) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const at = placed(scale, log.lossAt(0));
  if (at === null || (log.done > 1 && latest !== null && latest - bbox.left <= 84 * ratio)) return;
  ctx.font = font(`${12 * ratio}px`);
  ctx.fillStyle = token("--ink-2");
  say(ctx, lossText(log.lossAt(0) ?? NaN), bbox.left + 8 * ratio, Math.max(plot.valToPos(at, "y", true) - 6 * ratio, bbox.top + 12 * ratio));
}

/**
 * @param {Plot} plot
 * @param {RunLog} log
 * @param {Scale} scale
 */
function words(plot, log, scale) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.fillStyle = token("--bad");
  ctx.font = font(`500 ${11 * ratio}px`);
  /** @type {number[]} where the words end, by row */
  const ends = [];
  for (const { epoch, kind } of gaps(log, scale.isLog, MOST_GAPS)) {
    const text = _("%(kind)s at %(epoch)s", { kind, epoch: exact(epoch) });
    const width = ctx.measureText(text).width;
    const x = Math.min(plot.valToPos(epoch, "x", true), bbox.left + bbox.width - width);
    const free = ends.findIndex((end) => end < x);
    const row = free < 0 ? ends.length : free;
    ends[row] = x + width + 4 * ratio;
    say(ctx, text, x, bbox.top + bbox.height - (6 + 13 * row) * ratio);
  }
}
