// The search box of a tree: "/" goes to it, arrows walk what was found, Escape clears. In the tree's pane, results
// appear under it while one types: the rows of the search page, fetched and put in place of the tree.

import { FIELD, step } from "./lib/walk.js";

const LIMIT = "50";
const SLOW_MS = 300;

/** @type {AbortController | null} the search that is under way */
let asked = null;
let frame = 0;
/** What was searched for last, for when the pane is put in place again. */
let kept = "";

const box = () => /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-search]"));
const field = () => /** @type {HTMLInputElement | null} */ (document.querySelector("form[data-search] input[name=q]"));
const said = () => document.querySelector("[data-search-said]");
const results = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-search-results]"));
const found = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-search-results] a[data-found]")]);

/** @param {string} words for the eye and for screen readers */
function say(words) {
  const line = said();
  if (line && line.textContent !== words) line.textContent = words;
}

/** @param {boolean} isOpen whether results stand in place of the tree */
function show(isOpen) {
  const list = results();
  if (!list) return;
  list.hidden = !isOpen;
  list.parentElement?.classList.toggle("search-open", isOpen);
  if (isOpen) return;
  list.replaceChildren();
  say("");
}

/** @param {Document} page of the search */
function put(page) {
  const there = page.querySelector("[data-search-results]");
  say(page.querySelector("[data-search-said]")?.textContent ?? "");
  if (!there) return;
  results()?.replaceChildren(...[...there.childNodes].map((node) => document.adoptNode(node)));
  results()?.scrollTo(0, 0);
  show(true);
}

/**
 * @param {HTMLFormElement} form
 * @param {string} q
 * @param {AbortSignal} signal
 */
async function look(form, q, signal) {
  const slow = setTimeout(() => say("Searching…"), SLOW_MS);
  try {
    const address = `${form.getAttribute("action")}?${new URLSearchParams({ q, limit: LIMIT })}`;
    const response = await fetch(address, { headers: { Accept: "text/html" }, signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (signal.aborted) return;
    if (page.querySelector("[data-search-said]")) put(page);
    else say(page.querySelector("h1")?.textContent ?? "The server does not answer as expected.");
  } catch {
    if (!signal.aborted) say("The server does not answer. Type again to try again.");
  } finally {
    clearTimeout(slow);
  }
}

/** Asks for what stands in the box, and no longer for what stood there before. */
function ask() {
  const form = box();
  asked?.abort();
  kept = field()?.value.trim() ?? "";
  if (!form || form.dataset.search !== "live") return;
  if (!kept) {
    form.removeAttribute("data-touched");
    show(false);
    return;
  }
  asked = new AbortController();
  void look(form, kept, asked.signal);
}

function clear() {
  const input = field();
  if (input) input.value = "";
  ask();
}

/** @param {KeyboardEvent} event */
function isTyping(event) {
  return event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [contenteditable]");
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const rows = found();
  const isField = event.target === field();
  const place = isField ? FIELD : rows.indexOf(/** @type {HTMLElement} */ (event.target));
  if (!isField && place < 0) return;
  if (event.key === "Escape" && box()?.dataset.search === "live") clear();
  else if (isField && event.key === "ArrowDown" && results()?.hidden) ask();
  const next = step(event.key, place, rows.length);
  if (next === null) return;
  event.preventDefault();
  (next === FIELD ? field() : rows[next])?.focus();
}

document.addEventListener("input", (event) => {
  if (event.target !== field()) return;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(ask);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !isTyping(event)) {
    event.preventDefault();
    field()?.select();
    field()?.focus();
  } else walk(event);
});
document.addEventListener("swapped", () => {
  asked?.abort();
  const input = field();
  if (input && !input.value) input.value = kept;
});
