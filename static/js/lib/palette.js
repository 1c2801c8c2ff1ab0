// What the palette lists for what was typed: groups of entries, the best first, what was used lately before the rest.

import { match } from "./fuzzy.js";

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} group
 * @property {string} label
 * @property {string} [hint]
 * @property {string} [icon]
 * @property {string} [href]
 * @property {() => void} [run]
 * @property {boolean} [isName] a path of the tree, as torch writes it
 * @property {boolean} [isFound] found by the server already: listed whatever was typed
 */

/** @typedef {Entry & {ranges: [number, number][]}} Shown */
/** @typedef {{title: string, entries: Shown[]}} Group */

const MOST_LATELY = 5;
const MOST_IN_GROUP = 8;
const MOST_KEPT = 12;
const LATELY = 3;

/**
 * @param {Entry[]} entries
 * @param {string} typed
 * @param {string[]} lately ids, the latest first
 * @param {string} title of the group of those
 * @returns {Group[]}
 */
export function listed(entries, typed, lately, title) {
  return typed.trim() ? ranked(entries, typed, lately) : resting(entries, lately, title);
}

/**
 * @param {Entry[]} entries
 * @param {string[]} lately
 * @param {string} title
 */
function resting(entries, lately, title) {
  const known = new Map(entries.map((entry) => [entry.id, entry]));
  const used = lately.flatMap((id) => known.get(id) ?? []).slice(0, MOST_LATELY);
  const rest = entries.filter((entry) => !used.includes(entry));
  const first = used.length ? [{ title, entries: used.map(plain) }] : [];
  return [...first, ...grouped(rest.map((entry) => ({ ...plain(entry), score: 0 })))];
}

/**
 * @param {Entry[]} entries
 * @param {string} typed
 * @param {string[]} lately
 */
function ranked(entries, typed, lately) {
  const shown = entries.flatMap((entry) => {
    const found = match(typed, entry.label) ?? (entry.isFound ? { score: 0, ranges: [] } : elsewhere(typed, entry));
    return found ? [{ ...entry, ranges: found.ranges, score: found.score + (lately.includes(entry.id) ? LATELY : 0) }] : [];
  });
  return grouped(shown.sort((one, other) => other.score - one.score));
}

/**
 * @param {string} typed
 * @param {Entry} entry its group may be typed too: "theme dark"
 * @returns {import("./fuzzy.js").Match | null}
 */
function elsewhere(typed, entry) {
  const found = match(typed, `${entry.label} ${entry.group} ${entry.hint ?? ""}`);
  return found ? { score: found.score / 2, ranges: found.ranges.filter(([, to]) => to <= entry.label.length) } : null;
}

/** @param {Entry} entry */
const plain = (entry) => ({ ...entry, ranges: /** @type {[number, number][]} */ ([]) });

/** @param {(Shown & {score: number})[]} entries in the order that their groups come */
function grouped(entries) {
  /** @type {Map<string, Shown[]>} */
  const groups = new Map();
  for (const entry of entries) {
    const group = groups.get(entry.group) ?? [];
    if (group.length < MOST_IN_GROUP) groups.set(entry.group, [...group, entry]);
  }
  return [...groups].map(([title, each]) => ({ title, entries: each }));
}

/**
 * @param {string[]} lately
 * @param {string} id
 * @returns {string[]} with the id first
 */
export function used(lately, id) {
  return [id, ...lately.filter((each) => each !== id)].slice(0, MOST_KEPT);
}

/**
 * @param {string} key
 * @param {number} place of the entry that is marked
 * @param {number} count
 * @returns {number | null} the place to be marked, round at the ends; null where the key means nothing
 */
export function step(key, place, count) {
  if (!count) return null;
  if (key === "ArrowDown") return (place + 1) % count;
  if (key === "ArrowUp") return (place - 1 + count) % count;
  if (key === "PageDown") return Math.min(place + 8, count - 1);
  if (key === "PageUp") return Math.max(place - 8, 0);
  return null;
}
