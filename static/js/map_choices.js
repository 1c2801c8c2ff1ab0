// What is chosen of the map: what its height is, what its colour says, and what it shows in large. It stands in the
// address, and no choice is an entry of the history.

import { AREAS } from "./lib/amounts.js";
import { keyOf } from "./lib/heat_values.js";
import { COLOURS } from "./lib/paints.js";

/** @typedef {import("./lib/amounts.js").Area} Area */
/** @typedef {import("./lib/paints.js").Colour} Colour */
/** `zoom` is a row, 0 for none. @typedef {{area: Area, colour: Colour, zoom: number}} Choices */

/**
 * Without a word on it the colour is the statistic's that the rows show.
 * @param {URLSearchParams} query
 * @returns {Colour}
 */
const usualColour = (query) => (keyOf(query.get("heat")) ? "heat" : "class");

/** @returns {Choices} */
export function chosen() {
  const query = new URLSearchParams(location.search);
  const zoom = Number(query.get("zoom") ?? 0);
  return {
    area: AREAS.find((area) => area === query.get("area")) ?? "parameters",
    colour: COLOURS.find((colour) => colour === query.get("colour")) ?? usualColour(query),
    zoom: Number.isSafeInteger(zoom) && zoom > 0 ? zoom : 0,
  };
}

/** @param {Choices} choices */
export function keep({ area, colour, zoom }) {
  const address = new URL(location.href);
  const put = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ usual) => {
    if (value === usual) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  };
  put("area", area, "parameters");
  put("colour", colour, usualColour(address.searchParams));
  put("zoom", String(zoom), "0");
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}
