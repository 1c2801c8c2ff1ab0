import assert from "node:assert/strict";
import { test } from "node:test";

import { Amounts } from "../../static/js/lib/amounts.js";
import { fitted, labelsOf, plainLabels } from "../../static/js/lib/labels.js";
import { classEntries, dtypeEntries } from "../../static/js/lib/legend.js";
import { MapSays, footOf } from "../../static/js/lib/map_says.js";
import { escaped, inkOf, svgOf } from "../../static/js/lib/map_svg.js";
import { FROZEN, NONE, Paints, TRAINABLE, inkOn, mixed, placeOf } from "../../static/js/lib/paints.js";
import { panelsOf } from "../../static/js/lib/panels.js";
import { sceneOf } from "../../static/js/lib/scene.js";
import { clipped, visible } from "../../static/js/lib/visible.js";
import { grid, language, shared } from "./map_trees.js";

/** @typedef {import("../../static/js/lib/outline.js").Outline} Outline */
/** @typedef {import("../../static/js/lib/paints.js").Colour} Colour */

const VIEW = { width: 380, height: 600, selected: 0, zoom: 0, present: 0 };

/**
 * @param {Outline} outline
 * @param {{colour?: Colour, heat?: import("../../static/js/lib/paints.js").Heat | null, name?: string, selected?: number}} options
 */
function mapOf(outline, { colour = "class", heat = null, name = "tree", selected = 0 } = {}) {
  const amounts = new Amounts(outline, "parameters");
  const says = new MapSays(outline, amounts, new Paints(outline, colour, heat), name);
  const shown = panelsOf(outline, amounts, { ...VIEW, selected });
  return { says, shown, scene: sceneOf(shown, [selected], says) };
}

/**
 * @param {Outline} outline
 * @param {string} path
 * @param {Colour} colour
 */
function paintOf(outline, path, colour) {
  const { says, shown } = mapOf(outline, { colour });
  const cell = shown.panels.flatMap(({ cells }) => cells).find(({ row }) => row === outline.rowOf(path));
  assert.ok(cell, path);
  return says.paint(cell);
}

/** @type {import("../../static/js/lib/map_svg.js").Palette} */
const PALETTE = {
  ink: "#111111", ink2: "#444444", line: "#cccccc", sunken: "#eeeeee", surface: "#ffffff", accent: "#0000ff",
  sans: '"Inter", sans-serif', mono: "monospace", of: ({ at }) => (at === undefined ? "#dddddd" : mixed(["#ffffff", "#000000"], at)),
};

test("a cell has its name from 12 pixels, its figure from 30, what its class says of itself from 50", () => {
  const said = () => ({ name: "c_attn", count: "1.77 M", extra: "nf=2304" });
  const texts = (/** @type {number} */ height, width = 120) => labelsOf({ x: 0, y: 0, width, height }, said).map(({ text }) => text);
  assert.deepEqual(texts(11), []);
  assert.deepEqual(texts(12), ["c_attn"]);
  assert.deepEqual(texts(30), ["c_attn", "1.77 M"]);
  assert.deepEqual(texts(50), ["c_attn", "1.77 M", "nf=2304"]);
  assert.deepEqual(labelsOf({ x: 0, y: 0, width: 20, height: 90 }, said).map(({ isTurned }) => isTurned), [true]);
  assert.deepEqual(plainLabels({ x: 0, y: 0, width: 100, height: 60 }, () => "wte"), []);
  assert.equal(plainLabels({ x: 0, y: 0, width: 100, height: 61 }, () => "wte").length, 1);
});

test("a name that is too long is cut, and a figure never is", () => {
  assert.equal(fitted("transformer", 40, "name"), "trans…");
  assert.equal(fitted("124.4 M", 20, "count"), "");
  assert.ok(fitted("모듈모듈모듈", 40, "name").length < fitted("abcdef", 40, "name").length);
});

test("colours say the class, the one dtype, or whether all is trainable", () => {
  const outline = language({ frozen: [[1, 2]] });
  assert.equal(paintOf(outline, "h", "class").fill, "cell-box");
  assert.match(paintOf(outline, "h.0", "class").fill, /^h\d+ cell-hold$/);
  assert.equal(paintOf(outline, "wte", "dtype").word, "float32");
  assert.deepEqual(paintOf(outline, "h.0", "dtype"), { fill: "cell-box", word: "mixed dtypes" });
  assert.equal(paintOf(outline, "wte", "trainable").fill, TRAINABLE);
  assert.equal(paintOf(outline, "h.0", "trainable").fill, `${FROZEN} cell-hold`);
  assert.equal(paintOf(outline, "h", "trainable").word, "some frozen");
});

test("a statistic colours from low to high, its absence is hatched, and zero is a number", () => {
  const outline = shared();
  const heat = { key: "g", label: "gradient norm", range: /** @type {[number, number]} */ ([0.01, 100]), values: new Map([[0, 1], [1, null], [2, 0]]) };
  const { says, shown } = mapOf(outline, { colour: "heat", heat });
  const cells = shown.panels[0]?.cells ?? [];
  const paints = cells.map((cell) => says.paint(cell));
  assert.deepEqual(paints.map(({ fill }) => fill), ["cell-heat", NONE, "cell-heat", "cell-box"]);
  assert.deepEqual(paints.map(({ at }) => at?.toFixed(6)), ["0.500000", undefined, "0.000000", undefined]);
  assert.deepEqual(paints.map(({ word }) => word), ["1", "none", "0", "unknown"]);
  assert.equal(placeOf(5, [0, 10]), 0.5);
  assert.equal(placeOf(Infinity, [0, 10]), 1);
  assert.equal(new Paints(outline, "heat", null).colour, "class");
});

test("words on a statistic's colour are black or white, whichever can be read", () => {
  assert.equal(inkOn("#f9f5ec"), "#000000");
  assert.equal(inkOn("#a13124"), "#ffffff");
  assert.equal(mixed(["#000000", "#ffffff", "#ff0000"], 0.75), "#ff8080");
  assert.equal(inkOf({ kind: "count", paint: { fill: "h3", word: "" } }, PALETTE), PALETTE.ink2);
});

test("the legend counts each class once, what is tied at its first place, and leaves lone holders out", () => {
  const outline = language();
  const entries = classEntries(outline, new Amounts(outline, "parameters"));
  assert.deepEqual(entries, [
    { name: "Block", num: 12, amount: 2304 }, { name: "Linear", num: 24, amount: 2304 }, { name: "Embedding", num: 2, amount: 800 },
  ]);
  assert.deepEqual(dtypeEntries(outline, false), [{ name: "float32", num: 14, amount: 1568 }, { name: "float16", num: 12, amount: 1536 }]);
  const nested = grid(2);
  assert.deepEqual(classEntries(nested, new Amounts(nested, "parameters")), [{ name: "LinearModel", num: 111, amount: 222 }]);
  const twice = shared();
  assert.deepEqual(classEntries(twice, new Amounts(twice, "parameters")), [{ name: "Linear", num: 2, amount: 20 }]);
});

test("the legend of FLOPs adds up what was called", () => {
  const outline = language();
  const trace = { row: [0, 1, 3, 4, 7, 8], class_name: ["Model", "Embedding", "Block", "Linear", "Block", "Linear"], own_flops: [0, 0, 1, 2, 1, 2] };
  const entries = classEntries(outline, new Amounts(outline, "flops", trace));
  assert.deepEqual(entries.map(({ name, amount }) => [name, amount]), [["Block", 6], ["Linear", 4]]);
});

test("an SVG of the map is a document of its own, with every name escaped", () => {
  const outline = language();
  const { scene, says } = mapOf(outline, { name: "<b>&\u0000</b>", selected: outline.rowOf("h.0.mlp") });
  const text = svgOf(scene, PALETTE, {
    width: VIEW.width, height: VIEW.height, title: 'a "tree" & <more>', captions: [{ text: "<i>", x: 0 }], foot: footOf(says), say: (cell) => says.line(cell),
  });
  assert.ok(text.startsWith("<?xml"));
  assert.ok(text.includes("a &quot;tree&quot; &amp; &lt;more&gt;"));
  assert.ok(text.includes("&lt;b&gt;&amp;\\x00&lt;/b&gt;, Model"));
  assert.ok(!/<b>|<i>|\u0000/.test(text));
  assert.equal(text.match(/<rect [^>]*><title>/g)?.length, scene.tiles.length);
  assert.equal(text.match(/stroke="#0000ff"/g)?.length, 2);
  assert.ok(text.includes("Height: parameters. Colour: class."));
  assert.equal(escaped("a\ud800b\u0007"), "a\ufffdb\ufffd");
});

test("a selected module without a height is told by the one above, with dashes", () => {
  const outline = language();
  const of = (/** @type {string} */ path) => mapOf(outline, { selected: outline.rowOf(path) }).scene.chosen.map(({ isInside }) => isInside);
  assert.deepEqual(of("h.0.mlp"), [false, false]);
  assert.deepEqual(of("h.0.act"), [true, true]);
});

test("names show what cannot be seen, and long ones lose their middle", () => {
  assert.equal(visible("a\nb\u202ec\u001b"), "a\\nb\\u202ec\\x1b");
  assert.equal(visible(" a b\u00a0 "), "\\x20a b\\xa0\\x20");
  assert.equal(visible("👩\u200d🔬"), "👩\u200d🔬");
  assert.equal(clipped("x".repeat(100), 20).length, 20);
  assert.equal(clipped("short"), "short");
});
