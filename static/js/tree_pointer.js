// The tree under a mouse or a finger: rows are chosen, opened by their arrow, and pointed at in all panes at once.

import { workspace } from "./workspace.js";

/** @typedef {import("./module_tree.js").ModuleTree} ModuleTree */
/** @typedef {import("./lib/rows.js").Item} Item */

const MOST_SELECTED = 64;

const REST_MS = 100;

/**
 * @param {ModuleTree} tree
 * @param {Element | null} element that is pointed at
 */
function point(tree, element) {
  const found = element && tree.view.itemAt(element);
  workspace.hover(found && found.item.kind !== "fold" ? found.item.row : -1, "tree");
}

/** @param {ModuleTree} tree */
export function bindPointer(tree) {
  const { scroller } = tree;
  scroller.addEventListener("click", (event) => {
    const found = event.target instanceof Element ? tree.view.itemAt(event.target) : null;
    if (!found || event.button || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const { item, index } = found;
    const isTwist = event.target instanceof Element && event.target.closest(".tree-twist");
    if (isTwist && item.isOpen !== null) {
      tree.view.active = item;
      tree.open(item, !item.isOpen);
    } else click(tree, item, index, event);
  });
  // Rows that pass under a pointer at rest are not pointed at: the one that it is over in the end is.
  let scrolled = 0;
  scroller.addEventListener("scroll", () => {
    clearTimeout(scrolled);
    scrolled = window.setTimeout(() => {
      scrolled = 0;
      point(tree, scroller.querySelector(".tree-row:hover"));
    }, REST_MS);
  }, { passive: true });
  scroller.addEventListener("pointerover", (event) => {
    if (!scrolled && event.target instanceof Element) point(tree, event.target);
  }, { passive: true });
  scroller.addEventListener("pointerleave", () => workspace.hover(-1, "tree"), { passive: true });
  // Clicking focuses the tree: its row is not to jump into sight by that.
  scroller.addEventListener("mousedown", (event) => {
    if (event.shiftKey) event.preventDefault();
  });
}

/**
 * @param {ModuleTree} tree
 * @param {Item} item
 * @param {number} index
 * @param {MouseEvent} event
 */
function click(tree, item, index, event) {
  tree.scroller.focus({ preventScroll: true });
  if (item.kind === "module" && event.shiftKey) {
    const from = tree.view.index;
    tree.view.focus(index);
    workspace.selectAll(between(tree, from, index), { from: "tree" });
  } else if (item.kind === "module" && (event.ctrlKey || event.metaKey)) {
    tree.view.active = item;
    workspace.select(item.row, { add: true, from: "tree" });
  } else tree.choose(item);
}

/**
 * @param {ModuleTree} tree
 * @param {number} from
 * @param {number} to
 * @returns {number[]} the modules in between, the last one that was clicked
 */
function between(tree, from, to) {
  const step = from <= to ? 1 : -1;
  const rows = [];
  for (let index = from; index !== to + step && rows.length < MOST_SELECTED; index += step) {
    const item = tree.view.at(index);
    if (item?.kind === "module") rows.push(item.row);
  }
  return rows;
}
