// Parts of the page that only the server draws, fetched again and put in place: the head of a tree, its runs, a list.

import { ask } from "./ask.js";

const PARTS = new Set(["crumbs", "facts", "dock", "strip", "start", "fit", "epochs"]);

/**
 * @param {string[]} areas
 * @returns {string} where they are fetched: a tree's page has a smaller one that holds only its parts
 */
function addressOf(areas) {
  const tree = document.querySelector("[data-workspace]")?.getAttribute("data-url");
  if (!tree || !areas.every((area) => PARTS.has(area))) return location.href;
  const query = new URLSearchParams(location.search);
  const kept = new URLSearchParams();
  for (const name of ["run", "runs"]) if (query.has(name)) kept.set(name, query.get(name) ?? "");
  const path = location.pathname.split("/modules/")[1];
  if (path) kept.set("target", decodeURIComponent(path));
  return `${tree}/parts?${kept}`;
}

/**
 * @param {string} address
 * @returns {Promise<Document | null>} the page, or null where it is none to take parts from
 */
async function fetched(address) {
  try {
    const response = await ask(address);
    if (!response.ok || !response.headers.get("content-type")?.startsWith("text/html")) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/**
 * @param {Element | null} element
 * @param {Element} area that it is in
 * @returns {(there: Element) => Element | null} finds the same one in the area as it came again
 */
function again(element, area) {
  const inside = element && area.contains(element) ? element : null;
  const all = inside ? [...area.querySelectorAll(inside.localName)] : [];
  const place = inside ? all.indexOf(inside) : -1;
  return (there) => {
    if (!inside) return null;
    if (inside.id) return there.querySelector(`#${CSS.escape(inside.id)}`);
    const same = there.querySelectorAll(inside.localName);
    const label = inside.getAttribute("aria-label");
    return [...same].find((each) => label && each.getAttribute("aria-label") === label) ?? same[Math.min(place, same.length - 1)] ?? null;
  };
}

/**
 * Takes areas from a page that came from the server; scroll and focus stay where they were.
 * @param {Document} page
 * @param {string[]} areas by the value of data-swap-area
 */
export function put(page, areas) {
  for (const name of areas) {
    const here = document.querySelector(`[data-swap-area="${name}"]`);
    const there = page.querySelector(`[data-swap-area="${name}"]`);
    if (!here || !there) continue;
    const scrolled = [...here.querySelectorAll("[data-keep-scroll]")].map((each) => [each.scrollTop, each.scrollLeft]);
    const focused = again(document.activeElement, here);
    here.replaceWith(document.adoptNode(there));
    for (const [place, each] of [...there.querySelectorAll("[data-keep-scroll]")].entries()) {
      [each.scrollTop, each.scrollLeft] = scrolled[place] ?? [0, 0];
    }
    const focus = focused(there);
    if (focus instanceof HTMLElement) focus.focus({ preventScroll: true });
  }
  document.dispatchEvent(new CustomEvent("swapped", { detail: { areas } }));
}

/** @param {Element} area */
const isBusy = (area) => area.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select");

/** One after the other, so that what was asked for last is what stands there in the end. */
let turn = Promise.resolve();

/**
 * Fetches the page once more and puts the areas in place, but for those in which somebody is typing.
 * @param {string[]} areas
 * @returns {Promise<void>}
 */
export function refresh(areas) {
  turn = turn.then(() => fetchAreas(areas));
  return turn;
}

/** @param {string[]} areas */
async function fetchAreas(areas) {
  const page = await fetched(addressOf(areas));
  if (!page) return;
  const revision = page.body.dataset.revision;
  if (revision) document.querySelector("[data-workspace]")?.setAttribute("data-revision", revision);
  const free = areas.filter((name) => {
    const area = document.querySelector(`[data-swap-area="${name}"]`);
    return area && !isBusy(area) && !area.querySelector("[data-touched]");
  });
  put(page, free);
}

document.addEventListener("input", (event) => {
  if (event.target instanceof Element) event.target.closest("form")?.setAttribute("data-touched", "");
});
