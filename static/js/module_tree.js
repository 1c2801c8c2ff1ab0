// The tree of modules: it takes the place of the rows that the server drew, and knows all of them.

import { OpenState } from "./lib/open_state.js";
import { RowFacts } from "./lib/row_facts.js";
import { Rows } from "./lib/rows.js";
import { _ } from "./lib/words.js";
import { FlatList, WholeTree } from "./tree_sources.js";
import { bindKeys } from "./tree_keys.js";
import { bindPath } from "./tree_path.js";
import { bindPointer } from "./tree_pointer.js";
import { store, stored } from "./tree_store.js";
import { headed, valuesOf } from "./tree_values.js";
import { TreeView } from "./tree_view.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/rows.js").Item} Item */
/** @typedef {import("./lib/rows.js").Key} Key */
/** @typedef {import("./lib/outline.js").Outline} Outline */
/** @typedef {import("./lib/listing.js").Kind} Kind */
/** @typedef {import("./tree_sources.js").TreeSource} TreeSource */

export class ModuleTree extends HTMLElement {
  /** @type {Rows | null} */
  rows = null;
  /** @type {RowFacts | null} */
  words = null;
  /** What is listed when nothing is searched for. @type {TreeSource | null} */
  #listed = null;
  /** @type {AbortController} */
  #left = new AbortController();
  /** @type {Outline | null} */
  #outline = null;
  /** @type {TreeView} */
  view = /** @type {any} */ (null);
  /** @type {HTMLElement} */
  scroller = /** @type {any} */ (null);

  async connectedCallback() {
    this.#left = new AbortController();
    const { signal } = this.#left;
    const outline = await workspace.outline;
    if (signal.aborted || this.view) return;
    const scroller = this.querySelector("[data-tree]");
    if (!(scroller instanceof HTMLElement)) return;
    this.scroller = scroller;
    this.#open(outline);
    this.#enhance();
    this.#put(this.dataset.list ? null : stored(/** @type {{id: string, revision: number}} */ (workspace.tree)));
    /** @type {[string, (event: CustomEvent) => void][]} */
    const heard = [
      ["select", ({ detail }) => this.#selected(detail.row, detail.from)],
      ["hover", ({ detail }) => this.view.setHovered(detail.row)],
      ["outline", ({ detail }) => this.#changed(detail.outline)],
      ["heat", () => this.#heated()],
    ];
    for (const [name, hear] of heard) workspace.addEventListener(name, (event) => hear(/** @type {CustomEvent} */ (event)), { signal });
    addEventListener("pagehide", () => this.keep(), { signal });
    document.addEventListener("visibilitychange", () => this.keep(), { signal });
    document.addEventListener("theme", () => this.view.update(), { signal });
    this.dispatchEvent(new Event("ready", { bubbles: true }));
  }

  disconnectedCallback() {
    if (this.view) this.keep();
    this.#left.abort();
  }

  /** @param {Outline} outline */
  #open(outline) {
    const state = OpenState.of(outline);
    this.#outline = outline;
    this.words = new RowFacts(outline, workspace.tree?.name ?? "", state.listsTensors);
    this.rows = new Rows(outline, state);
  }

  #enhance() {
    const { scroller } = this;
    const list = this.dataset.list;
    scroller.setAttribute("role", "tree");
    scroller.setAttribute("aria-multiselectable", "true");
    scroller.setAttribute("aria-label", list ? _("What is listed") : _("Modules of %(name)s", { name: workspace.tree?.name ?? "" }));
    scroller.tabIndex = 0;
    this.view = new TreeView(scroller);
    this.classList.add("tree-live");
    bindKeys(this);
    bindPointer(this);
    bindPath(this);
  }

  /** @param {import("./tree_store.js").Stored | null} before */
  #put(before) {
    const { rows } = this;
    const outline = this.#outline;
    if (!rows || !outline) return;
    if (before) rows.state.restore(before.kept, (row) => (row < outline.count ? row : -1));
    if (before) rows.rebuild();
    this.#listed = this.#source();
    this.view.active = { kind: "module", row: workspace.selected, tensor: -1 };
    if (!this.dataset.list && before?.selected !== workspace.selected) this.#reveal(workspace.selected);
    this.show(this.#listed);
    if (before) this.view.rows.goTo(before.position);
    if (!before || before.selected !== workspace.selected) this.view.rows.reveal(this.view.index, "center");
    this.#readValues();
    this.#heated();
  }

  /** @returns {TreeSource} */
  #source() {
    const { list, duplicates, recurse } = this.dataset;
    const words = /** @type {RowFacts} */ (this.words);
    if (!list) return new WholeTree(/** @type {Rows} */ (this.rows), words);
    const options = { removeDuplicate: duplicates !== "kept", recurse: recurse !== "false" };
    return new FlatList(/** @type {Outline} */ (this.#outline), words, /** @type {Kind} */ (list), options);
  }

  /** @param {number} row */
  #reveal(row) {
    if (row) this.rows?.show(row);
    if (this.rows && row === 0 && !this.rows.at(0).isOpen) this.rows.open(this.rows.at(0), true);
    this.rows?.showTensors(row);
  }

  /** @param {TreeSource | null} source what a search found, or null for what was listed before */
  show(source) {
    this.scroller.classList.toggle("found", source !== null && source !== this.#listed);
    this.view.show(source ?? /** @type {TreeSource} */ (this.#listed));
  }

  /** @returns {boolean} whether a search stands in place of the list */
  get isSearch() {
    return this.view.source !== this.#listed;
  }

  /** Call it after rows were opened or shut. */
  changed() {
    this.view.refresh();
    this.keep();
    this.dispatchEvent(new Event("opened", { bubbles: true }));
  }

  /**
   * @param {Key} key
   * @param {boolean} isOpen
   */
  open(key, isOpen) {
    this.rows?.open(key, isOpen);
    this.changed();
  }

  /** @param {boolean} isOpen of all rows */
  openAll(isOpen) {
    this.rows?.state.setAll(isOpen);
    this.rows?.rebuild();
    this.view.active = { kind: "module", row: isOpen ? workspace.selected : 0, tensor: -1 };
    this.changed();
    this.view.rows.reveal(this.view.index, "center");
  }

  /** @param {boolean} isFolded whether like siblings are one row */
  fold(isFolded) {
    const { rows } = this;
    if (!rows) return;
    rows.state.folds = isFolded;
    rows.rebuild();
    this.changed();
    this.view.rows.reveal(this.view.index, "center");
  }

  /** @param {Item} item that somebody chose */
  choose(item) {
    if (item.kind === "fold") return this.open(item, !item.isOpen);
    this.view.active = item;
    /** @type {Record<string, string>} */
    const query = item.kind === "tensor" ? { tab: this.view.tabOf(item) } : {};
    workspace.select(item.row, { from: "tree", query });
  }

  /**
   * @param {number} row
   * @param {string} from
   */
  #selected(row, from) {
    if (from !== "tree") this.view.active = { kind: "module", row, tensor: -1 };
    if (!this.dataset.list) {
      if (from === "tree" && !this.isSearch) this.rows?.showTensors(row);
      else this.#reveal(row);
    }
    this.view.refresh();
    if (from !== "tree" || this.view.active.row === row) this.view.rows.reveal(this.view.index);
    this.keep();
  }

  /** @param {Outline} outline of the tree as it is now */
  #changed(outline) {
    const before = /** @type {Rows} */ (this.rows);
    const { outline: old, state } = before;
    const active = old.path(this.view.active.row);
    const { position } = this.view.rows;
    this.#open(outline);
    const rows = /** @type {Rows} */ (this.rows);
    if (state.listsTensors === rows.state.listsTensors) {
      rows.state.restore(state.kept(), (row) => (row < old.count ? outline.rowOf(old.path(row)) : -1));
      rows.rebuild();
    }
    this.view.active = { ...this.view.active, row: Math.max(0, outline.rowOf(active)) };
    this.#listed = this.#source();
    if (!this.dataset.list) this.#reveal(workspace.selected);
    this.show(this.#listed);
    this.view.rows.goTo(position);
    this.#readValues();
  }

  /** Values stand beside the tensors of a tree of which all are listed. */
  async #readValues() {
    const outline = this.#outline;
    if (!outline || this.dataset.list || !this.rows?.state.listsTensors) return;
    const values = await valuesOf(outline);
    if (outline !== this.#outline) return;
    this.view.values = headed(values);
    this.view.update();
  }

  #heated() {
    const { heat } = workspace;
    this.classList.toggle("tree-with-heat", heat !== null);
    const head = document.querySelector("[data-tree-heat]");
    if (head instanceof HTMLElement) [head.hidden, head.textContent] = [!heat, heat?.label ?? ""];
    this.view.update();
  }

  /** Goes to what stands above the rows. */
  leave() {
    this.dispatchEvent(new Event("leave", { bubbles: true }));
  }

  /** @returns {boolean} whether there was something to leave */
  escape() {
    if (!this.isSearch) return false;
    return !this.dispatchEvent(new Event("escape", { bubbles: true, cancelable: true }));
  }

  /** Keeps what is open for when the page is loaded again. */
  keep() {
    const { tree } = workspace;
    if (!tree || !this.rows || this.dataset.list || this.isSearch) return;
    store(tree, { kept: this.rows.state.kept(), position: this.view.rows.position, selected: workspace.selected });
  }
}

customElements.define("module-tree", ModuleTree);
