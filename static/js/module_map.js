// The map of a tree, <module-map>: takes over from the drawing that the server made, in its place.

import { registerKeys } from "./keys.js";
import { chosen, keep } from "./map_choices.js";
import { save } from "./map_export.js";
import { listen } from "./map_gestures.js";
import { putTable, tableOf } from "./map_table.js";
import { MapTip } from "./map_tip.js";
import { traced } from "./map_trace.js";
import { MapView } from "./map_view.js";
import { MapWalk } from "./map_walk.js";
import { partOf, putAbove, putAround, putEmpty, putProblem } from "./map_words.js";
import { footOf, short } from "./lib/map_says.js";
import { clipped } from "./lib/visible.js";
import { _ } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/outline.js").Outline} Outline */
/** @typedef {import("./lib/icicle.js").Cell} Cell */
/** @typedef {import("./map_choices.js").Choices} Choices */

const SLOW_MS = 300;

class ModuleMap extends HTMLElement {
  /** @type {Outline | null} */
  #outline = null;
  /** @type {import("./lib/amounts.js").Trace | null} */
  #trace = null;
  #choices = chosen();
  /** Another one with each time that a trace is waited for, or no longer is. */
  #waiting = {};
  #walk = new MapWalk();
  #tip = new MapTip();
  /** @type {MapView | null} */
  #view = null;
  /** @type {AbortController | null} ends all listening */
  #life = null;

  connectedCallback() {
    const stage = partOf(this, "stage");
    if (!stage || this.#life) return;
    const { signal } = (this.#life = new AbortController());
    const view = (this.#view = new MapView(stage));
    this.#choices = chosen();
    listen(this, {
      view, walk: this.#walk, tip: this.#tip,
      choose: (changed) => void this.choose(changed), zoom: () => this.#choices.zoom,
      turnTable: () => this.#turnTable(), save: (kind) => void this.#save(kind),
    }, signal);
    this.#follow(view, signal);
    // Where the outline cannot be had, the server's drawing stays.
    workspace.outline.then((outline) => (signal.aborted ? undefined : this.#begin(view, outline, signal)), () => undefined);
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#life = null;
  }

  /**
   * @param {MapView} view
   * @param {AbortSignal} signal
   */
  #follow(view, signal) {
    const on = (/** @type {EventTarget} */ target, /** @type {string} */ name, /** @type {(event: any) => void} */ act) =>
      target.addEventListener(name, act, { signal });
    on(workspace, "select", ({ detail }) => this.#show({ follows: detail.from !== "map" }));
    on(workspace, "hover", ({ detail }) => view.light(detail.row));
    on(workspace, "outline", ({ detail }) => void this.#changed(detail.outline));
    on(workspace, "heat", () => {
      this.#choices = { ...this.#choices, colour: chosen().colour };
      this.#show({ isOther: true });
    });
    on(document, "theme", () => view.restyle());
    on(window, "popstate", () => void this.choose(chosen()));
    void document.fonts.ready.then(() => view.restyle());
  }

  /**
   * @param {MapView} view
   * @param {Outline} outline
   * @param {AbortSignal} signal
   */
  async #begin(view, outline, signal) {
    this.#outline = outline;
    if (this.#choices.zoom >= outline.count) this.#choices = { ...this.#choices, zoom: 0 };
    const isDrawn = this.querySelector("[data-map-area=flops][aria-current]") !== null;
    const wantsTrace = this.#choices.area === "flops" && !(isDrawn && (await this.#hasTrace()));
    if (signal.aborted) return;
    if (wantsTrace) this.#choices = { ...this.#choices, area: "parameters" };
    view.resize();
    this.#show({ isOther: this.#choices.colour === "heat" });
    for (const first of this.querySelectorAll("[data-map-first]")) first.remove();
    view.stage.append(view.canvas, this.#walk.element, this.#walk.ring, this.#tip.element);
    const sizes = new ResizeObserver(() => {
      if (!view.resize()) return;
      this.#putCells();
      putAbove(this, view, this.#choices);
    });
    sizes.observe(view.stage);
    signal.addEventListener("abort", () => sizes.disconnect());
    if (wantsTrace) await this.choose({ area: "flops" });
  }

  /** @param {Outline} outline after a change of the tree */
  async #changed(outline) {
    const { zoom, area } = this.#choices;
    const path = zoom && this.#outline ? this.#outline.path(zoom) : "";
    this.#outline = outline;
    this.#trace = null;
    if (area === "flops") this.#choices = { ...this.#choices, area: "parameters" };
    await this.choose({ area, zoom: path ? Math.max(outline.rowOf(path), 0) : 0 });
  }

  /** @returns {Promise<boolean>} whether there is a trace that nobody has stopped waiting for */
  async #hasTrace() {
    const waiting = (this.#waiting = {});
    const slow = setTimeout(() => putProblem(this, _("Tracing the forward, for its FLOPs."), false), SLOW_MS);
    const { trace, problem } = await traced(this.dataset.trace ?? "", workspace.tree?.revision ?? 0);
    clearTimeout(slow);
    if (waiting !== this.#waiting) return false;
    this.#trace = trace;
    putProblem(this, problem);
    return trace !== null;
  }

  /**
   * Chooses what the height is, what the colour says, or what is in large; it stands in the address from then on.
   * @param {Partial<Choices>} changed
   */
  async choose(changed) {
    const { zoom, area } = this.#choices;
    const { area: wanted = area, ...others } = changed;
    // The rows' statistic may have been put into the address since.
    this.#choices = { ...this.#choices, colour: chosen().colour, ...others };
    if (wanted !== "flops") {
      this.#waiting = {};
      putProblem(this, "");
    }
    if (wanted !== "flops" || this.#trace || (await this.#hasTrace())) this.#choices = { ...this.#choices, area: wanted };
    keep(this.#choices);
    this.#show({ isOther: true, goesOver: zoom !== this.#choices.zoom });
  }

  /**
   * @param {{follows?: boolean, isOther?: boolean, goesOver?: boolean}} how whether the keyboard's place goes to the
   *   selection, whether the words around are others, and whether what is in large moves
   */
  #show({ follows = false, isOther = false, goesOver = false } = {}) {
    const [view, outline] = [this.#view, this.#outline];
    if (!view || !outline) return;
    const { heat, selection, tree } = workspace;
    const rootName = tree?.name ?? "";
    view.show({ outline, trace: this.#trace, heat, choices: this.#choices, selection, rootName }, { goesOver });
    this.#putCells(follows);
    if (isOther) putAround(this, view, this.#choices);
    else putAbove(this, view, this.#choices);
  }

  /** @param {boolean} follows whether the keyboard's place goes to the selection */
  #putCells(follows = false) {
    const { says, shown, cells, stage } = this.#view ?? {};
    if (!says || !shown || !cells || !stage) return;
    this.#walk.put({ cells, panels: shown.panels, says, selection: workspace.selection }, follows);
    this.#tip.hide();
    const last = shown.panels.at(-1);
    putEmpty(stage, last?.cells.length ? "" : this.#emptyWords(cells.length > 0));
    const table = partOf(this, "table");
    if (table && !table.hidden) putTable(table, tableOf(cells, says));
  }

  /** @param {boolean} hasOthers whether other modules have a height */
  #emptyWords(hasOthers) {
    if (hasOthers) return _("All that this module holds has its height where it stands first, or it has none.");
    if (this.#choices.area === "flops") return _("This forward has no matrix products, convolutions or attention.");
    return _("Nothing in this tree has a height: it holds no parameters.");
  }

  /** Puts the table in place of the drawing, or the drawing in place of the table. */
  #turnTable() {
    const [table, view] = [partOf(this, "table"), this.#view];
    if (!table || !view?.says) return;
    const isFocused = this.contains(document.activeElement) && !document.activeElement?.matches("[data-map-switch]");
    table.hidden = !table.hidden;
    this.#walk.element.tabIndex = table.hidden ? 0 : -1;
    partOf(this, "switch")?.setAttribute("aria-pressed", String(!table.hidden));
    table.replaceChildren(...(table.hidden ? [] : [tableOf(view.cells, view.says)]));
    if (isFocused) (table.hidden ? this.#walk.element : table).focus();
  }

  /** @param {"png" | "svg"} kind */
  async #save(kind) {
    const [picture, says, shown] = [this.#view?.picture, this.#view?.says, this.#view?.shown];
    if (!picture || !says || !shown) return;
    const { outline, amounts, rootName } = says;
    const texts = shown.panels.map(({ top }) => {
      const name = top ? outline.path(top) : rootName;
      return `${clipped(name, 40)}, ${short(amounts.of(top, 1, outline.at(top)), amounts.area)}`;
    });
    const captions = shown.panels.map(({ x }, at) => ({ x, text: texts[at] ?? "" }));
    const title = _("Map of %(name)s", { name: clipped(rootName, 80) });
    const sheet = { ...picture.size, title, captions, foot: footOf(says), say: (/** @type {Cell} */ cell) => says.line(cell) };
    await save(kind, { ...picture, sheet, name: rootName });
  }
}

registerKeys(_("Map"), [
  ["ArrowDown ArrowUp", _("Go to the next, or the previous module")],
  ["ArrowRight ArrowLeft", _("Go into a module, or out of it")],
  ["Enter", _("Select; once more, zoom in")],
  ["Escape", _("Zoom out")],
  ["t", _("Show the map as a table, or the table as a map")],
]);
customElements.define("module-map", ModuleMap);
