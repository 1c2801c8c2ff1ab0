// The head of a tree's page, kept as the tree is now: revision and history, undo and redo in place, the title, Compare.

import { askJson } from "./ask.js";
import { refresh } from "./swap.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/outline.js").Outline} Outline */

/** @param {HTMLFormElement} form */
async function step(form) {
  const { tree } = workspace;
  const response = await askJson(`${tree?.url}/${form.dataset.step}`, { method: "POST" });
  // A step that somebody else took first is no failure: what there is now is shown.
  if (response.ok) await now((await response.json()).revision);
  else if (response.status === 409) await catchUp();
}

/** @param {number} revision that the tree has got to */
async function now(revision) {
  document.querySelector("[data-workspace]")?.setAttribute("data-revision", String(revision));
  await workspace.changed();
}

/** @param {Outline} outline */
function title(outline) {
  const name = workspace.tree?.name ?? "";
  const path = outline.path(workspace.selected);
  const [module, tree] = [path ? outline.place(workspace.selected).name : name, name].map((each) => (each.length > 60 ? `${each.slice(0, 59)}…` : each));
  document.title = `${module} · ${tree} · Moduletree`;
}

/** @param {Outline} outline */
function compare(outline) {
  const query = new URLSearchParams();
  if (workspace.selection.length > 1) for (const row of workspace.selection) query.append("target", outline.path(row));
  for (const link of document.querySelectorAll("a[data-compare]")) {
    link.setAttribute("href", `${workspace.tree?.url}/compare${query.size ? `?${query}` : ""}`);
  }
}

workspace.addEventListener("select", async () => {
  const outline = await workspace.outline;
  title(outline);
  compare(outline);
});
workspace.addEventListener("outline", () => {
  const isMoving = document.querySelector("[data-run][data-active]") !== null;
  void refresh(isMoving ? ["crumbs", "facts"] : ["crumbs", "facts", "fit"]);
});

/** After a time without the server: what happened to the tree meanwhile is fetched, if anything did. */
async function catchUp() {
  const { tree } = workspace;
  const response = await askJson(tree?.url ?? "");
  if (!response.ok) return;
  const { revision } = await response.json();
  if (revision !== tree?.revision) await now(revision);
}

document.addEventListener("back", () => void catchUp());
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.dataset.step || !workspace.tree) return;
  event.preventDefault();
  step(form).catch(() => form.submit());
});
