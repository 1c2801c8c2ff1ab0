// One row of the tree in the page: made once, and drawn again for whatever row comes to stand there.

import { _ } from "./lib/words.js";

/** @typedef {import("./lib/row_facts.js").Badge} Badge */
/** @typedef {import("./lib/row_facts.js").Piece} Piece */
/** @typedef {import("./lib/rows.js").Item} Item */

/**
 * All that a row shows. `heat` is the statistic's column: its word, and a colour, "" where it is hatched; null without one.
 * @typedef {import("./lib/row_facts.js").Facts & {item: Item, href: string, value: string | null, isSelected: boolean,
 *   isAbove: boolean, isFaint: boolean, isFlat: boolean, heat: {text: string, fill: string, ink: string} | null}} Shown
 */

const ICONS = "/static/vendor/icons.svg#";
const SVG = "http://www.w3.org/2000/svg";
const SHARE_PX = 62;
const LEAST_PX = 1.5;
/** Deeper rows stand no further to the right. */
export const MOST_INDENTED = 24;

/**
 * @param {string} name
 * @param {number} size
 */
function icon(name, size) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("width", String(size));
  svg.setAttribute("height", String(size));
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", ICONS + name);
  svg.append(use);
  return svg;
}

/**
 * @param {string} tag
 * @param {string} className
 */
function make(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

/** @param {Item} item @returns {string} */
const keyOf = ({ kind, row, tensor }) => `${kind} ${row} ${tensor}`;

/** @param {Badge} badge */
function badgeElement({ icon: name, word, title, kind }) {
  const element = make("span", kind ? `badge badge-${kind}` : "badge");
  const text = document.createElement("span");
  text.textContent = word;
  if (title) element.title = title;
  element.append(icon(name, 11), text);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {Piece[]} pieces
 */
function write(element, pieces) {
  const [first] = pieces;
  if (pieces.length === 1 && first && !first.isMarked) {
    if (element.childNodes.length > 1) element.textContent = first.text;
    else text(element, first.text, false);
    return;
  }
  element.replaceChildren(...pieces.map(({ text, isMarked }) => {
    if (!isMarked) return text;
    const mark = document.createElement("mark");
    mark.textContent = text;
    return mark;
  }));
}

export class TreeRow {
  #name = /** @type {HTMLAnchorElement} */ (make("a", "tree-name name"));
  #between = make("span", "found-between");
  #many = make("span", "tree-many num");
  #swatch = make("i", "swatch");
  #class = make("span", "tree-class");
  #extra = make("span", "tree-extra");
  #badges = make("span", "tree-badges");
  #value = make("span", "tree-value name");
  #count = make("span", "tree-count num");
  #digits = document.createTextNode("");
  #unit = make("i", "tree-unit");
  #share = make("span", "tree-share");
  #part = make("i", "tree-share-part");
  #percent = make("span", "tree-percent num");
  #heat = make("span", "tree-heat num");
  #said = "";
  #top = NaN;

  /** @param {number} number of the element, which is told by it where focus is */
  constructor(number) {
    this.element = make("div", "tree-row");
    this.element.id = `tree-row-${number}`;
    this.element.setAttribute("role", "treeitem");
    this.left = make("span", "tree-left");
    this.twist = make("span", "tree-twist");
    this.twist.append(icon("chevron-right", 14));
    this.#name.tabIndex = -1;
    this.#name.draggable = false;
    this.#count.append(this.#digits, this.#unit);
    this.#share.append(this.#part);
    this.left.append(this.twist, this.#between, this.#name, this.#many, this.#swatch, this.#class, this.#extra, this.#badges);
    this.element.append(this.left, this.#value, this.#count, this.#share, this.#percent, this.#heat);
    /** @type {Item | null} */
    this.item = null;
  }

  /** @param {number} top in pixels */
  moveTo(top) {
    if (top === this.#top) return;
    this.#top = top;
    this.element.style.transform = `translateY(${top}px)`;
  }

  /** @param {Shown} shown */
  draw(shown) {
    const { item } = shown;
    const isAnother = !this.item || keyOf(this.item) !== keyOf(item);
    this.item = item;
    this.#place(shown, isAnother);
    write(this.#name, shown.name);
    if (shown.href) this.#name.href = shown.href;
    else this.#name.removeAttribute("href");
    text(this.#between, shown.between);
    text(this.#many, shown.many);
    this.#swatch.className = `swatch ${shown.swatch}`;
    hide(this.#swatch, !shown.swatch);
    write(this.#class, shown.className);
    hide(this.#class, !shown.className.length);
    this.#class.classList.toggle("tree-inferred", shown.isInferred);
    this.#class.title = shown.isInferred ? _("inferred from names and shapes") : shown.swatch === "swatch-unknown" ? _("class not known") : "";
    text(this.#extra, shown.extra);
    this.#drawBadges(shown.badges);
    this.#drawFigures(shown);
  }

  /**
   * @param {Shown} shown
   * @param {boolean} isAnother than the row showed before: its arrow stands as it should, and does not turn there
   */
  #place({ item, isSelected, isAbove, isFaint, isFlat }, isAnother) {
    const { element } = this;
    const kind = item.kind === "tensor" ? " tree-tensor" : item.kind === "fold" ? " tree-run" : "";
    element.className = `tree-row${kind}${isSelected ? " tree-on" : isAbove ? " tree-above" : ""}${isFaint ? " found-way" : ""}${isFlat ? " tree-flat" : ""}${isAnother ? " tree-another" : ""}`;
    const depth = isFlat ? 0 : Math.min(item.level - 1, MOST_INDENTED);
    this.left.style.setProperty("--depth", String(depth));
    element.ariaLevel = String(item.level);
    element.ariaPosInSet = String(item.position);
    element.ariaSetSize = String(item.size);
    element.ariaSelected = item.kind === "module" || isFlat ? String(isSelected) : null;
    element.ariaExpanded = item.isOpen === null ? null : String(item.isOpen);
    hide(this.twist, isFlat);
    this.twist.classList.toggle("tree-twist-none", item.isOpen === null);
  }

  /** @param {Badge[]} badges */
  #drawBadges(badges) {
    const said = badges.map(({ icon: name, word, title, kind }) => `${name} ${word} ${title} ${kind}`).join("\n");
    if (said === this.#said) return;
    this.#said = said;
    this.#badges.replaceChildren(...badges.map(badgeElement));
  }

  /** @param {Shown} shown */
  #drawFigures({ value, count: [digits, unit, exact], share, percent, heat }) {
    hide(this.#value, value === null);
    text(this.#value, value ?? "", false);
    this.#digits.data = digits;
    text(this.#unit, unit, false);
    this.#count.title = exact;
    this.#share.classList.toggle("tree-share-none", share === 0);
    this.#part.style.width = `${share ? Math.max(LEAST_PX / SHARE_PX, share) * 100 : 0}%`;
    text(this.#percent, percent, false);
    hide(this.#heat, !heat);
    if (!heat) return;
    text(this.#heat, heat.text, false);
    this.#heat.classList.toggle("tree-heat-none", !heat.fill);
    this.#heat.style.background = heat.fill;
    this.#heat.style.color = heat.ink;
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} words
 * @param {boolean} hides whether there is no room for it when it is empty
 */
function text(element, words, hides = true) {
  const { firstChild } = element;
  if (!(firstChild instanceof Text)) element.textContent = words;
  else if (firstChild.data !== words) firstChild.data = words;
  if (hides) hide(element, !words);
}

/**
 * To say what is so already costs as much as a change: the style of the element is worked out anew.
 *
 * @param {HTMLElement} element
 * @param {boolean} isHidden
 */
function hide(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}
