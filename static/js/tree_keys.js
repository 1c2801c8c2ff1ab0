// Arrow keys walk the rows of the tree: up and down, right into a module, left to its parent, Home and End.

/** @param {Element} tree */
const rows = (tree) => [...tree.querySelectorAll("a.tree-name")].filter((row) => row.getClientRects().length > 0);

/** @param {Element} row */
const item = (row) => row.closest("li");

/**
 * @param {Element} tree
 * @param {Element} row
 * @param {string} key
 * @returns {Element | null | undefined}
 */
function next(tree, row, key) {
  const all = rows(tree);
  const place = all.indexOf(row);
  const inside = item(row)?.querySelector(":scope > ul a.tree-name");
  const switched = item(row)?.querySelector(":scope > .tree-row [data-tree-twist], :scope > .tree-row [data-tree-turn]");
  switch (key) {
    case "ArrowDown":
      return all[place + 1];
    case "ArrowUp":
      return all[place - 1];
    case "Home":
      return all[0];
    case "End":
      return all[all.length - 1];
    case "ArrowRight":
      if (switched instanceof HTMLElement && switched.getAttribute("aria-expanded") === "false") switched.click();
      return inside ?? row;
    case "ArrowLeft":
      if (switched instanceof HTMLElement && switched.getAttribute("aria-expanded") === "true" && inside) {
        switched.click();
        return row;
      }
      return item(row)?.parentElement?.closest("li")?.querySelector("a.tree-name");
    default:
      return null;
  }
}

document.addEventListener("keydown", (event) => {
  const row = event.target instanceof Element ? event.target.closest("[data-tree] a.tree-name") : null;
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const tree = row.closest("[data-tree]");
  const found = tree ? next(tree, row, event.key) : null;
  if (!(found instanceof HTMLElement)) return;
  event.preventDefault();
  found.focus();
});
