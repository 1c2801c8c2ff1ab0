// The selected module at the right of the page, fetched by itself: a selection does not start the page anew.

import { ask } from "./ask.js";
import { lost } from "./away.js";
import { glance } from "./glance.js";
import { partUrl, tabFor } from "./lib/part_url.js";
import { _ } from "./lib/words.js";
import { workspace } from "./workspace.js";

const SLOW_MS = 300;
// What says of an element which one it is, once the part was drawn again.
const MARKS = ["data-tab", "rel", "data-copy-icon", "name", "aria-label"];

const LONGEST_PATH = 1_500;

/** @type {AbortController | null} */
let asking = null;
/** Whether the part is not of what is selected: the server could not be reached. */
let isBehind = false;
/** Whether the part shows already what the next change of the outline tells. */
let isFresh = false;

export function expectChange() {
  isFresh = true;
}

/** @returns {HTMLElement | null} */
export const part = () => document.querySelector("[data-inspector]");

/**
 * @param {Element | null} element
 * @returns {string} finds the same element in the next part, "" where nothing says which it is
 */
function selectorOf(element) {
  const mark = MARKS.find((name) => element?.getAttribute(name));
  const form = element?.closest("form[data-form]")?.getAttribute("data-form");
  if (element && !mark && form) return `form[data-form="${CSS.escape(form)}"] ${element.localName}`;
  return element && mark ? `${element.localName}[${mark}="${CSS.escape(element.getAttribute(mark) ?? "")}"]` : "";
}

/**
 * Puts a part in the place of the one before; focus stays, and so does the scroll of the same module's same tab.
 * @param {HTMLElement} there
 */
export function put(there) {
  const here = part();
  if (!here) return;
  const isSame = here.dataset.row === there.dataset.row && here.dataset.tab === there.dataset.tab;
  const top = isSame ? (here.querySelector(".insp-body")?.scrollTop ?? 0) : 0;
  const hadFocus = here.contains(document.activeElement);
  const selector = hadFocus ? selectorOf(document.activeElement) : "";
  here.replaceWith(document.adoptNode(there));
  const body = there.querySelector(".insp-body");
  if (body) body.scrollTop = top;
  if (hadFocus) {
    const again = (selector && there.querySelector(selector)) || there.querySelector(".insp-tab[aria-current]");
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }
  glance(there);
}

/**
 * @param {string} text of a page or a part
 * @returns {HTMLElement | null}
 */
export function partIn(text) {
  return new DOMParser().parseFromString(text, "text/html").querySelector("[data-inspector]");
}

/** @param {string} said what went wrong, above the tabs */
export function complain(said) {
  const here = part();
  here?.querySelector(".insp-problem")?.remove();
  if (!here || !said) return;
  const line = document.createElement("p");
  line.className = "insp-problem field-problem";
  line.setAttribute("role", "alert");
  line.textContent = said;
  here.querySelector(".insp-tabs")?.before(line);
}

/**
 * @param {HTMLElement} here
 * @param {boolean} isTrace whether a forward is run for what is to come
 */
function wait(here, isTrace) {
  here.setAttribute("aria-busy", "true");
  if (!isTrace) return;
  const line = document.createElement("p");
  line.className = "insp-waits";
  line.setAttribute("role", "status");
  line.textContent = _("Tracing the forward.");
  here.querySelector(".insp-waits")?.remove();
  here.querySelector(".insp-tabs")?.after(line);
}

function rest() {
  part()?.removeAttribute("aria-busy");
  part()?.querySelector(".insp-waits")?.remove();
}

/**
 * Fetches the part of the primary selection; what was asked for before is given up.
 * @param {Record<string, string>} more arguments beside those of the page's address
 * @returns {Promise<boolean>} whether it is there now
 */
export async function show(more = {}) {
  const here = part();
  const { tree, selection } = workspace;
  if (!here?.dataset.inspector || !tree) return false;
  asking?.abort();
  const mine = (asking = new AbortController());
  const slow = setTimeout(() => wait(here, more.tab === "trace" && Boolean(more.input)), SLOW_MS);
  try {
    const tab = tabFor(new URLSearchParams(location.search).get("tab"), selection.length);
    const url = partUrl(here.dataset.inspector, location.search, selection, tree.revision, { tab, ...more });
    const response = await ask(url, { signal: mine.signal });
    const found = partIn(await response.text());
    if (mine.signal.aborted) return false;
    isBehind = false;
    if (found) put(found);
    else if (response.status === 412) await workspace.changed();
    else complain(_("The server answered with %(status)s.", { status: response.status }));
    return response.ok && found !== null;
  } catch (error) {
    if (mine.signal.aborted) return false;
    if (!(error instanceof TypeError)) throw error;
    isBehind = true;
    void lost("inspector", async () => !isBehind || show());
    complain(_("The server cannot be reached. What is shown here is of another module."));
    return false;
  } finally {
    clearTimeout(slow);
    if (asking === mine) rest();
  }
}

/**
 * @param {HTMLAnchorElement} link
 * @returns {boolean} whether the link is followed here
 */
function follow(link) {
  const { row, tab, open, without } = link.dataset;
  const asked = new URL(link.href).searchParams;
  if (without !== undefined) workspace.select(Number(without), { add: true, from: "inspector" });
  else if (row !== undefined) workspace.select(Number(row), { from: "inspector" });
  else if (link.dataset.tensor !== undefined) {
    const tensor = asked.get("tensor") ?? "";
    history.replaceState(history.state, "", workspace.address(workspace.selected, { tensor }));
    void show();
  } else if (tab !== undefined) {
    const shown = tab === "overview" ? "" : tab;
    history.pushState(history.state, "", workspace.address(workspace.selected, { tab: shown }));
    workspace.setTab(tab);
    void show({ tab: shown, open: open ?? "", input: asked.get("input") ?? "" });
  } else return false;
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-inspector] a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || !workspace.tree) return;
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (follow(link)) {
    event.preventDefault();
    link.closest("details[open]")?.removeAttribute("open");
  }
});
workspace.addEventListener("select", (event) => {
  if (event instanceof CustomEvent && event.detail.from !== "form") void show();
});
workspace.addEventListener("outline", (event) => {
  const here = part();
  const isDrawn = isFresh;
  isFresh = false;
  // What somebody is filling in is not taken away.
  if (!(event instanceof CustomEvent) || isDrawn || !here || here.querySelector("form[data-touched]")) return;
  const target = event.detail.outline.path(workspace.selected);
  // By path: which revision the rows are counted at may not be known yet.
  /** @type {Record<string, string>} */
  const place = target.length > LONGEST_PATH ? { revision: "" } : { target, row: "", revision: "" };
  void show({ ...place, made: here.querySelector("[data-made]") ? (here.dataset.revision ?? "") : "" });
});

const here = part();
if (here) glance(here);
if (workspace.selection.length > 1) void show();
