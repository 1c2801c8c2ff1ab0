// The keys of the tree, as the ARIA practices have them: rows are walked, opened, and selected one by one or together.

import { registerKeys } from "./keys.js";
import { _ } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./module_tree.js").ModuleTree} ModuleTree */
/** @typedef {import("./lib/rows.js").Item} Item */

const TYPED_MS = 700;
const MOST_TYPED = 5_000;
const MOST_SIBLINGS = 1_000;
const MOST_SELECTED = 64;

/** What was typed of a name, and when. */
const typed = { text: "", at: 0 };

/** @param {ModuleTree} tree */
export function bindKeys(tree) {
  tree.scroller.addEventListener("keydown", (event) => {
    if (event.altKey || event.defaultPrevented) return;
    const isDone = event.ctrlKey || event.metaKey ? withControl(tree, event) : walk(tree, event) || act(tree, event) || type(tree, event);
    if (isDone) event.preventDefault();
  });
}

/**
 * @param {ModuleTree} tree
 * @param {KeyboardEvent} event
 */
function withControl(tree, event) {
  const item = tree.view.at(tree.view.index);
  if (event.key !== " " || !item) return false;
  workspace.select(item.row, { add: true, from: "tree" });
  return true;
}

/**
 * @param {ModuleTree} tree
 * @param {KeyboardEvent} event
 */
function walk(tree, event) {
  const { view } = tree;
  const last = (view.source?.count ?? 0) - 1;
  const to = next(event.key, view.index, last, view.rows.pageSize);
  if (to === null) return false;
  if (to < 0) {
    tree.leave();
    return true;
  }
  const before = view.at(view.index);
  view.focus(to);
  if (event.shiftKey && before) extend(before, view.at(to));
  return true;
}

/**
 * @param {string} key
 * @param {number} index
 * @param {number} last
 * @param {number} page
 * @returns {number | null} -1 for what stands above the tree
 */
function next(key, index, last, page) {
  switch (key) {
    case "ArrowDown":
      return Math.min(index + 1, last);
    case "ArrowUp":
      return index - 1;
    case "Home":
      return 0;
    case "End":
      return last;
    case "PageDown":
      return Math.min(index + page, last);
    case "PageUp":
      return Math.max(index - page, 0);
    default:
      return null;
  }
}

/**
 * @param {Item} before
 * @param {Item | null} item that the selection grows by
 */
function extend(before, item) {
  if (item?.kind !== "module") return;
  const isBack = workspace.selection.length > 1 && workspace.selection.at(-2) === item.row && workspace.selected === before.row;
  if (isBack) workspace.selectAll(workspace.selection.slice(0, -1), { from: "tree" });
  else if (!workspace.selection.includes(item.row)) workspace.selectAll([...workspace.selection, item.row].slice(-MOST_SELECTED), { from: "tree" });
}

/**
 * @param {ModuleTree} tree
 * @param {KeyboardEvent} event
 */
function act(tree, event) {
  const { view } = tree;
  const item = view.at(view.index);
  if (!item) return false;
  switch (event.key) {
    case "ArrowRight":
      if (item.isOpen === false) tree.open(item, true);
      else if (item.isOpen) view.focus(view.index + 1);
      return true;
    case "ArrowLeft":
      if (item.isOpen) tree.open(item, false);
      else view.focus(above(tree, item));
      return true;
    case "Enter":
    case " ":
      tree.choose(item);
      return true;
    case "*":
      openSiblings(tree, item);
      return true;
    case "Escape":
      return tree.escape();
    default:
      return false;
  }
}

/**
 * @param {ModuleTree} tree
 * @param {Item} item
 * @returns {number} the row that it is in
 */
function above(tree, item) {
  const { view } = tree;
  let index = view.index - item.position;
  for (let at = view.at(index); index > 0 && at && at.level >= item.level; at = view.at(index)) index -= 1;
  return Math.max(index, 0);
}

/**
 * @param {ModuleTree} tree
 * @param {Item} item
 */
function openSiblings(tree, item) {
  const { known } = workspace;
  if (!known || !tree.rows) return;
  const parent = known.parent(item.row);
  if (parent < 0) return tree.open(item, true);
  let left = MOST_SIBLINGS;
  for (const { row, shape } of known.children(parent)) {
    if ((left -= 1) < 0) break;
    if (!known.shapes[shape]?.numChildren) continue;
    if (tree.rows.find({ kind: "module", row, tensor: -1 }).isThere) tree.rows.open({ kind: "module", row, tensor: -1 }, true);
  }
  tree.changed();
}

/**
 * @param {ModuleTree} tree
 * @param {KeyboardEvent} event
 */
function type(tree, event) {
  if (event.key.length !== 1 || event.key === "/" || event.key === "?") return false;
  const isNew = event.timeStamp - typed.at > TYPED_MS;
  typed.at = event.timeStamp;
  typed.text = (isNew ? "" : typed.text) + event.key.toLowerCase();
  const { view } = tree;
  const count = view.source?.count ?? 0;
  const first = view.index + (typed.text.length === 1 ? 1 : 0);
  for (let step = 0; step < Math.min(count, MOST_TYPED); step += 1) {
    const index = (first + step) % count;
    const item = view.at(index);
    if (item && tree.words?.nameOf(item).toLowerCase().startsWith(typed.text)) {
      view.focus(index);
      break;
    }
  }
  return true;
}

registerKeys(_("Tree"), [
  ["ArrowUp ArrowDown", _("Walk the rows")],
  ["ArrowRight", _("Open a row, or go into it")],
  ["ArrowLeft", _("Shut a row, or go to the one it is in")],
  ["Home End", _("The first row, the last row")],
  ["Enter", _("Select the module")],
  ["Shift+ArrowDown", _("Select more")],
  ["Ctrl+Space", _("Select one more, or one less")],
  ["*", _("Open all rows beside this one")],
  ["/", _("Search this tree")],
]);
