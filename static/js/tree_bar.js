// The bar above the tree: all rows opened or shut, like ones folded, and the lists that stand in place of the tree.

import { ask } from "./ask.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./module_tree.js").ModuleTree} ModuleTree */

const tree = () => /** @type {ModuleTree | null} */ (document.querySelector("module-tree"));

/** Says in the bar what is so. */
function tell() {
  const list = tree();
  for (const button of document.querySelectorAll("[data-tree-do]")) {
    if (!(button instanceof HTMLButtonElement) || !list?.rows) continue;
    button.hidden = Boolean(list.dataset.list) || (list.rows.outline.count === 1);
    if (button.dataset.treeDo === "fold") button.ariaPressed = String(list.rows.state.folds);
  }
}

/** @param {string | undefined} what */
function act(what) {
  const list = tree();
  if (!list?.rows) return;
  if (what === "open") list.openAll(true);
  else if (what === "shut") list.openAll(false);
  else list.fold(!list.rows.state.folds);
  list.scroller.focus({ preventScroll: true });
}

/** One after the other, so that what was asked for last is what stands there in the end. */
let turn = Promise.resolve();

/**
 * Puts another list, or the tree, in its pane; the rest of the page stays as it is.
 * @param {string} address
 */
async function change(address) {
  const response = await ask(address).catch(() => null);
  const page = response?.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
  const [here, there] = [document.getElementById("tree"), page?.getElementById("tree")];
  if (!page || !here || !there) return location.assign(address);
  here.replaceChildren(...[...there.childNodes].map((node) => document.adoptNode(node)));
  document.title = page.title;
}

/**
 * @param {string} href of a list
 * @returns {string} with what is selected
 */
function withSelection(href) {
  const url = new URL(href, location.href);
  const path = workspace.known?.path(workspace.selected) ?? "";
  if (/\/(named_)?(modules|parameters|buffers|children)$/.test(url.pathname) && path && path.length < 1_500) url.searchParams.set("module", path);
  else if (url.pathname === workspace.tree?.url && path) url.pathname += `/modules/${encodeURIComponent(path)}`;
  const tab = new URLSearchParams(location.search).get("tab");
  if (tab) url.searchParams.set("tab", tab);
  return url.pathname + url.search;
}

const listOf = () => document.querySelector("module-tree")?.getAttribute("data-list") ?? "";
const listIn = (/** @type {string} */ path) => /\/(?:named_)?(modules|parameters|buffers|children)$/.exec(path)?.[1] ?? "";

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const button = event.target.closest("[data-tree-do]");
  if (button instanceof HTMLElement) act(button.dataset.treeDo);
  const link = event.target.closest("a[data-lens]");
  if (!(link instanceof HTMLAnchorElement) || !tree()?.view) return;
  event.preventDefault();
  const address = withSelection(link.href);
  history.pushState({}, "", address);
  turn = turn.then(() => change(address));
});
addEventListener("popstate", () => {
  if (workspace.tree && listOf() !== listIn(location.pathname)) turn = turn.then(() => change(location.pathname + location.search));
});
document.addEventListener("ready", tell);
document.addEventListener("opened", tell);
// The tree may have been there first.
tell();

// Counts beside the names of the lists, and below the rows, are the server's: after a change it is asked for them again.
workspace.addEventListener("outline", async () => {
  const response = await ask(location.href).catch(() => null);
  if (!response?.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of ["[data-tree-lenses]", "[data-tree-facets]"]) {
    const [here, there] = [document.querySelector(part), page.querySelector(part)];
    if (here && there) here.replaceWith(document.adoptNode(there));
  }
});
