// A dialog over the page: the browser keeps the focus in it, and gives it back when it closes.

import { _ } from "./lib/words.js";

/**
 * @param {string} name of an icon
 * @param {number} [size]
 * @returns {SVGSVGElement}
 */
export function iconElement(name, size = 14) {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("width", String(size));
  icon.setAttribute("height", String(size));
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `/static/vendor/icons.svg#${name}`);
  icon.append(use);
  return icon;
}

/**
 * Shows the dialog until Escape, its button or a click beside it; it is gone then.
 * @param {string} title
 * @param {HTMLElement} body
 * @param {string} kind a class of it
 * @returns {HTMLDialogElement}
 */
export function showDialog(title, body, kind) {
  const dialog = document.createElement("dialog");
  dialog.className = `dialog ${kind}`;
  const head = document.createElement("div");
  head.className = "dialog-head";
  const heading = document.createElement("h2");
  heading.id = `${kind}-title`;
  heading.textContent = title;
  dialog.setAttribute("aria-labelledby", heading.id);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-quiet btn-icon btn-small";
  close.setAttribute("aria-label", _("Close"));
  close.append(iconElement("x"));
  close.addEventListener("click", () => dialog.close());
  head.append(heading, close);
  dialog.append(head, body);
  openDialog(dialog);
  return dialog;
}

/** @param {HTMLDialogElement} dialog made for this once */
export function openDialog(dialog) {
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    // This is told a moment after it closed: who has gone on by then is not called back.
    const isNowhere = document.activeElement === null || document.activeElement === document.body;
    if (isNowhere && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
