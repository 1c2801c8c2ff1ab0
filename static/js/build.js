// The builder's forms, sent without leaving the page: what the answer shows is put in place, and the focus stays.

import { ask } from "./ask.js";
import { named, renamed } from "./lib/build_places.js";
import { _ } from "./lib/words.js";

/** What leaves the focus in the row that it makes or that is left, and not where it was. */
const LEADING = ["child", "sibling", "duplicate", "remove"];

/** @typedef {{ path: string, place: number, key: string, value: string, isNew: boolean, start: number | null, end: number | null }} Focused */

/** One after the other: each change is made on what the one before left. */
let turn = Promise.resolve();
let numWaiting = 0;
let numAwaited = 0;
let isPutting = false;

/** @returns {boolean} whether something was sent that has not arrived */
export const isWaiting = () => numWaiting > 0;

/** @returns {boolean} whether a row is to come that the focus will go to */
export const isAwaited = () => numAwaited > 0;

/** @param {() => Promise<unknown>} task */
function queue(task) {
  numWaiting += 1;
  turn = turn.then(async () => {
    await task();
    numWaiting -= 1;
    if (!numWaiting) document.dispatchEvent(new CustomEvent("build:settled"));
  });
}

/**
 * @param {EventTarget | null} target
 * @returns {HTMLFormElement | null} the row that it stands in
 */
export const rowOf = (target) => (target instanceof Element ? target.closest("form[data-build-row]") : null);

/** @returns {HTMLFormElement[]} */
export const rows = () => [...document.querySelectorAll("form[data-build-row]")].filter((row) => row instanceof HTMLFormElement);

/**
 * @param {HTMLFormElement} row
 * @returns {HTMLInputElement[]}
 */
export const fieldsOf = (row) => [...row.querySelectorAll("input")];

/** @param {HTMLFormElement} row */
const isChanged = (row) => fieldsOf(row).some((field) => field.value !== field.defaultValue);

/** @param {string} path */
const rowAt = (path) => rows().find((row) => row.dataset.path === path);

/** @param {string} words for who cannot see what has changed */
function say(words) {
  const place = document.querySelector("[data-build-said]");
  if (place) place.textContent = words;
}

/** @param {string} words why a change did not reach the server, "" once one did */
function warn(words) {
  const notice = document.querySelector("[data-build-lost]");
  notice?.toggleAttribute("hidden", words === "");
  const place = notice?.querySelector("span");
  if (place) place.textContent = words;
}

/**
 * @param {Element} element
 * @returns {string} what tells it from the others of its row
 */
function keyOf(element) {
  return element instanceof HTMLButtonElement ? `act ${element.value}` : (element.getAttribute("name") ?? "");
}

/** @returns {Focused | null} */
function focused() {
  const element = document.activeElement;
  const row = rowOf(element);
  if (!element || !row) return null;
  const field = element instanceof HTMLInputElement ? element : null;
  return {
    path: row.dataset.path ?? "",
    place: rows().indexOf(row),
    key: keyOf(element),
    value: field?.value ?? "",
    isNew: field !== null && field.value !== field.defaultValue,
    start: field?.selectionStart ?? null,
    end: field?.selectionEnd ?? null,
  };
}

/** @param {Focused} before @param {string} path */
function focusAgain(before, path) {
  // Undo may have given its row another name, or taken it away: then the row that stands there now.
  const row = rowAt(path) ?? rows()[before.place] ?? rows().at(-1);
  const same = row && [...row.querySelectorAll("input, button")].find((each) => keyOf(each) === before.key && !each.hasAttribute("hidden"));
  if (!row || !(same instanceof HTMLElement) || same.matches(":disabled")) return row ? focusFirst(row) : undefined;
  same.focus({ preventScroll: true });
  if (same instanceof HTMLInputElement) {
    if (before.isNew) same.value = before.value;
    if (before.start !== null) same.setSelectionRange(before.start, before.end);
  }
  row.scrollIntoView({ block: "nearest" });
}

/** @param {HTMLFormElement} row */
function focusFirst(row) {
  const [field] = fieldsOf(row);
  field?.focus({ preventScroll: true });
  field?.select();
  row.scrollIntoView({ block: "nearest" });
}

/**
 * @param {Document} page
 * @param {string} path of the row that was sent, as it was then
 * @param {string} act
 */
function put(page, path, act) {
  const before = focused();
  isPutting = true;
  for (const there of page.querySelectorAll("[data-build-area]")) {
    const here = document.querySelector(`[data-build-area="${there.getAttribute("data-build-area")}"]`);
    const scrolled = [here, ...(here?.querySelectorAll("pre") ?? [])].map((each) => [each?.scrollTop ?? 0, each?.scrollLeft ?? 0]);
    here?.replaceWith(document.adoptNode(there));
    for (const [place, each] of [there, ...there.querySelectorAll("pre")].entries()) [each.scrollTop, each.scrollLeft] = scrolled[place] ?? [0, 0];
  }
  isPutting = false;
  document.title = page.title;
  const at = document.querySelector("form[data-build-at]");
  const now = at instanceof HTMLFormElement ? at : null;
  say(document.querySelector("[role=alert]")?.textContent ?? document.querySelector(".build-note")?.textContent ?? "");
  if (now && (LEADING.includes(act) || !before)) focusFirst(now);
  else if (before) focusAgain(before, renamed(before.path, path, now?.dataset.path ?? path));
  return now?.dataset.path ?? path;
}

/**
 * @param {string} address
 * @param {URLSearchParams} body
 * @param {string} path
 * @param {string} act
 * @returns {Promise<boolean>} whether the server has answered with the builder
 */
async function post(address, body, path, act) {
  try {
    const response = await ask(address, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const isBuilder = page.querySelector("[data-build]") !== null;
    warn(isBuilder ? "" : _("The server answered %(status)s: nothing was changed.", { status: response.status }));
    if (!isBuilder) return false;
    if (response.ok) history.replaceState(history.state, "", response.url);
    const to = put(page, path, act);
    if (response.ok) moved.push([path, LEADING.includes(act) ? named(path, body.get("name")) : to]);
    return true;
  } catch {
    warn(_("The connection was lost. What was typed is still here, and is sent when you leave its row again."));
    return false;
  }
}

/** What was moved while forms were waiting: from which path to which. @type {[string, string][]} */
const moved = [];

/**
 * Sends a row with what was typed into it; its turn comes after what was sent before.
 * @param {HTMLFormElement} row
 * @param {string} act
 * @param {Record<string, string>} [more]
 */
export function send(row, act, more = {}) {
  const path = row.dataset.path ?? "";
  const known = moved.length;
  const typed = fieldsOf(row).map((field) => /** @type {[string, string]} */ ([field.name, field.value]));
  const body = new URLSearchParams([...typed, ["act", act], ...Object.entries(more)]);
  // What is on its way is not sent once more when the focus leaves, unless it did not arrive.
  const before = fieldsOf(row).map((field) => field.defaultValue);
  for (const field of fieldsOf(row)) field.defaultValue = field.value;
  const awaited = LEADING.includes(act) ? 1 : 0;
  numAwaited += awaited;
  queue(async () => {
    const now = moved.slice(known).reduce((at, [from, to]) => renamed(at, from, to), path);
    const there = rowAt(now);
    const isSent = !there || (await post(there.action, body, now, act));
    numAwaited -= awaited;
    if (!isSent) for (const [place, field] of fieldsOf(row).entries()) field.defaultValue = before[place] ?? field.value;
  });
}

/** @param {string} step undo or redo */
export function step(step) {
  queue(async () => {
    const form = document.querySelector(`form[data-build-step="${step}"]`);
    if (!(form instanceof HTMLFormElement) || form.querySelector("button:disabled")) return;
    await post(form.action, new URLSearchParams(), "", step);
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const row = rowOf(form);
  if (!row && !form.dataset.buildStep) return;
  event.preventDefault();
  if (row) send(row, event.submitter instanceof HTMLButtonElement ? event.submitter.value : "set");
  else step(form.dataset.buildStep ?? "");
});
document.addEventListener("focusout", (event) => {
  const row = rowOf(event.target);
  if (!row || isPutting || !isChanged(row)) return;
  const next = event.relatedTarget;
  // A button of the same row takes what was typed along.
  if (!(next instanceof HTMLButtonElement && next.form === row)) send(row, "set");
});
