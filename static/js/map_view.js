// The drawing of the map: what is laid out of the tree for the room there is, and drawn on its canvas.

import { contextOf, drawScene } from "./map_draw.js";
import { paletteOf } from "./map_palette.js";
import { goOver } from "./map_zoom.js";
import { Amounts } from "./lib/amounts.js";
import { hit, standing, standsFor, together } from "./lib/cells.js";
import { MapSays } from "./lib/map_says.js";
import { Paints } from "./lib/paints.js";
import { panelsOf } from "./lib/panels.js";
import { boxOf, sceneOf } from "./lib/scene.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/outline.js").Outline} Outline */
/** @typedef {import("./lib/amounts.js").Trace} Trace */
/** @typedef {import("./lib/icicle.js").Cell} Cell */
/** @typedef {import("./lib/paints.js").Heat} Heat */
/** @typedef {import("./lib/panels.js").Panel} Panel */
/** @typedef {import("./map_choices.js").Choices} Choices */

/** What is drawn. @typedef {{outline: Outline, trace: Trace | null, heat: Heat | null, choices: Choices, selection: number[], rootName: string}} Subject */

export class MapView {
  /** @type {Subject | null} */
  #subject = null;
  /** @type {MapSays | null} */
  #says = null;
  /** @type {import("./lib/panels.js").Panels} */
  #shown = { panels: [], block: 0 };
  /** @type {import("./lib/scene.js").Scene | null} */
  #scene = null;
  /** @type {import("./lib/map_svg.js").Palette | null} */
  #palette = null;
  #size = { width: 0, height: 0 };
  #lit = -1;
  /** @type {Cell | null} */
  #pointed = null;
  #frame = 0;
  /** @type {(() => void) | null} ends the way from one part to another */
  #hurry = null;

  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.stage = stage;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-canvas";
    this.canvas.setAttribute("aria-hidden", "true");
  }

  get says() {
    return this.#says;
  }

  get shown() {
    return this.#shown;
  }

  /** @returns {Cell[]} of both panels, each module once, in pre-order */
  get cells() {
    const [whole, part] = this.#shown.panels;
    return part ? together(whole?.cells ?? [], part.cells) : (whole?.cells ?? []);
  }

  /** @returns {{scene: import("./lib/scene.js").Scene, palette: import("./lib/map_svg.js").Palette, size: {width: number, height: number}} | null} for a file */
  get picture() {
    return this.#scene && this.#palette ? { scene: this.#scene, palette: this.#palette, size: this.#size } : null;
  }

  /**
   * @param {Subject} subject
   * @param {{goesOver?: boolean}} options whether what is in large goes over to the new, where a person lets things move
   */
  show(subject, { goesOver = false } = {}) {
    const before = this.#subject;
    const { outline, choices, heat, trace, rootName } = subject;
    const isSame = before?.outline === outline && before.trace === trace && before.choices.area === choices.area;
    const amounts = isSame && this.#says ? this.#says.amounts : new Amounts(outline, choices.area, trace);
    this.#says = new MapSays(outline, amounts, new Paints(outline, choices.colour, heat), rootName);
    this.#subject = subject;
    if (before?.outline !== outline) this.#shown.block = 0;
    const [was] = this.#shown.panels.slice(-1);
    this.#layOut();
    const [is] = this.#shown.panels.slice(-1);
    if (goesOver && was && is && was.top !== is.top && was.width === is.width && mayMove()) this.#goOver(was, is);
    else this.draw();
  }

  /** Lays out again what is shown, for the room that there is now. */
  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (width === this.#size.width && height === this.#size.height) return false;
    this.#size = { width, height };
    if (this.#subject) {
      this.#layOut();
      // Now, not with the next frame: a canvas is empty once its size is another.
      this.#drawNow();
    }
    return true;
  }

  /** The theme or the fonts are others now. */
  restyle() {
    this.#palette = null;
    this.draw();
  }

  #layOut() {
    const subject = this.#subject;
    if (!subject || !this.#says) return;
    this.#hurry?.();
    const { outline, choices, selection } = subject;
    const view = { ...this.#size, selected: selection.at(-1) ?? 0, zoom: choices.zoom, present: this.#shown.block };
    this.#shown = panelsOf(outline, this.#says.amounts, view);
    this.#scene = sceneOf(this.#shown, selection, this.#says);
  }

  /** Draws with the next frame. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow() {
    if (!this.#scene || this.#hurry) return;
    this.#palette ??= paletteOf(this.stage);
    const context = contextOf(this.canvas, this.#size, devicePixelRatio || 1);
    if (context) drawScene(context, this.#scene, this.#palette, this.#litBoxes());
  }

  /**
   * @param {Panel} before
   * @param {Panel} after
   */
  #goOver(before, after) {
    const [scene, says] = [this.#scene, this.#says];
    if (!scene || !says) return;
    const palette = (this.#palette ??= paletteOf(this.stage));
    const stays = {
      ...scene,
      tiles: scene.tiles.filter((tile) => tile.x < after.x),
      words: scene.words.filter((word) => word.x < after.x),
      chosen: scene.chosen.filter((box) => box.x < after.x),
    };
    const begun = () => {
      const context = contextOf(this.canvas, this.#size, devicePixelRatio || 1);
      if (context) drawScene(context, stays, palette);
      return context;
    };
    this.#hurry = goOver({ before, after, says, palette }, begun, () => {
      this.#hurry = null;
      this.draw();
    });
  }

  /**
   * @param {number} row that is hovered over, here or in the tree; -1 for none
   */
  light(row) {
    if (row === this.#lit) return;
    this.#lit = row;
    this.draw();
  }

  /** @param {Cell | null} cell that is pointed at: told once, however the pointer moves in it */
  point(cell) {
    if (cell === this.#pointed) return;
    this.#pointed = cell;
    workspace.hover(cell ? cell.row : -1, "map");
  }

  #litBoxes() {
    if (this.#lit < 0) return [];
    return this.#shown.panels.flatMap((panel) => {
      const cell = standing(panel.cells, this.#lit);
      return cell && standsFor(cell, this.#lit) ? [boxOf(cell, panel)] : [];
    });
  }

  /**
   * @param {number} x in the stage
   * @param {number} y
   * @returns {Cell | null}
   */
  at(x, y) {
    for (const panel of this.#shown.panels) {
      const found = x >= panel.x && x < panel.x + panel.width ? hit(panel.cells, x - panel.x, y) : null;
      if (found) return found;
    }
    return null;
  }
}

const mayMove = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;
