// The builder by keyboard: a tree is grown without leaving its fields.

import { fieldsOf, isAwaited, isWaiting, rowOf, rows, send, step } from "./build.js";
import { registerKeys } from "./keys.js";
import { actOf } from "./lib/build_places.js";
import { _ } from "./lib/words.js";

/**
 * @param {HTMLFormElement} row
 * @param {string} act
 */
function canDo(row, act) {
  const button = row.querySelector(`button[value="${act === "sibling" ? "child" : act}"]`);
  return button instanceof HTMLButtonElement && !button.disabled;
}

/** What was pressed while a row was on its way, for that row: characters, "Tab", and what buttons are called. @type {string[]} */
const ahead = [];

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key is kept for the row that will come
 */
function hold(event) {
  const act = actOf(event);
  const isText = event.key.length === 1 && !event.altKey && !event.ctrlKey && !event.metaKey;
  if (act && act !== "undo" && act !== "redo") ahead.push(act);
  else if (isText || (event.key === "Tab" && !event.shiftKey)) ahead.push(event.key);
  else if (event.key === "Backspace" && ahead.at(-1)?.length === 1) ahead.pop();
  else return false;
  return true;
}

function release() {
  if (document.querySelector("[data-build-lost]:not([hidden])")) ahead.length = 0;
  while (ahead.length && !isWaiting()) {
    const key = ahead.shift() ?? "";
    const field = document.activeElement;
    const row = rowOf(field);
    if (!row) continue;
    if (key.length > 1 && key !== "Tab") perform(row, key);
    else if (field instanceof HTMLInputElement && key === "Tab") fieldsOf(row)[fieldsOf(row).indexOf(field) + 1]?.select();
    else if (field instanceof HTMLInputElement) field.setRangeText(key, field.selectionStart ?? 0, field.selectionEnd ?? 0, "end");
  }
}

/**
 * @param {HTMLFormElement} row
 * @param {string} act
 */
function perform(row, act) {
  if (isWaiting()) ahead.push(act);
  else if (canDo(row, act)) send(row, act);
}

/**
 * @param {HTMLInputElement} field
 * @param {HTMLFormElement} row
 * @param {number} by one row down or up
 */
function walk(field, row, by) {
  const all = rows();
  for (let at = all.indexOf(row) + by; all[at]; at += by) {
    const found = fieldsOf(all[at]).find((each) => each.name === field.name);
    if (found) return found.select();
  }
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLFormElement} row
 * @param {HTMLInputElement | null} field
 * @returns {boolean} whether the key meant something
 */
function press(event, row, field) {
  const act = actOf(event);
  if (act === "undo" || act === "redo") {
    if (field && field.value !== field.defaultValue) return false;
    step(act);
    return true;
  }
  if (act === "sibling" || act === "child") {
    if (!field) return false;
    perform(row, act);
    return true;
  }
  if (act) {
    perform(row, act);
    return true;
  }
  if (!field || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
  const was = field.dataset.was ?? field.defaultValue;
  if (event.key === "Escape" && field.value !== was) {
    field.value = was;
    return true;
  }
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return false;
  walk(field, row, event.key === "ArrowUp" ? -1 : 1);
  return true;
}

registerKeys(_("Builder"), [
  ["Enter", _("Set the row and add a sibling after it")],
  ["Shift+Enter", _("Set the row and add a child")],
  ["ArrowUp ArrowDown", _("To the same field of the row above, below")],
  ["Alt+ArrowUp Alt+ArrowDown", _("Move among the siblings")],
  ["Alt+ArrowRight Alt+ArrowLeft", _("Move into the module above, out after its parent")],
  ["Ctrl+D", _("Duplicate")],
  ["Alt+Backspace", _("Remove")],
  ["Ctrl+Z", _("Undo, where the field holds nothing new")],
]);

document.addEventListener("keydown", (event) => {
  const row = rowOf(event.target);
  if (!row || event.isComposing) return;
  if (isAwaited() || ahead.length ? hold(event) : press(event, row, event.target instanceof HTMLInputElement ? event.target : null)) event.preventDefault();
});
document.addEventListener("build:settled", release);
