// A long list of which only the rows in sight are in the page; elements are used again for what comes into sight.

import { ScrollSpace } from "./lib/scroll_space.js";
import { TreeRow } from "./tree_row.js";

/** @typedef {import("./tree_row.js").Shown} Shown */

/** What a list is made of. @typedef {{count: number, shown: (index: number) => Shown}} Source */

const OVERSCAN = 6;
const REST_MS = 150;
/** Of the width: names of deep rows need room too. */
const MOST_INDENTED = 0.36;

export class VirtualRows {
  #space = new ScrollSpace();
  /** @type {Map<number, TreeRow>} by index */
  #drawn = new Map();
  /** @type {TreeRow[]} */
  #free = [];
  #number = 0;
  #frame = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #rest;
  #isStale = true;
  #rowHeight = 24;
  #view = 0;
  /** What of the view is between the margins of the rows. */
  #room = 0;
  #pad = 0;
  /** The row that has the focus: it stays in the page when it is out of sight. */
  #active = -1;
  /** @type {Source} */
  #source = { count: 0, shown: () => { throw new RangeError("no rows"); } };

  /**
   * @param {HTMLElement} scroller with a fixed height, or one that grows
   * @param {(first: number, last: number) => void} onDraw called with what came into sight
   */
  constructor(scroller, onDraw) {
    this.scroller = scroller;
    this.onDraw = onDraw;
    this.space = document.createElement("div");
    this.space.className = "tree-space";
    this.space.setAttribute("role", "none");
    scroller.replaceChildren(this.space);
    scroller.addEventListener("scroll", () => this.#later(false), { passive: true });
    new ResizeObserver(() => this.measure()).observe(scroller);
    this.measure();
  }

  /** Reads what it is laid out in. */
  measure() {
    this.#rowHeight = Number.parseFloat(getComputedStyle(this.scroller).getPropertyValue("--row")) || 24;
    this.#view = this.scroller.clientHeight;
    const { marginTop, marginBottom } = getComputedStyle(this.space);
    this.#room = Math.max(0, this.#view - Number.parseFloat(marginTop) - Number.parseFloat(marginBottom));
    this.space.style.setProperty("--most-indented", `${Math.floor(this.scroller.clientWidth * MOST_INDENTED)}px`);
    const bar = this.scroller.offsetWidth - this.scroller.clientWidth;
    const pane = this.scroller.closest(".pane");
    if (pane instanceof HTMLElement) pane.style.setProperty("--scrollbar", `${bar}px`);
    this.#layOut();
    this.#later(true);
  }

  #layOut() {
    this.#space.measure(this.#source.count * this.#rowHeight, this.#room);
    this.space.style.height = `${this.#space.height}px`;
  }

  /** @param {Source} source */
  show(source) {
    this.#source = source;
    this.#layOut();
    this.draw(true);
  }

  /** Draws all that is in sight again, at the next frame. */
  update() {
    this.#later(true);
  }

  /** Says at the next frame what is in sight, of which nothing but its marks is another. */
  mark() {
    this.#later(false);
  }

  /** @param {boolean} isStale whether rows that are drawn already are drawn again */
  #later(isStale) {
    this.#isStale ||= isStale;
    this.#frame ||= requestAnimationFrame(() => this.draw(this.#isStale));
  }

  /** @returns {[number, number]} the first row in sight, and the one after the last */
  get range() {
    const { offset } = this.#space;
    const first = Math.floor(offset / this.#rowHeight);
    return [first, Math.min(this.#source.count, Math.ceil((offset + this.#view) / this.#rowHeight))];
  }

  /** @returns {number} how many rows are in sight at once */
  get pageSize() {
    return Math.max(1, Math.floor(this.#view / this.#rowHeight) - 1);
  }

  /** @returns {number} how far it is scrolled, in rows */
  get position() {
    return this.#space.offset / this.#rowHeight;
  }

  /** @param {number} position in rows */
  goTo(position) {
    this.scroller.scrollTop = this.#space.to(position * this.#rowHeight);
    this.draw(true);
  }

  /**
   * @param {number} index
   * @param {"nearest" | "center"} block
   */
  reveal(index, block = "nearest") {
    const top = index * this.#rowHeight;
    const { offset } = this.#space;
    const above = this.#pad;
    if (top - above >= offset && top + this.#rowHeight <= offset + this.#room) return;
    if (block === "center") this.goTo((top - (this.#room - this.#rowHeight) / 2) / this.#rowHeight);
    else this.goTo((top < offset + above ? top - above : top + this.#rowHeight - this.#room) / this.#rowHeight);
  }

  /** @param {number} pixels at the top that something covers */
  setPad(pixels) {
    this.#pad = pixels;
  }

  /** @param {number} index of the row that has the focus, -1 for none */
  setActive(index) {
    this.#active = index;
  }

  /** @param {number} index @returns {TreeRow | undefined} */
  drawn(index) {
    return this.#drawn.get(index);
  }

  /** @param {Element} element @returns {[number, TreeRow] | undefined} the row that it is in */
  rowOf(element) {
    return [...this.#drawn].find(([, row]) => row.element.contains(element));
  }

  /** @param {boolean} isStale whether rows that are drawn already are drawn again */
  draw(isStale) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#isStale = false;
    this.#space.scroll(this.scroller.scrollTop);
    const [first, last] = this.range;
    const wanted = new Set();
    for (let index = Math.max(0, first - OVERSCAN); index < Math.min(this.#source.count, last + OVERSCAN); index += 1) wanted.add(index);
    if (this.#active >= 0 && this.#active < this.#source.count) wanted.add(this.#active);
    for (const [index, row] of this.#drawn) {
      if (wanted.has(index)) continue;
      this.#drawn.delete(index);
      this.#free.push(row);
    }
    for (const index of wanted) this.#put(index, isStale);
    for (const row of this.#free) row.element.remove();
    this.onDraw(first, last);
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#order(), REST_MS);
  }

  /** Puts the rows in order in the page too, for whoever reads it there: not while somebody scrolls. */
  #order() {
    let before = null;
    for (const [, { element }] of [...this.#drawn].sort(([one], [other]) => other - one)) {
      if (element.nextElementSibling !== before) this.space.insertBefore(element, before);
      before = element;
    }
  }

  /**
   * @param {number} index
   * @param {boolean} isStale
   */
  #put(index, isStale) {
    const there = this.#drawn.get(index);
    const row = there ?? this.#free.pop() ?? this.#made();
    if (!there || isStale) row.draw(this.#source.shown(index));
    this.#drawn.set(index, row);
    if (!row.element.parentNode) this.space.append(row.element);
    row.moveTo(this.#space.place(index * this.#rowHeight));
  }

  #made() {
    return new TreeRow((this.#number += 1));
  }
}
