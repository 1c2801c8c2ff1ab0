// Past runs over the one that is open: their buttons in the strip choose them, the address keeps them.
//
// "others" on the document, with what is to be drawn, whenever that changes.

import { askJson } from "./ask.js";
import { isGrowing, NONE, toggled } from "./lib/others.js";
import { Points } from "./lib/points.js";
import { _ } from "./lib/words.js";
import { refresh } from "./swap.js";

/** @typedef {import("./lib/others.js").Other} Other */

/** @type {Map<string, Promise<Other | null>>} what is over does not change */
const known = new Map();

/** @returns {HTMLElement[]} */
const buttons = () => [...document.querySelectorAll("[data-over]")].filter((each) => each instanceof HTMLElement);

/** @returns {string[]} */
const chosen = () => buttons().filter((each) => each.getAttribute("aria-pressed") === "true").map((each) => each.dataset.over ?? "");

/** @param {string} id */
async function fetched(id) {
  const answer = await askJson(`/runs/${id}/picture`);
  if (!answer.ok) return null;
  const { run, loss } = await answer.json();
  if (!run.ended_at) known.delete(id);
  return { id, losses: Points.of(loss), isGrowing: isGrowing(loss.value, run.status === "failed"), name: "" };
}

/**
 * @param {string} id
 * @param {Other} other
 */
function named(id, other) {
  const link = document.querySelector(`[data-run-link="${CSS.escape(id)}"]`);
  const words = [...(link?.querySelectorAll("b, b + span:not(.status)") ?? [])].map((each) => each.textContent ?? "").join(", ");
  return { ...other, name: other.isGrowing ? _("%(run)s: grows", { run: words }) : words };
}

async function tell() {
  const ids = chosen();
  const all = await Promise.all(
    ids.map(async (id) => {
      if (!known.has(id)) known.set(id, fetched(id).catch(() => null));
      const other = await known.get(id);
      return other ? named(id, other) : null;
    }),
  );
  if (ids.join() !== chosen().join()) return;
  document.dispatchEvent(new CustomEvent("others", { detail: all.filter((each) => each !== null) }));
}

/** @param {HTMLElement} button */
function toggle(button) {
  const ids = toggled(chosen(), button.dataset.over ?? "");
  button.setAttribute("aria-pressed", String(ids.includes(button.dataset.over ?? "")));
  const address = new URL(location.href);
  address.searchParams.set("runs", ids.join(",") || NONE);
  history.replaceState(history.state, "", String(address).replaceAll("%2C", ","));
  void tell();
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-over]") : null;
  if (button instanceof HTMLElement) toggle(button);
});
document.addEventListener("swapped", (event) => {
  const { areas } = /** @type {CustomEvent<{areas: string[]}>} */ (event).detail;
  if (areas.includes("dock") || areas.includes("strip")) void tell();
});
addEventListener("popstate", () => {
  const asked = new URLSearchParams(location.search).get("runs");
  if (asked !== null && asked !== (chosen().join(",") || NONE)) void refresh(["strip"]);
});
void tell();
