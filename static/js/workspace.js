// The tree that the page shows, and what of it is selected: one EventTarget that the panes share.

import { Outline } from "./lib/outline.js";

const LONGEST_PATH = 1_500;
const LIST = /^\/trees\/[^/]+\/(named_)?(modules|parameters|buffers|children)$/;

/**
 * The statistic that colours the rows; null is "none", a row that is not there has nothing to show. `title` says of which
 * moment it is too.
 * @typedef {{key: string, label: string, title?: string, range: [number, number], values: Map<number, number | null>}} Heat
 */

class Workspace extends EventTarget {
  /** @type {Promise<Outline> | null} */
  #outline = null;
  /** The outline that is there, for those who cannot wait. @type {Outline | null} */
  known = null;
  /** @type {number[]} all selected rows, the primary one last */
  selection = this.kept(Number(document.querySelector("module-tree")?.getAttribute("data-row") ?? 0));
  /** @type {Heat | null} */
  heat = null;

  /**
   * @param {number} row that the address names
   * @returns {number[]} the rows that were selected together with it when this entry of the history was left
   */
  kept(row) {
    const { selection, revision } = history.state ?? {};
    const isIt = Array.isArray(selection) && selection.at(-1) === row && revision === this.tree?.revision;
    return isIt ? selection.map(Number) : [row];
  }

  /** @returns {HTMLElement | null} */
  get #element() {
    return document.querySelector("[data-workspace]");
  }

  /** @returns {{id: string, name: string, url: string, revision: number} | null} null where the page shows no tree */
  get tree() {
    const data = this.#element?.dataset;
    return data?.tree ? { id: data.tree, name: data.name ?? "", url: `/trees/${data.tree}`, revision: Number(data.revision) } : null;
  }

  /** @returns {number} the row of the primary selection */
  get selected() {
    return this.selection.at(-1) ?? 0;
  }

  /** @returns {Promise<Outline>} never there on a page without a tree */
  get outline() {
    return (this.#outline ??= this.#fetched());
  }

  async #fetched() {
    const { tree } = this;
    if (!tree) return new Promise(() => {});
    // As the page preloads it, which is of one address: where the tree is gone the preload is refused all the same.
    const response = await fetch(`/api${tree.url}/shapes`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`The shapes of the tree were answered with ${response.status}.`);
    this.known = new Outline(await response.json());
    // The rows are those of that revision, whatever the page was made from.
    const revision = response.headers.get("etag")?.match(/\d+/)?.[0];
    if (revision) this.#element?.setAttribute("data-revision", revision);
    return this.known;
  }

  /**
   * @param {number} row
   * @param {{add?: boolean, push?: boolean, from?: string, query?: Record<string, string>}} options with `add` the row
   *   joins the others, or leaves them where it was one; `push` makes it an entry of the history; `from` says who selects
   */
  select(row, { add = false, ...options } = {}) {
    const others = this.selection.filter((each) => each !== row);
    const leaves = add && others.length > 0 && others.length < this.selection.length;
    this.selectAll(add ? (leaves ? others : [...others, row]) : [row], options);
  }

  /**
   * @param {number[]} rows the primary one last
   * @param {{push?: boolean, from?: string, query?: Record<string, string>}} options as of `select`
   */
  selectAll(rows, { push = true, from = "", query = {} } = {}) {
    this.selection = rows.length ? rows : [0];
    const address = this.address(this.selected, { tensor: "", ...query });
    if (push && this.tree && address !== location.pathname + location.search) history.pushState({}, "", address);
    // An address names one module; the others are kept with the entry of the history, for a reload and the way back.
    if (push && this.tree) history.replaceState({ selection: this.selection, revision: this.tree.revision }, "");
    this.#tell("select", { row: this.selected, selection: this.selection, from });
  }

  /**
   * @param {number} row -1 for none
   * @param {string} from
   */
  hover(row, from) {
    this.#tell("hover", { row, from });
  }

  /**
   * @param {number} row
   * @param {Record<string, string>} query "" leaves an argument out
   * @returns {string} the page with the row selected, on the tab that is open
   */
  address(row, query = {}) {
    const { tree } = this;
    const path = (row && this.known?.path(row)) || "";
    const kept = new URLSearchParams(location.search);
    for (const name of ["row", "from", "unfold", "open", "fn"]) kept.delete(name);
    for (const [name, value] of Object.entries(query)) {
      if (value) kept.set(name, value);
      else kept.delete(name);
    }
    const isLong = path.length > LONGEST_PATH || (row > 0 && !path);
    if (isLong) kept.set("row", String(row));
    let page = tree?.url ?? "";
    if (LIST.test(location.pathname)) {
      page = location.pathname;
      kept.delete("module");
      if (path && !isLong) kept.set("module", path);
    } else if (path && !isLong) page = `${page}/modules/${encodeURIComponent(path)}`;
    return kept.size ? `${page}?${kept}` : page;
  }

  /** @returns {Promise<number>} the row that the address selects, 0 where it selects none */
  async addressed() {
    const outline = await this.outline;
    const query = new URLSearchParams(location.search);
    const start = `${this.tree?.url}/modules/`;
    const path = location.pathname.startsWith(start) ? decodeURIComponent(location.pathname.slice(start.length)) : query.get("module");
    const row = path ? outline.rowOf(path) : Number(query.get("row") ?? 0);
    return row >= 0 && row < outline.count ? row : 0;
  }

  /** Call it after a change of the tree: what there is of it is fetched again, and the selection finds its modules. */
  async changed() {
    const before = this.known;
    const paths = before ? this.selection.filter((row) => row < before.count).map((row) => before.path(row)) : [];
    this.#outline = this.#fetched();
    const outline = await this.#outline;
    const rows = before ? paths.map((path) => outline.rowOf(path)).filter((row) => row >= 0) : this.selection;
    this.selection = rows.length ? rows : [0];
    this.#tell("outline", { outline });
  }

  /** @param {Heat | null} heat */
  setHeat(heat) {
    this.heat = heat;
    this.#tell("heat", { heat });
  }

  /** @param {string} tab of the inspector */
  setTab(tab) {
    this.#tell("tab", { tab });
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

export const workspace = new Workspace();

addEventListener("popstate", async () => {
  if (workspace.tree) workspace.selectAll(workspace.kept(await workspace.addressed()), { push: false, from: "history" });
});
