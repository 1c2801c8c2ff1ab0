// The losses as a table in the place of their chart, one key away: `t`.

import { exact, loss as lossText } from "./lib/numbers.js";
import { _, ngettext } from "./lib/words.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */
/** @typedef {import("./lib/others.js").Other} Other */

const MOST_ROWS = 500;

/** @type {RunLog | null} */
let log = null;
/** @type {Other[]} */
let others = [];

/** @returns {HTMLElement | null} */
const table = () => document.querySelector("[data-loss-table]");

/**
 * @param {string} kind of cell
 * @param {string[]} texts
 */
function row(kind, texts) {
  const made = document.createElement("tr");
  for (const text of texts) {
    const cell = document.createElement(kind);
    cell.className = "n";
    if (kind === "th") cell.setAttribute("scope", "col");
    cell.textContent = text;
    made.append(cell);
  }
  return made;
}

/**
 * @param {number | null | undefined} loss
 * @param {string} [kind] where it is not finite
 */
const said = (loss, kind = "") => (typeof loss === "number" ? lossText(loss) : kind.replace("-", "\u2212"));

/**
 * @param {RunLog} log
 * @returns {number[]} the latest epochs that are known
 */
const latest = (log) => Array.from(log.losses.epoch.subarray(Math.max(0, log.losses.count - MOST_ROWS), log.losses.count));

function write() {
  const box = table();
  if (!box || box.hidden || !log) return;
  const number = document.querySelector("[data-run]")?.getAttribute("data-number") ?? "";
  const made = document.createElement("table");
  made.className = "table epochs";
  const head = document.createElement("thead");
  const isValidated = log.validation.count > 0;
  head.append(row("th", [_("epoch"), `#${number}`, ...(isValidated ? [_("validation")] : []), ...others.map((other) => other.name)]));
  const body = document.createElement("tbody");
  for (const epoch of latest(log)) {
    const cells = [...(isValidated ? [said(log.validation.at(epoch))] : []), ...others.map((other) => said(other.losses.at(epoch)))];
    body.append(row("td", [exact(epoch), said(log.lossAt(epoch), log.kindAt(epoch)), ...cells]));
  }
  if (log.losses.count > MOST_ROWS) {
    const caption = made.createCaption();
    caption.textContent = log.drawn
      ? _("The last %(num)s epochs that are drawn; of a long run not each is", { num: exact(MOST_ROWS) })
      : ngettext("The last %(num)s epoch", "The last %(num)s epochs", MOST_ROWS, { num: exact(MOST_ROWS) });
  }
  made.append(head, body);
  const scrolled = box.scrollTop;
  box.replaceChildren(made);
  box.scrollTop = scrolled;
}

function toggle() {
  const [box, chart] = [table(), document.querySelector("[data-loss-chart]")];
  if (!box || !(chart instanceof HTMLElement)) return;
  box.hidden = !box.hidden;
  chart.hidden = !box.hidden;
  document.querySelector("[data-loss-table-switch]")?.setAttribute("aria-pressed", String(!box.hidden));
  write();
}

document.addEventListener("run", (event) => {
  log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  write();
});
document.addEventListener("others", (event) => {
  others = /** @type {CustomEvent<Other[]>} */ (event).detail;
  write();
});
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-loss-table-switch]")) toggle();
});
document.addEventListener("keydown", (event) => {
  const inside = event.target instanceof Element && event.target.closest(".dock-loss") && !event.target.matches("input");
  if (event.key !== "t" || !inside || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  toggle();
});
