// The norms of gradients in the table of epochs, in the colours that the tree has by them: one scale for both.

import { inkOn, mixed, placeOf } from "./lib/paints.js";
import { workspace } from "./workspace.js";

const STOPS = [0, 1, 2, 3, 4];
const HEATED = "epochs-heat";

/** @param {string} text as it stands in a cell */
const numberOf = (text) => (text === "inf" ? Infinity : Number(text.replaceAll(",", "") || NaN));

function paint() {
  const body = document.querySelector("[data-epoch-rows][data-gradients]");
  if (!body) return;
  const { heat } = workspace;
  const range = heat?.key === "gradient_norm" ? heat.range : null;
  const style = getComputedStyle(body);
  const stops = range ? STOPS.map((stop) => style.getPropertyValue(`--seq-${stop}`).trim()) : [];
  for (const { lastElementChild: cell } of body.children) {
    if (!(cell instanceof HTMLElement)) continue;
    const number = numberOf(cell.textContent ?? "");
    // An epoch without statistics, and one in which no gradient arrived, have no place on the scale.
    const fill = range && !Number.isNaN(number) ? mixed(stops, placeOf(number, range)) : "";
    cell.classList.toggle(HEATED, fill !== "");
    cell.style.background = fill;
    cell.style.color = fill && inkOn(fill);
  }
}

workspace.addEventListener("heat", paint);
for (const event of ["run", "swapped", "theme"]) document.addEventListener(event, paint);
