// The search box of a tree: what is typed is found in place of the rows, a page at a time as one scrolls.

import { askJson } from "./ask.js";
import { isTyping } from "./lib/keys.js";
import { exact } from "./lib/numbers.js";
import { clipped } from "./lib/visible.js";
import { _, ngettext } from "./lib/words.js";
import { Found } from "./tree_sources.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./module_tree.js").ModuleTree} ModuleTree */
/** @typedef {import("./tree_sources.js").FoundPage} FoundPage */

const LIMIT = "200";
const SLOW_MS = 300;

/** @type {AbortController | null} the search that is under way */
let asked = null;
/** @type {{q: string, found: Found, next: string | null, isBusy: boolean} | null} */
let shown = null;
let frame = 0;

const field = () => /** @type {HTMLInputElement | null} */ (document.querySelector("form[data-search] input[name=q]"));
const tree = () => /** @type {ModuleTree | null} */ (document.querySelector("module-tree"));
const isLive = () => field()?.form?.dataset.search === "live";

/**
 * @param {string} words for the eye and for screen readers
 * @param {boolean} isBad
 * @param {string} clear what a button says that clears the search, "" for none
 */
function say(words, isBad = false, clear = "") {
  const line = document.querySelector("[data-search-said]");
  if (!line) return;
  line.classList.toggle("bad", isBad);
  if (line.textContent !== words + clear) line.textContent = words;
  field()?.setAttribute("aria-invalid", String(isBad));
  if (!clear) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.dataset.searchClear = "";
  button.textContent = clear;
  line.append(" ", button);
}

/** Puts what is searched for in the address, where a reload finds it. @param {string} q */
function address(q) {
  const query = new URLSearchParams(location.search);
  if (q) query.set("q", q);
  else query.delete("q");
  const to = query.size ? `${location.pathname}?${query}` : location.pathname;
  if (to !== location.pathname + location.search) history.replaceState(history.state, "", to);
}

/**
 * @param {string} q
 * @param {string | null} cursor
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<FoundPage | string>} what was found, or why nothing was
 */
async function fetched(q, cursor, signal) {
  const query = new URLSearchParams(cursor ? { q, limit: LIMIT, cursor } : { q, limit: LIMIT });
  const response = await askJson(`${workspace.tree?.url}/search?${query}`, { signal });
  const answer = await response.json();
  if (response.ok) return answer;
  /** @type {{loc: (string | number)[], msg: string} | undefined} */
  const problem = answer.errors?.[0];
  const at = Number(problem?.loc.at(-1));
  if (problem && at >= 0) return _("Character %(at)s: %(problem)s.", { at: exact(at + 1), problem: problem.msg });
  return answer.detail || _("The server does not answer as expected.");
}

/** @param {string} q */
async function look(q) {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const slow = setTimeout(() => say(_("Searching…")), SLOW_MS);
  try {
    const [outline, answer] = await Promise.all([workspace.outline, fetched(q, null, signal)]);
    const list = tree();
    if (signal.aborted || !list?.words) return;
    if (typeof answer === "string") return say(answer, true);
    const found = new Found(outline, list.words);
    found.add(answer.rows);
    shown = { q, found, next: answer.next, isBusy: false };
    list.view.active = found.count ? found.at(Math.max(found.first, 0)) : list.view.active;
    list.show(found);
    list.view.rows.goTo(0);
    tell(answer, outline.count);
  } catch {
    if (!signal.aborted) say(_("The server does not answer. Type again to try again."), true);
  } finally {
    clearTimeout(slow);
  }
}

/**
 * @param {FoundPage} page
 * @param {number} count of modules in the tree
 */
function tell({ q, num_modules: modules, num_tensors: tensors }, count) {
  const said = [
    modules && ngettext("%(num)s module", "%(num)s modules", modules, { num: exact(modules) }),
    tensors && ngettext("%(num)s tensor", "%(num)s tensors", tensors, { num: exact(tensors) }),
  ].filter(Boolean);
  if (said.length) return say(said.join(", "));
  const nothing = ngettext(
    'Nothing matches "%(q)s" in %(num)s module.', 'Nothing matches "%(q)s" in %(num)s modules.', count, { q: clipped(q, 60), num: exact(count) },
  );
  say(nothing, false, _("Clear the search"));
}

/** Asks for what stands in the box, and no longer for what stood there before. */
function ask() {
  const q = field()?.value.trim() ?? "";
  asked?.abort();
  address(q);
  if (q) void look(q);
  else close();
}

function close() {
  const list = tree();
  say("");
  if (!shown || !list?.view) return;
  shown = null;
  list.view.active = { kind: "module", row: workspace.selected, tensor: -1 };
  list.show(null);
  list.view.rows.reveal(list.view.index, "center");
}

/** @param {string} q put into the box and searched for */
function search(q) {
  const input = field();
  if (!input) return;
  input.value = q;
  ask();
}

/** Fetches what comes next when its place comes into sight. @param {number} last row in sight */
async function more(last) {
  const now = shown;
  if (!now?.next || now.isBusy || last < now.found.count - 60) return;
  now.isBusy = true;
  const answer = await fetched(now.q, now.next, undefined).catch(() => "");
  if (typeof answer !== "string") {
    now.found.add(answer.rows);
    now.next = answer.next;
    if (shown === now) tree()?.view.refresh();
  }
  now.isBusy = false;
}

/** @param {KeyboardEvent} event in the box */
function inField(event) {
  const list = tree();
  if (event.key === "Escape") {
    event.preventDefault();
    search("");
  } else if ((event.key === "ArrowDown" || event.key === "Enter") && list?.view) {
    event.preventDefault();
    list.scroller.focus({ preventScroll: true });
    const item = list.view.at(list.view.index);
    if (event.key === "Enter" && shown && item) list.choose(item);
  }
}

document.addEventListener("input", (event) => {
  if (event.target !== field() || !isLive()) return;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(ask);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "/" && !isTyping(event.target) && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    const box = field() ?? document.querySelector(".lens-form input[name=q]");
    if (box instanceof HTMLInputElement) box.select();
  } else if (event.target === field() && isLive()) inField(event);
});
document.addEventListener("leave", () => field()?.focus());
document.addEventListener("escape", (event) => {
  event.preventDefault();
  search("");
  field()?.focus();
});
function begin() {
  const list = tree();
  if (!list?.view) return;
  list.view.listeners.push((_first, last) => void more(last));
  const q = new URLSearchParams(location.search).get("q");
  const input = field();
  if (q && input && isLive()) search(q);
}

document.addEventListener("ready", begin);
// The tree may have been there first.
begin();
document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const facet = event.target.closest("a[data-search-for]");
  if (event.target.closest("[data-search-clear]")) {
    search("");
    field()?.focus();
  } else if (facet instanceof HTMLElement && tree()?.view) {
    event.preventDefault();
    search(field()?.value.trim() === facet.dataset.searchFor ? "" : (facet.dataset.searchFor ?? ""));
  }
});
