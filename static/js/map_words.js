// The words around the map that change with what is chosen of it.

import { putHeads, putLegend } from "./map_legend.js";
import { _ } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./map_choices.js").Choices} Choices */
/** @typedef {import("./map_view.js").MapView} MapView */

/**
 * @param {Element} map
 * @param {string} name
 * @returns {HTMLElement | null} the part of the map that the server marked so
 */
export const partOf = (map, name) => map.querySelector(`[data-map-${name}]`);

/**
 * @param {Element} map
 * @param {MapView} view
 * @param {Choices} choices
 */
export function putAbove(map, { says, shown }, { zoom }) {
  const heads = partOf(map, "heads");
  // A map that is not shown has no room yet, and nothing above it to be said.
  if (heads && says && shown.panels[0]?.width) putHeads(heads, shown, says, zoom > 0);
}

/**
 * @param {Element} map
 * @param {MapView} view
 * @param {Choices} choices
 */
export function putAround(map, view, choices) {
  putAbove(map, view, choices);
  const legend = partOf(map, "legend");
  if (legend && view.says) putLegend(legend, view.says);
  const colour = view.says?.paints.colour ?? "class";
  putHeatChoice(map);
  mark(map, "area", choices.area);
  mark(map, "colour", colour);
  const text = partOf(map, "colours")?.querySelector(`[data-map-colour=${colour}]`)?.textContent ?? "";
  const chosen = partOf(map, "chosen");
  if (chosen?.parentElement) {
    const whole = _("Colour: %(what)s", { what: text });
    // The name of a statistic leaves no room for more.
    chosen.textContent = colour === "heat" ? text : whole;
    chosen.parentElement.title = whole;
  }
  const said = {
    parameters: _("Down in tree order, right in depth, height is parameters."),
    bytes: _("Down in tree order, right in depth, height is bytes."),
    flops: _("Down in tree order, right in depth, height is FLOPs."),
  };
  const caption = partOf(map, "caption");
  if (caption) caption.textContent = said[choices.area];
  // FLOPs are by call: a module has those of its first place, whatever parameters it shares.
  const shared = partOf(map, "shared");
  if (shared) shared.hidden = choices.area === "flops";
}

/**
 * @param {Element} map
 * @param {"area" | "colour"} name
 * @param {string} value
 */
function mark(map, name, value) {
  for (const link of map.querySelectorAll(`[data-map-${name}]`)) {
    if (link.getAttribute(`data-map-${name}`) === value) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/**
 * The statistic is a choice while there is one.
 * @param {Element} map
 */
function putHeatChoice(map) {
  const { heat } = workspace;
  const menu = partOf(map, "colours");
  const known = menu?.querySelector("[data-map-colour=heat]");
  if (!heat || !menu) {
    known?.remove();
    return;
  }
  const link = known ?? document.createElement("a");
  link.className = "menu-item";
  link.setAttribute("href", workspace.address(workspace.selected, { colour: "heat" }));
  link.setAttribute("data-map-colour", "heat");
  link.textContent = heat.label;
  if (!known) menu.append(link);
}

/**
 * @param {Element} map
 * @param {string} problem why FLOPs are not there, "" where they are, or were not asked for
 * @param {boolean} canHelp whether a person can, on the page of the trace
 */
export function putProblem(map, problem, canHelp = true) {
  const said = partOf(map, "problem");
  if (!said) return;
  said.hidden = !problem;
  said.textContent = "";
  said.append(problem);
  if (!problem || !canHelp || !(map instanceof HTMLElement)) return;
  const link = document.createElement("a");
  link.href = map.dataset.tracePage ?? "";
  link.textContent = _("Trace the tree");
  said.append(" ", link);
}

/**
 * @param {Element} stage
 * @param {string} words what stands in place of cells, "" where there are some
 */
export function putEmpty(stage, words) {
  const known = stage.querySelector("[data-map-empty]");
  if (!words) {
    known?.remove();
    return;
  }
  const said = known ?? document.createElement("p");
  said.className = "map-empty";
  said.setAttribute("data-map-empty", "");
  said.textContent = words;
  if (!known) stage.append(said);
}
