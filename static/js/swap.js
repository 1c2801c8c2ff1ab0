// Parts of the page, fetched again and put in place: a selection in the tree does not start the page anew.

/**
 * @param {string} address
 * @returns {Promise<Document | null>} the page, or null where it is none to take parts from
 */
async function fetched(address) {
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (!response.ok || !response.headers.get("content-type")?.startsWith("text/html")) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/**
 * @param {Document} page
 * @param {string[]} areas by the value of data-swap-area
 */
function put(page, areas) {
  for (const name of areas) {
    const here = document.querySelector(`[data-swap-area="${name}"]`);
    const there = page.querySelector(`[data-swap-area="${name}"]`);
    if (!here || !there) continue;
    const scrolled = [...here.querySelectorAll("[data-keep-scroll]")].map((each) => [each.scrollTop, each.scrollLeft]);
    here.replaceWith(document.adoptNode(there));
    for (const [place, each] of [...there.querySelectorAll("[data-keep-scroll]")].entries()) {
      [each.scrollTop, each.scrollLeft] = scrolled[place] ?? [0, 0];
    }
  }
  document.title = page.title;
  document.dispatchEvent(new CustomEvent("swapped"));
}

/** @param {Element} area */
const isBusy = (area) => area.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select");

/**
 * @param {Element | null | undefined} element in a row of the tree
 * @returns {string} what says of that row, on another page too, which module it opens
 */
function opens(element) {
  const link = element?.closest("[data-tree] li")?.querySelector("a.tree-name");
  if (!(link instanceof HTMLAnchorElement)) return "";
  return link.pathname + (new URLSearchParams(link.search).get("row") ?? "");
}

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
  const page = await fetched(location.href);
  if (!page) return;
  const free = areas.filter((name) => {
    const area = document.querySelector(`[data-swap-area="${name}"]`);
    return area && !isBusy(area) && !area.querySelector("[data-touched]");
  });
  put(page, free);
}

/**
 * @param {string} address
 * @param {boolean} isNew whether it becomes an entry of the history
 */
async function go(address, isNew) {
  const page = await fetched(address);
  if (!page?.querySelector('[data-swap-area="panes"]')) {
    location.assign(address);
    return;
  }
  const before = opens(document.querySelector("[data-tree] [aria-current]"));
  const focused = opens(document.activeElement);
  if (isNew) history.pushState({ swapped: true }, "", address);
  put(page, ["crumbs", "facts", "panes"]);
  const selected = document.querySelector("[data-tree] [aria-current]");
  if (!(selected instanceof HTMLElement)) return;
  if (opens(selected) !== before) selected.scrollIntoView({ block: "nearest" });
  if (document.activeElement !== document.body) return;
  const again = [...document.querySelectorAll("[data-tree] a.tree-name")].find((row) => opens(row) === focused);
  (again instanceof HTMLElement ? again : selected).focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-swap], [data-tree] a") : null;
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const address = link instanceof SVGAElement ? link.href.baseVal : link.getAttribute("href");
  if (!address || !document.querySelector('[data-swap-area="panes"]')) return;
  event.preventDefault();
  turn = turn.then(() => go(address, true));
});
document.addEventListener("input", (event) => {
  if (event.target instanceof Element) event.target.closest("form")?.setAttribute("data-touched", "");
});
addEventListener("popstate", () => {
  if (document.querySelector('[data-swap-area="panes"]')) turn = turn.then(() => go(location.href, false));
});
document.querySelector("[data-tree] [aria-current]")?.scrollIntoView({ block: "nearest" });
