// What the palette can lead to: trees, modules of the one that is shown, actions, lenses, pages, theme and language.

import { askJson } from "./ask.js";
import { commands } from "./commands.js";
import { showKeys } from "./keys.js";
import { exact } from "./lib/numbers.js";
import { _, ngettext } from "./lib/words.js";

/** @typedef {import("./lib/palette.js").Entry} Entry */

const MOST_MODULES = 20;
const JSON_ONLY = { headers: { Accept: "application/json" } };

/** @returns {string} the address of the tree that the page shows, or "" */
export const treeUrl = () => document.querySelector("[data-workspace]")?.getAttribute("data-url") ?? "";

/** @returns {Entry[]} what needs no server */
export function atHand() {
  return [...commands(), ...views(), ...pages(), ...settings()];
}

/** @returns {Entry[]} */
function views() {
  const url = treeUrl();
  if (!url) return [];
  const group = _("This tree");
  const copy = { id: "copy-link", group, label: _("Copy the link to this page"), icon: "link", run: () => void navigator.clipboard.writeText(location.href) };
  /** @type {[string, string, string][]} */
  const links = [
    ["list-tree", _("Modules"), ""],
    ["list-tree", "named_modules", "/named_modules"],
    ["list-tree", "named_parameters", "/named_parameters"],
    ["list-tree", "named_buffers", "/named_buffers"],
    ["list-tree", "named_children", "/named_children"],
    ["list-collapse", _("Repeats folded"), "/folded"],
    ["chart-bar-stacked", _("Trace: shapes and cost"), "/trace"],
    ["git-compare", _("Compare modules"), "/compare"],
    ["blocks", _("Build: grow the tree by hand"), "/build"],
    ["braces", "state_dict", "/state_dict"],
    ["braces", "repr", "/repr"],
    ["history", _("Where the tree comes from"), "/origin"],
  ];
  return [...links.map(([icon, label, path]) => ({ id: `view${path}`, group, label, icon, href: url + path })), copy];
}

/** @returns {Entry[]} */
function pages() {
  const group = _("Pages");
  /** @type {[string, string, string][]} */
  const links = [
    ["list-tree", _("Trees"), "/"],
    ["blocks", _("New tree: build a LinearModel"), "/trees/new?kind=linear"],
    ["package", _("New tree: call a factory"), "/trees/new?kind=factory"],
    ["braces", _("New tree: paste a config"), "/trees/new?kind=config"],
    ["hard-drive", _("New tree: open a checkpoint"), "/trees/new?kind=checkpoint"],
    ["chart-line", _("Runs"), "/runs"],
    ["arrow-right", _("Learn nn.Module"), "/learn"],
    ["braces", _("API reference"), "/docs"],
  ];
  return links.map(([icon, label, href]) => ({ id: `page${href}`, group, label, icon, href }));
}

/** @returns {Entry[]} */
function settings() {
  const group = _("Settings");
  const theme = document.querySelector("[data-theme-switch]");
  const languages = [...document.querySelectorAll(".bar-settings [data-language-switch]")].map((button) => ({
    id: `language-${button.getAttribute("value")}`, group, label: _("Language: %(name)s", { name: button.textContent?.trim() ?? "" }), icon: "arrow-right",
    run: () => button instanceof HTMLElement && button.click(),
  }));
  return [
    { id: "theme", group, label: _("Theme: switch between light and dark"), icon: "sun-moon", run: () => theme instanceof HTMLElement && theme.click() },
    ...languages,
    { id: "keys", group, label: _("Keyboard: show the keys"), hint: "?", icon: "sliders-horizontal", run: showKeys },
  ];
}

/** @returns {Promise<Entry[]>} the trees that were changed last */
export async function trees() {
  // A list is never refused: nothing for ask.js to keep from the console.
  const response = await fetch("/api/trees?limit=50", JSON_ONLY);
  if (!response.ok) return [];
  const { items } = await response.json();
  return items.map((/** @type {{id: string, name: string, class_name: string, num_modules: number}} */ tree) => ({
    id: `tree-${tree.id}`, group: _("Trees"), label: tree.name, icon: "folder-open", href: `/trees/${tree.id}`,
    hint: [tree.class_name, ngettext("%(num)s module", "%(num)s modules", tree.num_modules, { num: exact(tree.num_modules) })].filter(Boolean).join(", "),
  }));
}

/**
 * @param {string} typed
 * @param {AbortSignal} signal
 * @returns {Promise<Entry[]>} the modules of the tree that a search finds
 */
export async function modules(typed, signal) {
  const url = treeUrl();
  if (!url || !typed.trim()) return [];
  const response = await askJson(`${url}/search?limit=${MOST_MODULES}&q=${encodeURIComponent(typed)}`, { signal });
  if (!response.ok) return [];
  const { workspace } = await import("./workspace.js");
  const { rows } = await response.json();
  return rows
    .filter((/** @type {{is_found: boolean, path: string}} */ row) => row.is_found && row.path)
    .map((/** @type {{row: number, path: string, class_name: string}} */ row) => ({
      id: `module-${url}-${row.path}`, group: _("Modules of this tree"), label: row.path, hint: row.class_name, icon: "package", isName: true, isFound: true,
      run: () => workspace.select(row.row, { from: "palette" }),
    }));
}
