// What pointers and keys do on the map: hover, select, zoom, walk, show the table, save.

import { AREAS } from "./lib/amounts.js";
import { COLOURS } from "./lib/paints.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/icicle.js").Cell} Cell */

/**
 * What the gestures act on.
 * @typedef {{view: import("./map_view.js").MapView, walk: import("./map_walk.js").MapWalk, tip: import("./map_tip.js").MapTip,
 *   choose: (changed: Partial<import("./map_choices.js").Choices>) => void, zoom: () => number, turnTable: () => void,
 *   save: (kind: "png" | "svg") => void}} Acts
 */

/**
 * @param {MouseEvent | KeyboardEvent} event
 * @returns {boolean} whether the browser is asked for something of its own
 */
const isBrowsers = (event) => event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;

/** @param {string} text */
const rowOf = (text) => (/^[0-9]+$/.test(text) ? Number(text) : -1);

/**
 * @param {Cell | null} cell
 * @param {boolean} add
 */
function select(cell, add) {
  if (cell) workspace.select(cell.row, { add, from: "map" });
}

/**
 * @param {Acts} acts
 * @param {Cell | null} cell
 */
function zoomTo({ choose, zoom }, cell) {
  if (cell && cell.row !== zoom() && cell.shape.entries.length) choose({ zoom: cell.row });
}

/**
 * @param {Acts} acts
 * @returns {(event: MouseEvent) => void}
 */
const clicked = (acts) => (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target === acts.walk.element) {
    select(acts.view.at(event.offsetX, event.offsetY), event.metaKey || event.ctrlKey);
    return;
  }
  const chosen = target?.closest("[data-map-area], [data-map-colour], [data-map-zoom], [data-map-table] a");
  if (chosen instanceof HTMLElement && !isBrowsers(event) && !event.button) {
    event.preventDefault();
    chosen.closest("details")?.removeAttribute("open");
    const { mapArea, mapColour, mapZoom, row } = chosen.dataset;
    const area = AREAS.find((each) => each === mapArea);
    const colour = COLOURS.find((each) => each === mapColour);
    if (area) acts.choose({ area });
    else if (colour) acts.choose({ colour });
    else if (mapZoom !== undefined) acts.choose({ zoom: Math.max(rowOf(mapZoom), 0) });
    else if (row !== undefined) workspace.select(rowOf(row), { from: "map" });
  }
  const kind = target?.closest("[data-map-save]")?.getAttribute("data-map-save");
  if (kind === "png" || kind === "svg") acts.save(kind);
  if (target?.closest("[data-map-switch]")) acts.turnTable();
};

/**
 * @param {Acts} acts
 * @returns {(event: KeyboardEvent) => void}
 */
const keyed = (acts) => (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const isWalk = target === acts.walk.element;
  if (!isWalk && !target?.closest("[data-map-table]")) return;
  if (event.metaKey || event.altKey || (event.ctrlKey && event.key !== "Enter")) return;
  if (event.key === "t") acts.turnTable();
  else if (!isWalk) return;
  else if (event.key === "Escape") {
    if (acts.tip.hide() || !acts.zoom()) return;
    acts.choose({ zoom: 0 });
  } else if (event.key === "Enter" || event.key === " ") enter(acts, event);
  else if (!acts.walk.go(event.key)) return;
  event.preventDefault();
};

/**
 * @param {Acts} acts
 * @param {KeyboardEvent} event
 */
function enter(acts, event) {
  const { cell } = acts.walk;
  const isAgain = cell?.row === workspace.selected && !event.ctrlKey;
  if (event.key === "Enter" && (isAgain || event.shiftKey)) zoomTo(acts, cell);
  else select(cell, event.ctrlKey);
}

/**
 * @param {Acts} acts
 * @returns {(event: PointerEvent) => void}
 */
const pointed = ({ view, tip }) => (event) => {
  const cell = view.at(event.offsetX, event.offsetY);
  view.point(cell);
  const { clientWidth: width, clientHeight: height } = view.stage;
  if (cell && view.says && event.pointerType !== "touch") tip.show(cell, view.says, { x: event.offsetX, y: event.offsetY, width, height });
  else tip.hide();
};

/**
 * @param {HTMLElement} map
 * @param {Acts} acts
 * @param {AbortSignal} signal ends it
 */
export function listen(map, acts, signal) {
  const { element } = acts.walk;
  map.addEventListener("click", clicked(acts), { signal });
  map.addEventListener("keydown", keyed(acts), { signal });
  element.addEventListener("dblclick", (event) => zoomTo(acts, acts.view.at(event.offsetX, event.offsetY)), { signal });
  element.addEventListener("pointermove", pointed(acts), { signal });
  element.addEventListener("pointerleave", () => {
    acts.tip.hide();
    acts.view.point(null);
  }, { signal });
}
