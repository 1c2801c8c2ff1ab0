// A narrow page shows one part at a time, chosen at its bottom.

const NARROW = matchMedia("(max-width: 899px)");
const VIEWS = new Set(["tree", "map", "runs"]);

/** @param {string} view */
export function showView(view) {
  const root = document.documentElement;
  if (view === "tree") delete root.dataset.view;
  else root.dataset.view = view;
  mark();
}

function mark() {
  const now = document.documentElement.dataset.view ?? "tree";
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link === document.documentElement) continue;
    if (link.getAttribute("data-view") === now) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

document.addEventListener("click", (event) => {
  const view = event.target instanceof Element ? event.target.closest("a[data-view]")?.getAttribute("data-view") : null;
  if (!view || !VIEWS.has(view) || !NARROW.matches) return;
  event.preventDefault();
  showView(view);
});
const asked = location.hash.slice(1);
if (VIEWS.has(asked)) showView(asked);
else mark();
