// What the log of the open run says: asked for again while epochs come, no more than once a second, and at the end.

import { ask } from "./ask.js";
import { put } from "./swap.js";

const LEAST_MS = 1000;

let isAsking = false;
let isLate = false;

/** @returns {Element | null} */
const area = () => document.querySelector("[data-insights]");

async function again() {
  const url = area()?.getAttribute("data-insights");
  if (!url || document.hidden) return;
  if (isAsking) {
    isLate = true;
    return;
  }
  isAsking = true;
  const isOpen = openOnes();
  try {
    const response = await ask(url);
    if (response.ok && area()?.getAttribute("data-insights") === url) {
      put(new DOMParser().parseFromString(await response.text(), "text/html"), ["insights"]);
      for (const details of area()?.querySelectorAll("details") ?? []) if (isOpen.has(titleOf(details))) details.open = true;
    }
  } catch {
    // The server is away: the page says so elsewhere.
  }
  setTimeout(() => {
    isAsking = false;
    if (isLate) void again();
    isLate = false;
  }, LEAST_MS);
}

/**
 * A module of the run may have moved in the tree, or be gone: then its page says so.
 * @param {HTMLAnchorElement} link
 */
async function go(link) {
  const { workspace } = await import("./workspace.js");
  const row = (await workspace.outline).rowOf(link.dataset.module ?? "");
  if (row >= 0) workspace.select(row, { from: "insights" });
  else location.assign(link.href);
}

/** @returns {Set<string>} the titles of those that somebody reads */
const openOnes = () => new Set([...(area()?.querySelectorAll("details[open]") ?? [])].map(titleOf));

/** @param {Element} details */
const titleOf = (details) => details.parentElement?.querySelector(".insight-title")?.textContent ?? "";

document.addEventListener("run", () => {
  if (document.querySelector("[data-run][data-active]")) void again();
});
document.addEventListener("swapped", (event) => {
  const { areas } = /** @type {CustomEvent<{areas: string[]}>} */ (event).detail;
  // The run has ended, or another one was opened.
  if (areas.includes("epochs") || (areas.includes("dock") && area()?.hasAttribute("data-unread"))) void again();
});
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-insights] a[data-module]") : null;
  if (!(link instanceof HTMLAnchorElement) || !document.querySelector("[data-workspace]")) return;
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  void go(link);
});
if (area()?.hasAttribute("data-unread")) void again();
