// Rows of the builder dragged by their grip: above, into or below another. The keyboard does the same with Alt and arrows.

import { rowOf, rows, send } from "./build.js";
import { placeOf, zoneOf } from "./lib/build_places.js";

/** @typedef {import("./lib/build_places.js").Zone} Zone */

const ZONES = /** @type {const} */ (["above", "inside", "below"]);

/** @type {HTMLFormElement | null} */
let dragged = null;

/** @param {HTMLFormElement} row */
const pathOf = (row) => row.dataset.path ?? "";

/**
 * @param {DragEvent} event
 * @param {HTMLFormElement} over
 * @returns {{ zone: Zone, place: import("./lib/build_places.js").Place } | null}
 */
function target(event, over) {
  const all = rows().map((row) => ({ path: pathOf(row) }));
  const box = over.getBoundingClientRect();
  const zone = zoneOf((event.clientY - box.top) / box.height, pathOf(over) === all[0]?.path);
  const place = dragged && placeOf(all, pathOf(dragged), pathOf(over), zone);
  return place ? { zone, place } : null;
}

/** @param {HTMLFormElement | null} over @param {Zone} [zone] */
function mark(over, zone) {
  for (const row of rows()) for (const each of ZONES) row.classList.toggle(`build-over-${each}`, row === over && each === zone);
}

document.addEventListener("dragstart", (event) => {
  const grip = event.target instanceof Element ? event.target.closest("[data-build-grip]") : null;
  dragged = grip ? rowOf(grip) : null;
  if (!dragged || !event.dataTransfer) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", pathOf(dragged));
  event.dataTransfer.setDragImage(dragged, 0, 0);
  dragged.classList.add("build-dragged");
});
document.addEventListener("dragover", (event) => {
  const over = rowOf(event.target);
  const found = over && dragged ? target(event, over) : null;
  mark(found ? over : null, found?.zone);
  if (found) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  const over = rowOf(event.target);
  const found = over && dragged ? target(event, over) : null;
  if (!found || !dragged) return;
  event.preventDefault();
  send(dragged, "move", found.place);
});
document.addEventListener("dragend", () => {
  dragged?.classList.remove("build-dragged");
  mark(null);
  dragged = null;
});
