// Start, pause, resume, cancel, apply and open a run without leaving the page.

import { ask, askJson } from "./ask.js";
import { exact } from "./lib/numbers.js";
import { _, ngettext } from "./lib/words.js";
import { taken } from "./run_state.js";
import { put, refresh } from "./swap.js";

const DOCK = ["dock"];

/**
 * @param {HTMLFormElement} form
 * @param {string} address
 */
function sent(form, address) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
  return ask(address, { method: "POST", body: fields });
}

/** @param {Response} response whose page holds the form as it was filled in */
async function putForm(response) {
  if (!response.headers.get("content-type")?.startsWith("text/html")) return;
  put(new DOMParser().parseFromString(await response.text(), "text/html"), ["start"]);
}

/**
 * The columns of a file come back in the form.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
async function read(form, button) {
  button.disabled = true;
  const fields = new FormData(form);
  try {
    await putForm(await ask(button.formAction, { method: "POST", body: fields }));
    document.querySelector("form[data-run-start]")?.setAttribute("data-touched", "");
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {string} run
 * @param {string | null} [heat] the statistic that the tree is coloured by, where nobody has said it
 */
function remember(run, heat = null) {
  const address = new URL(location.href);
  address.searchParams.set("run", run);
  if (heat && !address.searchParams.has("heat")) address.searchParams.set("heat", heat);
  address.searchParams.delete("runs");
  history.pushState(history.state, "", address);
}

/**
 * What is refused comes back in its form.
 * @param {HTMLFormElement} form
 */
async function start(form) {
  const response = await sent(form, form.action);
  const query = response.redirected ? new URL(response.url).searchParams : null;
  const run = query?.get("run");
  form.removeAttribute("data-touched");
  if (run) {
    remember(run, query?.get("heat"));
    await refresh(DOCK);
    // Ten epochs can be over before the dock has come.
    if (document.querySelector("[data-run]:not([data-active])")) await taken();
  } else {
    await putForm(response);
    /** @type {HTMLElement | null} */ (document.querySelector("[data-run-start] [aria-invalid]"))?.focus();
  }
}

/** @param {HTMLFormElement} form */
async function act(form) {
  const command = new URL(form.action).pathname;
  const response = await askJson(command, { method: "POST" });
  // Over already, or somebody else was quicker: what there is now is shown.
  if (!response.ok && response.status !== 409) throw new Error(_("The server answered with %(status)s.", { status: response.status }));
  const { id, status } = response.ok ? await response.json() : { id: "", status: "" };
  const panel = document.querySelector("[data-run]");
  if (command.endsWith("/resume") && panel?.getAttribute("data-status") === "interrupted") await refresh(DOCK);
  else await refresh(["strip"]);
  if (panel instanceof HTMLElement && id === panel.dataset.run && status) panel.dataset.status = status;
  if (command.endsWith("/apply")) await taken();
}

document.addEventListener("input", ({ target }) => {
  const says = target instanceof HTMLInputElement && target.name === "epochs" ? target.form?.querySelector("[data-run-says]") : null;
  const count = says ? Number(/** @type {HTMLInputElement} */ (target).value) : 0;
  if (says && Number.isInteger(count) && count > 0) says.textContent = ngettext("Train %(num)s epoch", "Train %(num)s epochs", count, { num: exact(count) });
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !document.querySelector("[data-run], [data-dock]")) return;
  const button = event.submitter;
  if (button instanceof HTMLButtonElement && "runRead" in button.dataset) {
    event.preventDefault();
    void read(form, button).catch(() => undefined);
    return;
  }
  const does = "runStart" in form.dataset ? start : "runAct" in form.dataset ? act : null;
  if (!does) return;
  event.preventDefault();
  does(form).catch(() => form.submit());
});
document.addEventListener("change", ({ target }) => {
  const form = target instanceof HTMLElement && target.matches("[data-run-upload], [data-run-start] [type=file]") ? target.closest("form") : null;
  /** @type {HTMLButtonElement | null | undefined} */ (form?.querySelector("[data-run-read]"))?.click();
});
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-run-link]") : null;
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  remember(link.getAttribute("data-run-link") ?? "");
  void refresh(DOCK);
});
addEventListener("popstate", () => {
  const run = new URLSearchParams(location.search).get("run");
  const open = document.querySelector("[data-dock]")?.getAttribute("data-run");
  if (run && open && run !== open) void refresh(DOCK);
});
