// The command palette: a field that is a combobox, a list that it commands, as the ARIA practices have it.

import { iconElement, openDialog } from "./dialog.js";
import { listed, step, used } from "./lib/palette.js";
import { _ } from "./lib/words.js";
import { atHand, modules, treeUrl, trees } from "./palette_entries.js";

/** @typedef {import("./lib/palette.js").Entry} Entry */
/** @typedef {import("./lib/palette.js").Shown} Shown */

const LATELY = "moduletree-palette";

/** @returns {string[]} */
function lately() {
  try {
    const kept = JSON.parse(localStorage.getItem(LATELY) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {string} id */
function remember(id) {
  try {
    localStorage.setItem(LATELY, JSON.stringify(used(lately(), id)));
  } catch {
    // Storage can be forbidden; nothing is remembered then.
  }
}

class Palette {
  constructor() {
    this.dialog = document.createElement("dialog");
    this.dialog.className = "dialog palette";
    this.dialog.setAttribute("aria-label", _("Command palette"));
    this.field = document.createElement("input");
    this.list = document.createElement("div");
    this.none = document.createElement("p");
    this.said = document.createElement("p");
    this.entries = atHand();
    /** @type {Entry[]} */
    this.found = [];
    /** @type {Shown[]} */
    this.shown = [];
    this.place = 0;
    /** @type {AbortController | null} */
    this.asked = null;
    this.#build();
  }

  open() {
    openDialog(this.dialog);
    this.field.focus();
    this.draw();
    trees().then((found) => {
      this.entries = [...this.entries, ...found];
      this.draw();
    }, () => undefined);
  }

  #build() {
    const box = document.createElement("div");
    box.className = "palette-field";
    const { field, list } = this;
    field.type = "text";
    field.autocomplete = "off";
    field.spellcheck = false;
    field.placeholder = treeUrl() ? _("Go to a module, a tree or a page, or do something") : _("Go to a tree or a page, or do something");
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list" })) {
      field.setAttribute(name, value);
    }
    field.setAttribute("aria-label", field.placeholder);
    list.id = "palette-list";
    list.className = "palette-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", _("Commands"));
    this.none.className = "palette-none";
    this.said.className = "hidden-text";
    this.said.setAttribute("role", "status");
    box.append(iconElement("search", 16), field);
    this.dialog.append(box, list, this.none, this.said);
    field.addEventListener("input", () => this.#typed());
    field.addEventListener("keydown", (event) => this.#press(event));
    list.addEventListener("pointermove", (event) => this.#mark(placeOf(event.target)));
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => this.#run(this.shown[placeOf(event.target)]));
  }

  #typed() {
    this.place = 0;
    this.draw();
    this.asked?.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    const typed = this.field.value;
    modules(typed, signal).then((found) => {
      if (signal.aborted) return;
      this.found = found;
      this.draw();
    }, () => undefined);
  }

  draw() {
    const groups = listed([...this.found, ...this.entries], this.field.value, lately(), _("Used lately"));
    this.shown = groups.flatMap((group) => group.entries);
    this.list.replaceChildren(...groups.map((group, number) => this.#group(group, number)));
    this.none.hidden = this.shown.length > 0;
    const nothing = _("Nothing matches %(q)s.", { q: `“${this.field.value}”` });
    this.none.textContent = nothing;
    this.said.textContent = this.shown.length ? "" : nothing;
    this.#mark(Math.min(this.place, this.shown.length - 1));
  }

  /**
   * @param {{title: string, entries: Shown[]}} group
   * @param {number} number
   */
  #group(group, number) {
    const box = document.createElement("div");
    box.setAttribute("role", "group");
    const title = document.createElement("div");
    title.className = "palette-group";
    title.id = `palette-group-${number}`;
    title.textContent = group.title;
    box.setAttribute("aria-labelledby", title.id);
    box.append(title, ...group.entries.map((entry) => item(entry, this.shown.indexOf(entry))));
    return box;
  }

  /** @param {number} place */
  #mark(place) {
    if (place < 0) {
      if (!this.shown.length) this.field.removeAttribute("aria-activedescendant");
      return;
    }
    this.list.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    this.place = place;
    const marked = this.list.querySelector(`[data-place="${place}"]`);
    marked?.setAttribute("aria-selected", "true");
    marked?.scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", `palette-${place}`);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.isComposing) return;
    const place = step(event.key, this.place, this.shown.length);
    if (place !== null) {
      event.preventDefault();
      this.#mark(place);
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#run(this.shown[this.place]);
    }
  }

  /** @param {Entry | undefined} entry */
  #run(entry) {
    if (!entry) return;
    remember(entry.id);
    this.dialog.close();
    if (entry.href) location.assign(entry.href);
    else entry.run?.();
  }
}

/** @param {EventTarget | null} target */
function placeOf(target) {
  const place = target instanceof Element ? target.closest("[data-place]")?.getAttribute("data-place") : null;
  return place ? Number(place) : -1;
}

/**
 * @param {Shown} entry
 * @param {number} place
 */
function item(entry, place) {
  const made = document.createElement("div");
  made.className = "palette-item";
  made.id = `palette-${place}`;
  made.dataset.place = String(place);
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  const label = document.createElement("span");
  label.className = entry.isName ? "palette-label name" : "palette-label";
  let at = 0;
  for (const [from, to] of entry.ranges) {
    const mark = document.createElement("mark");
    mark.textContent = entry.label.slice(from, to);
    label.append(entry.label.slice(at, from), mark);
    at = to;
  }
  label.append(entry.label.slice(at));
  made.append(iconElement(entry.icon ?? "arrow-right"), label);
  if (entry.hint) {
    const hint = document.createElement("span");
    hint.className = "palette-hint";
    hint.textContent = entry.hint;
    made.append(hint);
  }
  return made;
}

export function openPalette() {
  new Palette().open();
}
