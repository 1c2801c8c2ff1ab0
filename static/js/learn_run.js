// The losses of the step's run, a line for each epoch as it arrives; at its end the step is fetched again.

import { ask } from "./ask.js";
import { put } from "./learn.js";

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */

let isOver = false;

/** @param {RunLog} log */
function write(log) {
  const lines = document.querySelector("[data-learn-lines]");
  if (!lines) return;
  const shown = lines.textContent ? lines.textContent.split("\n").length : 0;
  for (let epoch = shown; epoch < log.done; epoch += 1) {
    lines.append(`${epoch ? "\n" : ""}epoch ${epoch}: ${log.lossAt(epoch) ?? log.kindAt(epoch)}`);
  }
}

document.addEventListener("run", (event) => {
  const log = /** @type {CustomEvent<RunLog>} */ (event).detail;
  if (isOver) return;
  write(log);
  if (!log.run) return;
  isOver = true;
  void ask(location.href)
    .then((response) => response.text())
    .then((text) => put(text, ["run", "printed", "tree", "question", "steps"]));
});
