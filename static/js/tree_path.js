// On a narrow screen: what the first row in sight is in, in a line above the rows.

import { clipped } from "./lib/visible.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./module_tree.js").ModuleTree} ModuleTree */

const MOST_NAMES = 12;

/** @param {ModuleTree} tree */
export function bindPath(tree) {
  const line = document.createElement("div");
  const [path, className] = [document.createElement("span"), document.createElement("span")];
  line.className = "tree-path";
  line.setAttribute("aria-hidden", "true");
  path.className = "name";
  className.className = "tree-path-class";
  line.append(path, className);
  line.hidden = true;
  tree.prepend(line);
  let drawn = -2;
  tree.view.listeners.push((first) => {
    const item = tree.view.at(first);
    const { known } = workspace;
    const row = item && known && !tree.view.source?.isFlat && first > 0 ? (item.kind === "tensor" ? item.row : known.parent(item.row)) : -1;
    if (row === drawn) return;
    drawn = row;
    line.hidden = row < 0;
    if (row < 0 || !known) return;
    const names = known.trail(row).slice(-MOST_NAMES).map((above) => clipped(tree.words?.name(above) ?? "", 40));
    // Written from right to left, so that it is cut on the left: the mark keeps the names themselves as they are.
    path.textContent = `\u200e${names.join(" / ")}\u200e`;
    className.textContent = clipped(known.className(row), 40);
  });
}
