// The inspector's forms, sent without leaving the page: what was made can be undone, what is refused comes back.

import { ask } from "./ask.js";
import { complain, expectChange, part, partIn, put, show } from "./inspector.js";
import { _ } from "./lib/words.js";
import { workspace } from "./workspace.js";

/** @param {HTMLElement} there as it was answered */
function focusProblem(there) {
  const field = there.querySelector("[aria-invalid]") ?? there.querySelector("form:has([role=alert]) :is(input:not([type=hidden]), button)");
  if (field instanceof HTMLElement) field.focus();
}

/**
 * The tree is as the part says: the page's revision first, then all who show something of it.
 * @param {HTMLElement} there
 */
async function changed(there) {
  document.querySelector("[data-workspace]")?.setAttribute("data-revision", there.dataset.revision ?? "");
  const row = Number(there.dataset.row);
  const isElsewhere = row !== workspace.selected;
  expectChange();
  await workspace.changed();
  if (isElsewhere) workspace.select(row, { from: "form" });
}

/** @param {string} address of the part that the form led to */
function keepTab(address) {
  const tab = new URL(address).searchParams.get("tab") ?? "";
  history.replaceState(history.state, "", workspace.address(workspace.selected, { tab, input: "", dtype: "" }));
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
async function send(form, submitter) {
  const address = new URL(form.action);
  address.searchParams.set("part", "inspector");
  address.searchParams.set("tab", part()?.dataset.tab ?? "overview");
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) if (typeof value === "string") body.append(name, value);
  const response = await ask(address, { method: "POST", body });
  const text = await response.text();
  const there = partIn(text);
  if (!there) {
    if (response.redirected && response.ok) location.assign(response.url);
    else complain(said(text) || _("The server answered with %(status)s.", { status: response.status }));
    return;
  }
  put(there);
  if (!response.ok) {
    focusProblem(there);
    return;
  }
  keepTab(response.url);
  await changed(there);
}

/** @param {string} text of the page of an error */
function said(text) {
  return new DOMParser().parseFromString(text, "text/html").querySelector(".notice p")?.textContent?.trim() ?? "";
}

/** @param {HTMLFormElement} form that asks for a trace */
async function trace(form) {
  const asked = new FormData(form);
  const [input, dtype] = [asked.get("input"), asked.get("dtype")].map(String);
  const isDone = await show({ tab: "trace", input: input ?? "", dtype: dtype ?? "" });
  const here = part();
  if (!isDone && here) focusProblem(here);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.closest("[data-inspector]") || !workspace.tree) return;
  event.preventDefault();
  if (form.method === "get") {
    void trace(form);
    return;
  }
  complain("");
  send(form, event.submitter).catch((error) => {
    if (!(error instanceof TypeError)) throw error;
    complain(_("The server cannot be reached. Nothing was sent."));
  });
});
