// The arguments of the chosen optimizer, loss and schedule, each with a field of its own in place of the one text.

import { apart, spelled, together } from "./lib/arguments.js";

/** @typedef {{name: string, type: string, required: boolean, default: unknown, choices: string[]}} Argument */
/** @typedef {{name: string, arguments: Argument[]}} OptionClass */
/** @typedef {{optimizers: OptionClass[], losses: OptionClass[], lr_schedulers: OptionClass[]}} Options */

/** @type {[string, string, keyof Options][]} */
const CHOICES = [
  ["optimizer", "optimizer_args", "optimizers"],
  ["loss", "loss_args", "losses"],
  ["lr_scheduler", "lr_scheduler_args", "lr_schedulers"],
];

/** @type {Promise<Options> | null} */
let options = null;

/** @returns {Promise<Options>} */
function known() {
  // The same for everybody, and never refused: nothing for ask.js to keep from the console.
  options ??= fetch("/api/run_options").then((response) => {
    if (!response.ok) throw new Error(response.statusText);
    return response.json();
  });
  return options;
}

/**
 * @param {Argument} argument
 * @returns {HTMLInputElement | HTMLSelectElement}
 */
function input(argument) {
  const words = argument.choices.length ? argument.choices : argument.type === "bool" ? ["true", "false"] : [];
  if (!words.length) {
    const made = document.createElement("input");
    Object.assign(made, { type: "text", autocomplete: "off", spellcheck: false });
    made.placeholder = argument.required ? argument.type : spelled(argument.default);
    return made;
  }
  const made = document.createElement("select");
  const usual = argument.required ? "" : spelled(argument.default);
  made.append(new Option(usual, ""), ...words.filter((word) => word !== usual).map((word) => new Option(word, word)));
  return made;
}

/**
 * @param {HTMLInputElement} text that holds all of them
 * @param {Argument[]} takes
 * @param {Map<string, string>} given
 */
function fields(text, takes, given) {
  const box = document.createElement("div");
  box.className = "run-args";
  for (const argument of takes) {
    const made = input(argument);
    made.className = "field-input";
    made.id = `${text.id}-${argument.name}`;
    made.dataset.argument = argument.name;
    made.value = given.get(argument.name) ?? "";
    const label = document.createElement("label");
    Object.assign(label, { className: "field-label", htmlFor: made.id, textContent: argument.name });
    const line = document.createElement("p");
    line.className = "field";
    line.append(label, made);
    box.append(line);
  }
  box.addEventListener("input", () => {
    const typed = [...box.querySelectorAll("[data-argument]")].map((each) => /** @type {HTMLInputElement} */ (each));
    text.value = together(typed.map((each) => [each.dataset.argument ?? "", each.value]));
  });
  return box;
}

/**
 * @param {HTMLFormElement} form
 * @param {Options} all
 */
function show(form, all) {
  for (const [name, args, kind] of CHOICES) {
    const choice = form.querySelector(`select[name="${name}"]`);
    const text = form.querySelector(`input[name="${args}"]`);
    const line = text?.closest("p");
    if (!(choice instanceof HTMLSelectElement) || !(text instanceof HTMLInputElement) || !line) continue;
    const found = all[kind].find((each) => each.name === choice.value);
    const takes = found?.arguments ?? [];
    const given = apart(text.value);
    // What is typed there that none of the fields could hold stays where it is.
    const fits = given && [...given.keys()].every((key) => takes.some((each) => each.name === key));
    form.querySelector(`[data-run-args="${args}"]`)?.remove();
    line.toggleAttribute("hidden", Boolean(fits) && !text.hasAttribute("aria-invalid"));
    if (!fits || !takes.length) continue;
    const box = fields(text, takes, given);
    box.dataset.runArgs = args;
    line.after(box);
  }
}

/** @param {Element | null | undefined} form */
function update(form) {
  const more = form?.querySelector("details.run-extra");
  if (form instanceof HTMLFormElement && more?.hasAttribute("open")) void known().then((all) => show(form, all)).catch(() => { options = null; });
}

const here = () => document.querySelector("form[data-run-start]");

document.addEventListener("toggle", ({ target }) => {
  if (target instanceof Element && target.matches("details.run-extra")) update(target.closest("form"));
}, true);
document.addEventListener("change", ({ target }) => {
  const choice = target instanceof HTMLSelectElement ? CHOICES.find(([name]) => name === target.name) : undefined;
  if (!choice || !(target instanceof HTMLSelectElement) || !target.form?.matches("[data-run-start]")) return;
  // The arguments of another class say nothing of this one.
  const text = target.form.elements.namedItem(choice[1]);
  if (text instanceof HTMLInputElement) text.value = "";
  update(target.form);
});
document.addEventListener("swapped", () => update(here()));
update(here());
