// The selected module as a sheet under the tree, on a narrow page: dragged, pressed or moved by keys.

import { registerKeys } from "./keys.js";
import { heightOf, landing, moved, next } from "./lib/sheet.js";
import { _ } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @typedef {import("./lib/sheet.js").Stand} Stand */

const NARROW = matchMedia("(max-width: 899px)");
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
/** By then the tree is as high as it will be; who scrolls it later is left alone. */
const SETTLED_MS = 400;
const MOVE = { duration: 160, easing: "cubic-bezier(.2, 0, 0, 1)" };

/** @type {Stand} */
let stand = "peek";

const sheet = /** @type {HTMLElement | null} */ (document.querySelector(".pane-inspector"));
const grip = /** @type {HTMLElement | null} */ (document.querySelector("[data-sheet-grip]"));

/** @returns {number} pixels that the tree and the sheet share */
const room = () => document.querySelector(".cols")?.clientHeight ?? innerHeight;

/** @param {number} height */
const draw = (height) => document.documentElement.style.setProperty("--sheet", `${height}px`);

/** @param {Stand} to */
function put(to) {
  const before = sheet?.offsetHeight ?? 0;
  stand = to;
  document.documentElement.dataset.sheet = to;
  draw(heightOf(to, room()));
  grip?.setAttribute("aria-expanded", String(to !== "peek"));
  const rise = (sheet?.offsetHeight ?? 0) - before;
  if (rise > 0 && !CALM.matches) sheet?.animate([{ transform: `translateY(${rise}px)` }, { transform: "none" }], MOVE);
  reveal();
}

/** The row of the selection stays over the sheet. */
function reveal() {
  const tree = /** @type {import("./module_tree.js").ModuleTree | null} */ (document.querySelector("module-tree"));
  if (!tree?.view) return;
  const { view } = tree;
  const settling = new ResizeObserver(() => view.rows.reveal(view.index));
  settling.observe(view.rows.scroller);
  setTimeout(() => settling.disconnect(), SETTLED_MS);
}

/** @param {PointerEvent} down */
function drag(down) {
  if (!grip || !sheet || down.button) return;
  const height = sheet.offsetHeight;
  let [at, when, speed, isDragged] = [down.clientY, down.timeStamp, 0, false];
  grip.setPointerCapture(down.pointerId);
  /** @param {PointerEvent} event */
  const move = (event) => {
    isDragged ||= Math.abs(event.clientY - down.clientY) > 4;
    speed = (at - event.clientY) / Math.max(event.timeStamp - when, 1);
    [at, when] = [event.clientY, event.timeStamp];
    if (isDragged) draw(Math.max(heightOf("peek", room()), Math.min(height + down.clientY - at, heightOf("full", room()))));
  };
  grip.addEventListener("pointermove", move);
  grip.addEventListener(
    "lostpointercapture",
    () => {
      grip.removeEventListener("pointermove", move);
      if (isDragged) put(landing(sheet.offsetHeight, speed, room()));
      wasDragged = isDragged;
    },
    { once: true },
  );
}

let wasDragged = false;

grip?.addEventListener("pointerdown", drag);
grip?.addEventListener("click", () => {
  if (!wasDragged) put(next(stand));
  wasDragged = false;
});
grip?.addEventListener("keydown", (event) => {
  const to = moved(event.key, stand);
  if (!to) return;
  event.preventDefault();
  put(to);
});
// What has the focus is seen: a low sheet rises for it.
sheet?.addEventListener("focusin", (event) => {
  if (NARROW.matches && stand === "peek" && event.target !== grip) put("half");
});
// Another view is not chosen to be covered.
document.querySelector(".phone")?.addEventListener("click", () => {
  if (NARROW.matches && stand === "full") put("half");
});
workspace.addEventListener("select", (event) => {
  const { from } = /** @type {CustomEvent<{from: string}>} */ (event).detail;
  if (!NARROW.matches) return;
  if (stand === "peek" && from === "tree") put("half");
  else reveal();
});
addEventListener("resize", () => {
  if (NARROW.matches) draw(heightOf(stand, room()));
});
registerKeys(_("The module's sheet, on a phone"), [["ArrowUp ArrowDown", _("Higher and lower, from its grip")]]);
