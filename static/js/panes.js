// The lines between the panes: moved by pointer or by keys, put back by a double click or Enter, and remembered.

import { registerKeys } from "./keys.js";
import { resized, within } from "./lib/panes.js";
import { _ } from "./lib/words.js";

/**
 * @typedef {object} Pane
 * @property {string} box what is resized
 * @property {"width" | "height"} measure
 * @property {number} least
 * @property {() => number} most
 */

const INSPECTOR = 340;
const HEAD = 200;

/** @type {Record<string, Pane>} */
const PANES = {
  tree: { box: ".pane-tree", measure: "width", least: 300, most: () => innerWidth - INSPECTOR - Math.min(sizeOf(".pane-map"), 221) },
  map: { box: ".pane-map", measure: "width", least: 220, most: () => innerWidth - INSPECTOR - sizeOf(".pane-tree") },
  dock: { box: ".dock", measure: "height", least: 160, most: () => innerHeight - HEAD },
};

/** @param {string} selector */
function sizeOf(selector) {
  return document.querySelector(selector)?.getBoundingClientRect().width ?? 0;
}

/** @param {Pane} pane */
function now(pane) {
  return document.querySelector(pane.box)?.getBoundingClientRect()[pane.measure] ?? 0;
}

/** @param {Pane} pane */
const range = (pane) => ({ low: pane.least, high: pane.most() });

/** @param {Element} edge */
function tell(edge) {
  const pane = PANES[edge.getAttribute("data-edge") ?? ""];
  if (!pane) return;
  const { low, high } = range(pane);
  const size = Math.round(now(pane));
  edge.setAttribute("aria-valuemin", String(Math.min(low, size)));
  edge.setAttribute("aria-valuemax", String(Math.max(high, size)));
  edge.setAttribute("aria-valuenow", String(size));
  edge.setAttribute("aria-valuetext", _("%(size)s pixels", { size }));
}

function tellAll() {
  for (const edge of document.querySelectorAll("[data-edge]")) tell(edge);
}

/**
 * @param {Element} edge
 * @param {number | null} size null for the first size
 */
function put(edge, size) {
  const name = edge.getAttribute("data-edge") ?? "";
  const root = document.documentElement.style;
  if (size === null) root.removeProperty(`--pane-${name}`);
  else root.setProperty(`--pane-${name}`, `${size}px`);
  try {
    if (size === null) localStorage.removeItem(`moduletree-pane-${name}`);
    else localStorage.setItem(`moduletree-pane-${name}`, String(size));
  } catch {
    // Storage can be forbidden; the size then lasts for this page.
  }
  tellAll();
}

/** @param {PointerEvent} event */
function hold(event) {
  const edge = event.target instanceof HTMLElement ? event.target.closest("[data-edge]") : null;
  const pane = PANES[edge?.getAttribute("data-edge") ?? ""];
  if (!(edge instanceof HTMLElement) || !pane || event.button) return;
  event.preventDefault();
  edge.focus({ preventScroll: true });
  edge.setPointerCapture(event.pointerId);
  edge.classList.add("edge-held");
  const isWide = pane.measure === "width";
  const [size, from] = [now(pane), isWide ? event.clientX : event.clientY];
  /** @param {PointerEvent} moved */
  const move = (moved) => put(edge, within(size + (isWide ? moved.clientX - from : from - moved.clientY), range(pane)));
  edge.addEventListener("pointermove", move);
  const release = () => {
    edge.removeEventListener("pointermove", move);
    edge.classList.remove("edge-held");
  };
  edge.addEventListener("lostpointercapture", release, { once: true });
}

/** @param {KeyboardEvent} event */
function press(event) {
  const edge = event.target instanceof Element ? event.target.closest("[data-edge]") : null;
  const pane = PANES[edge?.getAttribute("data-edge") ?? ""];
  if (!edge || !pane || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrows = pane.measure === "width" ? { less: "ArrowLeft", more: "ArrowRight" } : { less: "ArrowDown", more: "ArrowUp" };
  const size = resized(event.key, event.shiftKey, now(pane), range(pane), arrows);
  if (size === null && event.key !== "Enter") return;
  event.preventDefault();
  put(edge, size);
}

registerKeys(_("Between the panes"), [
  ["ArrowLeft ArrowRight", _("Move the line; with Shift farther")],
  ["Home End", _("As far as it goes")],
  ["Enter", _("Back to its first place")],
]);
document.addEventListener("pointerdown", hold);
document.addEventListener("keydown", press);
document.addEventListener("dblclick", (event) => {
  const edge = event.target instanceof Element ? event.target.closest("[data-edge]") : null;
  if (edge) put(edge, null);
});
document.addEventListener("swapped", tellAll);
addEventListener("resize", tellAll);
tellAll();
