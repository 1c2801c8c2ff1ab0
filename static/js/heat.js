// Statistics of modules as colours of the tree's rows and the map, live while the open run trains, or at any epoch of it.
//
// The statistic and the epoch stand in the address (?heat=gradient_norm&at=5): a link restores the picture. A run that is
// under way gives colour by itself; ?heat=class is what keeps it from that.

import { askJson } from "./ask.js";
import { keyOf, valuesOf } from "./lib/heat_values.js";
import { exact } from "./lib/numbers.js";
import { nearest } from "./lib/replay_epochs.js";
import { _ } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/heat_values.js").Stats} Stats */
/** @typedef {import("./lib/heat_values.js").Key} Key */

const LEAST_MS = 250;

/** @type {AbortController | null} */
let asking = null;
let isResting = false;
let isLate = false;
/** @type {Stats | null} */
let stats = null;

const area = () => document.querySelector("[data-replay]");
const slider = () => /** @type {HTMLInputElement | null} */ (document.querySelector("[data-replay-epoch]"));
const choice = () => /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-replay-key]"));

/** @returns {{key: Key | null, at: number | null}} what the address asks for; `at` null is the latest epoch */
function asked() {
  const query = new URLSearchParams(location.search);
  const at = query.get("at");
  return { key: keyOf(query.get("heat")), at: at !== null && /^\d+$/.test(at) ? Number(at) : null };
}

/** @param {Record<string, string | null>} changed */
function keep(changed) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(changed)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address);
}

/** @returns {Record<Key, string>} */
const labels = () => ({ gradient_norm: _("Gradient norm"), parameter_norm: _("Parameter norm"), update_ratio: _("Update ratio") });

/** Shows what the address asks for, of what is here. */
async function show() {
  const { key, at } = asked();
  const menu = choice();
  if (menu && menu.value !== (key ?? "")) menu.value = key ?? "";
  if (!key || !stats || stats.epoch === null) {
    if (workspace.heat) workspace.setHeat(null);
    mark(at);
    return;
  }
  const outline = await workspace.outline;
  const values = valuesOf(stats, key, (row) => outline.parent(row));
  const range = stats.ranges[key] ?? [0, 1];
  const label = labels()[key];
  const title = _("%(statistic)s, epoch %(epoch)s", { statistic: label, epoch: exact(stats.epoch) });
  workspace.setHeat({ key, label, title, range, values });
  mark(at);
}

/** @param {number | null} at */
function mark(at) {
  const here = slider();
  const live = document.querySelector("[data-replay-live]");
  live?.setAttribute("aria-pressed", String(at === null));
  if (!here || !stats || stats.epoch === null) return;
  const { first, last, every } = stats.epochs;
  [here.min, here.max, here.step] = [String(first ?? 0), String(last ?? 0), String(Math.max(every, 1))];
  if (document.activeElement !== here || at === null) here.value = String(stats.epoch);
  const said = _("epoch %(epoch)s", { epoch: exact(stats.epoch) });
  here.setAttribute("aria-valuetext", said);
  const text = document.querySelector("[data-replay-at]");
  if (text && text.textContent !== said) text.textContent = said;
}

/** Asks for the statistics that the address names, no more than four times a second. */
async function ask() {
  const url = area()?.getAttribute("data-replay");
  const { key, at } = asked();
  if (!url || !key || document.hidden) return void show();
  if (isResting) {
    isLate = true;
    return;
  }
  isResting = true;
  setTimeout(() => {
    isResting = false;
    if (isLate) void ask();
    isLate = false;
  }, LEAST_MS);
  asking?.abort();
  asking = new AbortController();
  try {
    const epoch = at === null ? "" : `&epoch=${at}`;
    const response = await askJson(`${url}?paths=false${epoch}`, { signal: asking.signal });
    if (!response.ok) return;
    stats = await response.json();
    await show();
  } catch (error) {
    // Given up for a later one, or the server is away, which the page says elsewhere.
    if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error;
  }
}

/** @param {string} key "" for none */
async function colourBy(key) {
  // The map takes the same colour again, whatever it had.
  keep({ heat: key || "class", colour: null });
  await ask();
}

/** A run under way is seen on the tree, unless the address has a word on that. */
function begin() {
  const isLive = document.querySelector("[data-run][data-active]") && area();
  if (isLive && !new URLSearchParams(location.search).has("heat")) keep({ heat: "gradient_norm" });
}

document.addEventListener("change", ({ target }) => {
  if (target === choice()) void colourBy(choice()?.value ?? "");
});
document.addEventListener("input", ({ target }) => {
  const here = slider();
  if (!here || target !== here) return;
  const at = stats ? nearest(stats.epochs, Number(here.value)) : Number(here.value);
  keep({ at: String(at) });
  if (!asked().key) void colourBy("gradient_norm");
  else void ask();
});
document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest("[data-replay-live]")) return;
  keep({ at: null });
  if (!asked().key) void colourBy("gradient_norm");
  else void ask();
});
document.addEventListener("run", () => {
  if (asked().at === null && document.querySelector("[data-run][data-active]")) void ask();
});
document.addEventListener("swapped", (event) => {
  const { areas } = /** @type {CustomEvent<{areas: string[]}>} */ (event).detail;
  if (areas.includes("dock")) {
    stats = null;
    begin();
  }
  if (areas.includes("dock") || areas.includes("epochs")) void ask();
});
workspace.addEventListener("outline", () => void ask());
addEventListener("popstate", () => void ask());
begin();
if (asked().key) void ask();
