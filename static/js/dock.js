// The runs below the tree, shown or hidden; a cookie remembers it, so that the next page comes as this one was left.
// Where there is no room for both, Loss and Fit take turns.

import { registerKeys } from "./keys.js";
import { _ } from "./lib/words.js";

const A_YEAR_S = 31_536_000;
let shown = "loss";

/** @param {Element} button */
function toggle(button) {
  const dock = button.closest("[data-dock]");
  const isShut = dock?.classList.toggle("dock-shut") ?? false;
  button.setAttribute("aria-expanded", String(!isShut));
  document.cookie = `moduletree-dock=${isShut ? "shut" : "open"}; path=/; max-age=${A_YEAR_S}; SameSite=Strict`;
}

/** @param {string} pane */
function show(pane) {
  shown = pane;
  document.querySelector(".dock-body")?.classList.toggle("dock-shows-fit", pane === "fit");
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest("[data-dock-switch]");
  if (button) toggle(button);
  const tab = target?.closest("[data-dock-tab]")?.getAttribute("data-dock-tab");
  if (!tab) return;
  show(tab);
  const pressed = document.querySelector(`.dock-${tab} [data-dock-tab="${tab}"]`);
  if (pressed instanceof HTMLElement) pressed.focus();
});
document.addEventListener("swapped", () => show(shown));
if (document.querySelector("[data-dock]")) {
  registerKeys(_("Runs"), [
    ["t", _("The losses as a table, where the chart has the focus")],
  ]);
}
