// What the tree's pane lists now, drawn: which rows are selected, hovered, coloured, and which one has the focus.

import { inkOn, mixed, placeOf } from "./lib/paints.js";
import { exact, significant } from "./lib/numbers.js";
import { _ } from "./lib/words.js";
import { MOST_INDENTED } from "./tree_row.js";
import { VirtualRows } from "./virtual_rows.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/rows.js").Item} Item */
/** @typedef {import("./lib/rows.js").Key} Key */
/** @typedef {import("./tree_sources.js").TreeSource} TreeSource */
/** @typedef {import("./tree_row.js").Shown} Shown */

/** Paths of deeper rows are made when somebody points at them. */
const MOST_LINKED = 64;
const STOPS = [0, 1, 2, 3, 4];

export class TreeView {
  /** The row with the focus. @type {Key} */
  active = { kind: "module", row: workspace.selected, tensor: -1 };
  /** @type {TreeSource | null} */
  source = null;
  /** Of trees that show them, by row and number of the tensor. @type {Map<string, string> | null} */
  values = null;
  #hovered = -1;
  #activeIndex = -1;
  #above = new Set();
  #selected = new Set();
  /** @type {string[]} */
  #stops = [];
  /** Called with the rows in sight whenever they were drawn. @type {((first: number, last: number) => void)[]} */
  listeners = [];

  /** @param {HTMLElement} scroller */
  constructor(scroller) {
    this.scroller = scroller;
    this.rows = new VirtualRows(scroller, (first, last) => this.#drawn(first, last));
  }

  /** @param {TreeSource} source */
  show(source) {
    this.source = source;
    this.#place();
    this.rows.show({ count: source.count, shown: (index) => this.#shown(index) });
  }

  /** Draws again what the source has become. */
  refresh() {
    if (this.source) this.show(this.source);
  }

  /** Draws again what is in sight. */
  update() {
    this.#place();
    this.rows.update();
  }

  #place() {
    const { known } = workspace;
    this.#selected = new Set(workspace.selection);
    this.#above = new Set(known && workspace.selected < known.count ? known.trail(workspace.selected).slice(0, -1) : []);
    const found = this.source?.count ? this.source.find(this.active) : null;
    this.#activeIndex = found ? found.index : -1;
    this.rows.setActive(this.#activeIndex);
    const style = workspace.heat ? getComputedStyle(this.scroller) : null;
    this.#stops = style ? STOPS.map((stop) => style.getPropertyValue(`--seq-${stop}`).trim()) : [];
  }

  /** @returns {number} where the row with the focus is */
  get index() {
    return this.#activeIndex;
  }

  /**
   * @param {number} index
   * @returns {Item | null}
   */
  at(index) {
    return this.source && index >= 0 && index < this.source.count ? this.source.at(index) : null;
  }

  /**
   * @param {number} index to give the focus to
   * @param {"nearest" | "center"} block
   */
  focus(index, block = "nearest") {
    const item = this.at(index);
    if (!item) return;
    this.active = item;
    this.#place();
    this.rows.reveal(index, block);
    this.rows.draw(true);
  }

  /** @param {number} row that is pointed at, -1 for none */
  setHovered(row) {
    if (row === this.#hovered) return;
    this.#hovered = row;
    this.rows.mark();
  }

  /**
   * @param {Element} element
   * @returns {{index: number, item: Item} | null}
   */
  itemAt(element) {
    const found = this.rows.rowOf(element);
    return found?.[1].item ? { index: found[0], item: found[1].item } : null;
  }

  /**
   * @param {number} index
   * @returns {Shown}
   */
  #shown(index) {
    const source = /** @type {TreeSource} */ (this.source);
    const item = source.at(index);
    const isModule = item.kind === "module" || (source.isFlat && item.kind === "tensor");
    const isSelected = isModule && this.#selected.has(item.row);
    const facts = source.facts(index);
    return {
      ...facts,
      between: facts.between || (item.level > MOST_INDENTED ? _("level %(num)s", { num: exact(item.level) }) : ""),
      item,
      href: item.level <= MOST_LINKED ? this.address(item) : "",
      value: this.values ? (this.values.get(`${item.kind} ${item.row} ${item.tensor}`) ?? "") : null,
      isSelected,
      isAbove: !isSelected && item.kind === "module" && this.#above.has(item.row),
      isFaint: source.isFaint(index),
      isFlat: source.isFlat,
      heat: this.#heatOf(item),
    };
  }

  /**
   * @param {Item} item
   * @returns {string} the page that the row opens
   */
  address(item) {
    if (item.kind !== "tensor") return workspace.address(item.row);
    return workspace.address(item.row, { tab: this.tabOf(item) });
  }

  /** @param {Item} item of a tensor */
  tabOf({ row, tensor }) {
    return tensor < (workspace.known?.at(row).parameters.length ?? 0) ? "parameters" : "buffers";
  }

  /** @param {Item} item */
  #heatOf(item) {
    const { heat } = workspace;
    if (!heat) return null;
    const value = item.kind === "module" ? heat.values.get(item.row) : undefined;
    if (value === undefined) return { text: "", fill: "transparent", ink: "" };
    if (value === null) return { text: _("none"), fill: "", ink: "" };
    const fill = mixed(this.#stops, placeOf(value, heat.range));
    return { text: significant(value), fill, ink: inkOn(fill) };
  }

  /**
   * @param {number} first in sight
   * @param {number} last
   */
  #drawn(first, last) {
    const hovered = this.#hovered;
    for (let index = first - 8; index < last + 8; index += 1) {
      const row = this.rows.drawn(index);
      row?.element.classList.toggle("tree-hover", hovered >= 0 && row.item?.kind === "module" && row.item.row === hovered);
      row?.element.classList.toggle("tree-active", index === this.#activeIndex);
    }
    const active = this.rows.drawn(this.#activeIndex);
    if (active) this.scroller.setAttribute("aria-activedescendant", active.element.id);
    else this.scroller.removeAttribute("aria-activedescendant");
    for (const hear of this.listeners) hear(first, last);
  }
}
