// The table of epochs, its newest rows written as they arrive; it stays at its end unless somebody scrolled up.

import { change, exact, loss as lossText, ofLine, significant } from "./lib/numbers.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */

const MOST_ROWS = 100;

/**
 * @param {RunLog} log
 * @param {number} epoch
 * @param {boolean} hasGradients whether the table has a column for the norm of the gradients
 */
function cells(log, epoch, hasGradients) {
  const loss = log.lossAt(epoch);
  const before = log.lossAt(epoch - 1);
  const line = log.lines.get(epoch);
  return [
    exact(epoch),
    typeof loss === "number" ? lossText(loss) : log.kindAt(epoch).replace("-", "\u2212"),
    typeof loss === "number" && before ? change(loss / before - 1) : "",
    line ? ofLine(line.slope) : "",
    line ? ofLine(line.intercept) : "",
    ...(hasGradients ? [gradientOf(log.gradients.get(epoch))] : []),
  ];
}

/**
 * @param {HTMLElement} body
 * @param {RunLog} log
 */
function write(body, log) {
  const shown = Number(body.dataset.last ?? "-1");
  const first = Math.max(0, log.done - MOST_ROWS);
  if (log.done <= shown + 1) return;
  if (first > shown) body.replaceChildren();
  for (let epoch = Math.max(first, shown + 1); epoch < log.done; epoch += 1) {
    if (log.lossAt(epoch) !== undefined) body.append(row(cells(log, epoch, body.dataset.gradients !== undefined)));
  }
  if (body.dataset.gradients !== undefined) fill(body, log);
  while (body.childElementCount > MOST_ROWS) body.firstElementChild?.remove();
  body.querySelector(".epochs-last")?.classList.remove("epochs-last");
  body.lastElementChild?.classList.add("epochs-last");
  body.dataset.last = String(log.done - 1);
}

/**
 * The statistics of an epoch come after its loss.
 * @param {HTMLElement} body
 * @param {RunLog} log
 */
function fill(body, log) {
  let epoch = log.done - 1;
  for (let line = body.lastElementChild; line && !line.lastElementChild?.textContent; line = line.previousElementSibling) {
    if (line.lastElementChild) line.lastElementChild.textContent = gradientOf(log.gradients.get(epoch));
    epoch -= 1;
  }
}

/** @param {number | undefined} norm */
function gradientOf(norm) {
  if (norm === undefined) return "";
  return Number.isNaN(norm) ? _("none") : significant(norm);
}

/** @param {string[]} texts */
function row(texts) {
  const made = document.createElement("tr");
  for (const [place, text] of texts.entries()) {
    const cell = document.createElement("td");
    cell.className = place === 0 || place === 2 ? "n faint" : "n";
    cell.textContent = text;
    made.append(cell);
  }
  return made;
}

function toEnd() {
  const scroll = document.querySelector("[data-epoch-scroll]");
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
}

toEnd();
document.addEventListener("swapped", (event) => {
  if (/** @type {CustomEvent<{areas: string[]}>} */ (event).detail.areas.includes("dock")) toEnd();
});
document.addEventListener("run", (event) => {
  const log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  const body = document.querySelector("[data-epoch-rows]");
  const scroll = document.querySelector("[data-epoch-scroll]");
  if (!(body instanceof HTMLElement) || !scroll || !log.done) return;
  const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
  write(body, log);
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight;
});
