// Runs over each other: what is chosen takes effect in place, a crosshair tells the losses, the address keeps it all.

import { ask, askJson } from "./ask.js";
import { element, areaOf, draw } from "./overlay_draw.js";
import { led } from "./lib/crosshair.js";
import { exact, loss as lossText, seconds } from "./lib/numbers.js";
import { along, isShown, nearest, toX, toY } from "./lib/overlay.js";
import { put } from "./swap.js";
import { _ } from "./lib/words.js";

/** @typedef {import("./lib/overlay.js").Area} Area */
/** @typedef {import("./lib/overlay.js").Curve} Curve */
/** @typedef {import("./overlay_draw.js").Line} Line */

const CURVES = ["loss", "smoothed", "validation_loss", "smoothed_validation_loss"];
const AGAIN_MS = 2000;
const STEP = 10;
const SETTLE_MS = 150;

class Overlay {
  /**
   * @param {HTMLElement} box
   * @param {HTMLFormElement} form
   */
  constructor(box, form) {
    this.box = box;
    this.form = form;
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Area | null} */
    this.area = null;
    /** @type {number | null} where the crosshair is, between 0 and the last */
    this.at = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("pointermove", (event) => this.#point(event.clientX - box.getBoundingClientRect().left));
    box.addEventListener("pointerleave", () => this.#move(null));
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  get look() {
    const data = new FormData(this.form);
    return { scale: String(data.get("scale") ?? ""), x: String(data.get("x") ?? "epoch") };
  }

  get shown() {
    const hidden = new Set(rows().filter(isOff).map((row) => row.dataset.overlayRun));
    return this.lines.filter((line) => !hidden.has(line.id));
  }

  /** Takes the numbers from the server. */
  async load() {
    const query = new URLSearchParams();
    for (const row of rows()) query.append("run", row.dataset.overlayRun ?? "");
    query.set("smooth", String(Number(new FormData(this.form).get("smooth")) || 0));
    const answer = await askJson(`/runs/compare?${query}`);
    if (!answer.ok) return;
    const { items } = await answer.json();
    this.lines = items.filter((/** @type {any} */ item) => item.loss.epoch.length).map(lineOf);
    this.draw();
    if (items.some((/** @type {any} */ item) => !item.run.ended_at)) this.later(AGAIN_MS);
  }

  /** @param {number} wait until it is loaded again, in ms */
  later(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (document.hidden ? this.later(AGAIN_MS) : void this.load()), wait);
  }

  draw() {
    if (!this.lines.length) return;
    const [width, lines] = [Math.max(this.box.clientWidth, 240), this.shown];
    this.area = areaOf(lines, this.look, width);
    this.box.replaceChildren(draw(lines, this.look, this.area, width, this.box.getAttribute("aria-label") ?? ""));
    this.#move(this.at);
  }

  /** @param {number} pixel from the left of the box */
  #point(pixel) {
    if (!this.area) return;
    const part = (pixel - this.area.left) / (this.area.right - this.area.left);
    this.#move(Math.min(Math.max(part, 0), 1) * this.area.last);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.area || event.ctrlKey || event.metaKey || event.altKey) return;
    const pixel = this.area.last / (this.area.right - this.area.left);
    const size = (this.look.x === "epoch" ? Math.max(pixel, 1) : pixel) * (event.shiftKey ? STEP : 1);
    const to = led(event.key, this.at, this.area.last, size);
    if (to === undefined) return;
    event.preventDefault();
    this.#move(to);
  }

  /** @param {number | null} at */
  #move(at) {
    this.at = at;
    const cross = this.box.querySelector("[data-overlay-cross]");
    const { area } = this;
    if (!cross || !area) return;
    cross.replaceChildren();
    const { x } = this.look;
    say(at === null ? "" : x === "time" ? _("after %(time)s of training", { time: seconds(at) }) : _("epoch %(epoch)s", { epoch: exact(Math.round(at)) }));
    if (at !== null) cross.append(element("line", { class: "overlay-cross", x1: toX(area, at), x2: toX(area, at), y1: area.top, y2: area.bottom }));
    for (const row of rows()) {
      const cell = row.querySelector("[data-overlay-there]");
      const line = this.shown.find((each) => each.id === row.dataset.overlayRun);
      if (cell) cell.textContent = at === null || !line ? "" : this.#there(line, at, cross, area);
    }
  }

  /**
   * @param {Line} line
   * @param {number} at
   * @param {Element} cross that gets a dot on the line
   * @param {Area} area
   */
  #there(line, at, cross, area) {
    const curve = line.curves.smoothed ?? /** @type {Curve} */ (line.curves.loss);
    const xs = along(curve, this.look.x);
    const place = nearest(xs, at);
    if (place < 0 || at > (xs.at(-1) ?? 0) * 1.001 + 0.5) return "";
    const value = curve.value[place];
    if (!isShown(area.scale, value)) return typeof value === "number" ? lossText(value) : _("not finite");
    const dot = element("g", { class: `overlay-line ${line.hue}` });
    dot.append(element("circle", { class: "overlay-dot", cx: toX(area, xs[place] ?? 0), cy: toY(area, value), r: 4 }));
    cross.append(dot);
    return lossText(value);
  }
}

/** @returns {HTMLElement[]} */
const rows = () => [...document.querySelectorAll("[data-overlay-run]")].filter((row) => row instanceof HTMLElement);

/** @param {HTMLElement} row */
const isOff = (row) => row.classList.contains("overlay-off");

/** @param {string} words */
function say(words) {
  const here = document.querySelector("[data-overlay-at]");
  if (here && here.textContent !== words) here.textContent = words;
}

/** @param {any} item @returns {Line} */
function lineOf(item) {
  const row = rows().find((each) => each.dataset.overlayRun === item.run.id);
  const curves = Object.fromEntries(CURVES.filter((name) => item[name]).map((name) => [name, item[name]]));
  return { id: item.run.id, hue: `h${row?.dataset.hue ?? 0}`, name: row?.dataset.name ?? `#${item.run.number}`, curves };
}

/** @param {HTMLFormElement} form @returns {string} the address that restores the picture */
function addressOf(form) {
  const query = new URLSearchParams();
  for (const row of rows()) query.append("run", row.dataset.overlayRun ?? "");
  for (const row of rows().filter(isOff)) query.append("hide", row.dataset.overlayRun ?? "");
  const data = new FormData(form);
  if (data.get("scale")) query.set("scale", String(data.get("scale")));
  if (data.get("x") === "time") query.set("x", "time");
  if (Number(data.get("smooth"))) query.set("smooth", String(data.get("smooth")));
  return `/runs/compare?${query}`;
}

/**
 * The address, and what the server says of the picture that it stands for: notes, links.
 * @param {HTMLFormElement} form
 */
async function keep(form) {
  const address = addressOf(form);
  history.replaceState(history.state, "", address);
  const answer = await ask(address);
  if (answer.ok && addressOf(form) === address) put(new DOMParser().parseFromString(await answer.text(), "text/html"), ["overlay-notes", "overlay-links"]);
}

const [box, form] = [document.querySelector("[data-overlay]"), document.querySelector("[data-overlay-form]")];
if (box instanceof HTMLElement && form instanceof HTMLFormElement) {
  const overlay = new Overlay(box, form);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settled = undefined;
  form.addEventListener("input", (event) => {
    const field = event.target;
    overlay.draw();
    if (field instanceof HTMLInputElement && field.name === "smooth") {
      const output = form.querySelector("[data-overlay-factor]");
      if (output) output.textContent = field.value;
      overlay.later(SETTLE_MS);
    }
    clearTimeout(settled);
    settled = setTimeout(() => void keep(form), SETTLE_MS);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const toggle = event.target instanceof Element ? event.target.closest("[data-overlay-toggle]") : null;
    const row = toggle?.closest("[data-overlay-run]");
    if (!toggle || !row || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const number = row.getAttribute("data-number") ?? "";
    const isHidden = row.classList.toggle("overlay-off");
    toggle.setAttribute("aria-label", isHidden ? _("Show run #%(number)s", { number }) : _("Hide run #%(number)s", { number }));
    overlay.draw();
    void keep(form);
  });
  for (const row of rows()) {
    const light = (/** @type {boolean} */ isLit) => box.querySelector(`[data-overlay-line="${row.dataset.overlayRun}"]`)?.classList.toggle("overlay-lit", isLit);
    row.addEventListener("pointerenter", () => light(true));
    row.addEventListener("pointerleave", () => light(false));
    row.addEventListener("focusin", () => light(true));
    row.addEventListener("focusout", () => light(false));
  }
  void overlay.load();
}
