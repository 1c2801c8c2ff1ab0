// The legend below the map, and what stands above its panels: drawn by the server at first, and anew with each choice.

import { classEntries, dtypeEntries } from "./lib/legend.js";
import { short } from "./lib/map_says.js";
import { count, exact, numBytes, percent, significant } from "./lib/numbers.js";
import { FROZEN, TRAINABLE } from "./lib/paints.js";
import { clipped } from "./lib/visible.js";
import { _, ngettext } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/map_says.js").MapSays} MapSays */
/** @typedef {import("./lib/panels.js").Panels} Panels */
/** @typedef {{swatch: string, name: string, num: number, amount: string, query: string}} Line */

const MOST_ENTRIES = 8;
const MOST_CRUMBS = 4;

/** @param {string} name @returns {string} as the language of search takes it */
const quoted = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : `"${name.replace(/[\\"]/g, "\\$&")}"`);

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} text
 */
function made(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/**
 * @param {MapSays} says
 * @returns {Line[]}
 */
function linesOf({ outline, amounts, paints }) {
  const { area } = amounts;
  if (paints.colour === "dtype") {
    const asBytes = area === "bytes";
    return dtypeEntries(outline, asBytes).map(({ name, num, amount }) => ({
      swatch: `h${paints.slots.get(name) ?? 0}`, name, num, amount: asBytes ? numBytes(amount) : count(amount), query: `dtype=${name}`,
    }));
  }
  if (paints.colour === "trainable") {
    const trainable = outline.numTrainable(0);
    const both = [
      { swatch: TRAINABLE, name: _("trainable"), num: 0, sum: trainable, query: "trainable" },
      { swatch: FROZEN, name: _("frozen"), num: 0, sum: outline.numParameters(0) - trainable, query: "frozen" },
    ];
    return both.filter(({ sum }) => sum > 0).map(({ sum, ...line }) => ({ ...line, amount: count(sum) }));
  }
  return classEntries(outline, amounts).map(({ name, num, amount }) => ({
    swatch: outline.hue(name) < 0 ? "swatch-unknown" : `h${outline.hue(name)}`, name, num, amount: area === "bytes" ? numBytes(amount) : count(amount), query: `class=${quoted(name)}`,
  }));
}

/** @param {Line} line */
function itemOf({ swatch, name, num, amount, query }) {
  const item = document.createElement("li");
  const sign = made("i", `swatch ${swatch}`);
  sign.setAttribute("aria-hidden", "true");
  const link = /** @type {HTMLAnchorElement} */ (made("a", "", clipped(name, 60)));
  link.href = `${workspace.tree?.url}/search?${new URLSearchParams({ q: query })}`;
  item.append(sign, link, made("span", "map-sum num", num ? `${exact(num)} · ${amount}` : amount));
  return item;
}

/** @param {import("./lib/paints.js").Heat} heat */
function scaleOf({ label: short, title, range: [low, high] }) {
  const label = title ?? short;
  const item = made("li", "map-scale");
  const scale = low > 0 ? _("%(label)s, log scale", { label }) : _("%(label)s, linear scale", { label });
  item.append(made("span", "num", significant(low)), made("i", "map-ramp"), made("span", "num", significant(high)));
  item.append(made("i", "map-hatched"), made("span", "", _("none")), made("span", "map-sum", scale));
  return item;
}

/**
 * @param {Element} list
 * @param {MapSays} says
 */
export function putLegend(list, says) {
  const { paints } = says;
  if (paints.colour === "heat" && paints.heat) {
    list.replaceChildren(scaleOf(paints.heat));
    return;
  }
  const lines = linesOf(says);
  const items = lines.slice(0, MOST_ENTRIES).map(itemOf);
  const more = lines.length - MOST_ENTRIES;
  if (more > 0) {
    const item = document.createElement("li");
    const link = /** @type {HTMLAnchorElement} */ (made("a", "", ngettext("%(num)s more", "%(num)s more", more, { num: exact(more) })));
    link.href = `${workspace.tree?.url}/shapes`;
    item.append(link);
    items.push(item);
  }
  list.replaceChildren(...items);
}

/**
 * @param {Element} heads
 * @param {Panels} shown
 * @param {MapSays} says
 * @param {boolean} isZoomed whether a person chose what is in large
 */
export function putHeads(heads, { panels, block }, says, isZoomed) {
  const { outline, amounts } = says;
  heads.replaceChildren();
  if (panels.length < 2 && !isZoomed) return;
  const whole = made("div", "map-head");
  whole.append(made("span", "map-root", clipped(says.rootName, 40)), made("span", "map-share num", short(amounts.total, amounts.area)));
  const part = made("div", "map-head");
  const crumbs = made("span", "map-crumbs");
  for (const [at, row] of outline.trail(block).slice(1).slice(-MOST_CRUMBS).entries()) {
    if (at) crumbs.append(".");
    crumbs.append(zoomTo(row, "name", clipped(outline.place(row).name, 40)));
  }
  const share = percent(amounts.of(block, 1, outline.at(block)), amounts.total);
  part.append(crumbs, made("span", "map-share num", share || "\u2013"));
  if (isZoomed) part.append(zoomTo(0, "map-out", _("Zoom out")));
  heads.append(whole, part);
}

/**
 * @param {number} row
 * @param {string} className
 * @param {string} text
 */
function zoomTo(row, className, text) {
  const link = /** @type {HTMLAnchorElement} */ (made("a", className, text));
  link.href = workspace.address(workspace.selected, { zoom: row ? String(row) : "" });
  link.dataset.mapZoom = String(row);
  return link;
}
