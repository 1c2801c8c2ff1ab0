// A form that uploads: files dropped on it are taken, and while they are sent it says how far they are. What the server
// refuses stands at the form, with the files still chosen.

import { ASKS, FOR_SCRIPTS } from "./ask.js";
import { progressOf, unfit } from "./lib/upload.js";
import { _ } from "./lib/words.js";

/**
 * @param {Element} form
 * @param {string} name of its data attribute
 * @returns {HTMLElement | null}
 */
const part = (form, name) => form.querySelector(`[data-upload-${name}]`);

/** @param {HTMLFormElement} form */
const input = (form) => /** @type {HTMLInputElement | null} */ (form.querySelector("input[type=file]"));

/**
 * @param {HTMLFormElement} form
 * @param {string} words what is wrong, "" for nothing
 */
function refuse(form, words) {
  const problem = part(form, "problem");
  if (problem) {
    problem.textContent = words;
    problem.hidden = words === "";
  }
  if (words) busy(form, false);
}

/**
 * @param {HTMLFormElement} form
 * @param {boolean} isBusy
 */
function busy(form, isBusy) {
  const state = part(form, "state");
  const send = part(form, "send");
  if (state) state.hidden = !isBusy;
  if (send instanceof HTMLButtonElement) send.disabled = isBusy;
}

/**
 * @param {HTMLFormElement} form
 * @param {number} sent
 * @param {number} total
 */
function tell(form, sent, total) {
  const bar = part(form, "bar");
  const said = part(form, "said");
  if (bar instanceof HTMLProgressElement) bar.value = total ? sent / total : 1;
  if (said) said.textContent = progressOf(sent, total);
}

/** @param {XMLHttpRequest} request that has ended */
function answered(request) {
  try {
    return /** @type {{ id?: string, detail?: string }} */ (JSON.parse(request.responseText));
  } catch {
    return {};
  }
}

/** @param {HTMLFormElement} form */
function send(form) {
  const body = new FormData(form);
  if (!body.get("name")) body.delete("name");
  const request = new XMLHttpRequest();
  request.open("POST", `${FOR_SCRIPTS}${form.getAttribute("action")}`);
  for (const [name, value] of Object.entries({ ...ASKS, Accept: "application/json" })) request.setRequestHeader(name, value);
  request.upload.addEventListener("progress", (event) => tell(form, event.loaded, event.total));
  request.addEventListener("load", () => {
    const answer = answered(request);
    const status = Number(request.getResponseHeader("X-Status")) || request.status;
    if (status === 201 && answer.id) location.assign(`/trees/${answer.id}`);
    else refuse(form, answer.detail ?? _("The server answered %(status)s.", { status }));
  });
  request.addEventListener("error", () => refuse(form, _("The connection was lost before all was sent. Try again.")));
  refuse(form, "");
  busy(form, true);
  request.send(body);
}

/** @param {HTMLFormElement} form */
function check(form) {
  const words = unfit([...(input(form)?.files ?? [])], Number(form.dataset.maxBytes));
  refuse(form, words);
  return words === "";
}

/** @param {Event} event */
const formOf = (event) =>
  /** @type {HTMLFormElement | null} */ (event.target instanceof Element && event.target.closest("form[data-upload]"));

document.addEventListener("submit", (event) => {
  const form = formOf(event);
  if (!form) return;
  event.preventDefault();
  if (check(form)) send(form);
});
document.addEventListener("change", (event) => {
  const form = formOf(event);
  if (form && event.target === input(form)) check(form);
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const form = formOf(event);
    const files = /** @type {DragEvent} */ (event).dataTransfer;
    if (!form || !files?.types.includes("Files")) return;
    event.preventDefault();
    form.toggleAttribute("data-upload-over", kind === "dragenter" || kind === "dragover");
    const field = input(form);
    if (kind !== "drop" || !field) return;
    field.files = files.files;
    if (check(form)) send(form);
  });
}
window.addEventListener("pageshow", (event) => {
  // Back from the tree that was opened: the page is as it was left.
  if (event.persisted) for (const form of document.querySelectorAll("form[data-upload]")) busy(/** @type {HTMLFormElement} */ (form), false);
});
