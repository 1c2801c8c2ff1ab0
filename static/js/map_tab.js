// Where there is no room for the map beside the inspector, it is a tab of it.

const root = document.documentElement;
const pane = document.querySelector(".pane-inspector");

function mark() {
  const isMap = root.dataset.right === "map";
  const link = pane?.querySelector("[data-pane-tab]");
  if (link && (link.getAttribute("aria-current") === "page") === isMap) return;
  if (isMap) link?.setAttribute("aria-current", "page");
  else link?.removeAttribute("aria-current");
}

pane?.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-pane-tab]")) {
    event.preventDefault();
    root.dataset.right = "map";
  } else if (target?.closest("[data-tab]")) delete root.dataset.right;
  mark();
});
// The inspector is drawn anew with every module.
if (pane) new MutationObserver(mark).observe(pane, { childList: true, subtree: true });
