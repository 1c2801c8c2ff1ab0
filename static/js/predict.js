// The prediction box answers while x is typed: the tree's forward, asked over HTTP.

import { askJson } from "./ask.js";
import { significant, value } from "./lib/numbers.js";
import { pointOf } from "./lib/typed_x.js";
import { _ } from "./lib/words.js";

const AFTER_MS = 150;

/**
 * @param {unknown} nested
 * @returns {string} one number as torch prints it, several in brackets
 */
function shown(nested) {
  if (Array.isArray(nested) && nested.length === 1) return shown(nested[0]);
  if (Array.isArray(nested)) return `[${nested.slice(0, 6).map(shown).join(", ")}${nested.length > 6 ? ", …" : ""}]`;
  return typeof nested === "number" ? value(nested) : "nan";
}

/** @param {HTMLFormElement} form */
async function ask(form) {
  const field = form.querySelector('input[name="x"]');
  const output = form.querySelector("[data-predict-y]");
  if (!(field instanceof HTMLInputElement) || !output) return;
  const point = pointOf(field.value);
  if (!point) return;
  const asked = field.value;
  const response = await askJson(form.dataset.predict ?? "", { method: "POST", body: JSON.stringify({ x: [point] }) });
  if (!response.ok || field.value !== asked) return;
  const { y } = await response.json();
  output.textContent = shown(y);
  if (point.length === 1) compare(form, Number(point[0]), y?.[0]?.[0]);
  field.removeAttribute("aria-invalid");
  form.querySelector(".field-problem")?.remove();
}

/**
 * @param {HTMLFormElement} form
 * @param {number} x
 * @param {unknown} y
 */
function compare(form, x, y) {
  const rule = form.querySelector("[data-predict-against]");
  const [slope, intercept] = [form.dataset.slope, form.dataset.intercept];
  if (typeof y !== "number") return;
  document.dispatchEvent(new CustomEvent("predicted", { detail: { x, y } }));
  if (!rule || slope === undefined || intercept === undefined) return;
  const truth = Number(slope) * x + Number(intercept);
  rule.textContent = _("%(rule)s = %(truth)s, off by %(difference)s", {
    rule: form.dataset.rule ?? "", truth: significant(truth), difference: significant(Math.abs(y - truth), 2),
  });
}

/** @typedef {import("./lib/run_log.js").RunLog} RunLog */

let timer = 0;
document.addEventListener("run", (event) => {
  const form = document.querySelector("form[data-predict][data-touched]");
  const hasEnded = /** @type {CustomEvent<RunLog>} */ (event).detail.run !== null;
  if (hasEnded && form instanceof HTMLFormElement) void ask(form).catch(() => undefined);
});
document.addEventListener("input", (event) => {
  const form = event.target instanceof Element ? event.target.closest("form[data-predict]") : null;
  if (!(form instanceof HTMLFormElement)) return;
  clearTimeout(timer);
  timer = window.setTimeout(() => void ask(form).catch(() => undefined), AFTER_MS);
});
