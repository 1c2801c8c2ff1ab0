import assert from "node:assert/strict";
import { test } from "node:test";

import { Amounts } from "../../static/js/lib/amounts.js";
import { blockOf } from "../../static/js/lib/blocks.js";
import { hit, standing, together, walked } from "../../static/js/lib/cells.js";
import { icicle } from "../../static/js/lib/icicle.js";
import { panelsOf, roomOf } from "../../static/js/lib/panels.js";
import { grid, language, shared } from "./map_trees.js";

/** @typedef {import("../../static/js/lib/icicle.js").Cell} Cell */
/** @typedef {import("../../static/js/lib/outline.js").Outline} Outline */

const near = (/** @type {number} */ one, /** @type {number} */ other) => assert.ok(Math.abs(one - other) < 1e-6, `${one} is not ${other}`);

/**
 * @param {Outline} outline
 * @param {{top?: number, width?: number, height?: number, isLabelled?: boolean, area?: import("../../static/js/lib/amounts.js").Area}} options
 */
function cellsOf(outline, { top = 0, width = 400, height = 600, isLabelled = true, area = "parameters" } = {}) {
  return icicle(outline, new Amounts(outline, area), { top, width, height, isLabelled });
}

/** @param {Cell[]} cells */
function assertNoOverlap(cells) {
  for (const cell of cells) {
    assert.ok(cell.x >= 0 && cell.y >= -1e-6 && cell.width > 0);
    const { parent } = cell;
    if (!parent) continue;
    assert.ok(cell.y >= parent.y - 1e-6 && cell.y + cell.height <= parent.y + parent.height + 1e-6);
    near(cell.x, parent.x + parent.width);
  }
  /** @type {Map<number, number>} */
  const ends = new Map();
  for (const cell of cells) {
    assert.ok(cell.y >= (ends.get(cell.level) ?? 0) - 1e-6);
    ends.set(cell.level, cell.y + cell.height);
  }
}

test("the height of a cell is its part of the whole, its own parameters before its children", () => {
  const cells = cellsOf(grid(1), { height: 220 });
  assert.equal(cells.length, 11);
  near(cells[0]?.height ?? 0, 220);
  near(cells[1]?.y ?? 0, 20);
  near(cells[10]?.y ?? 0, 200);
  near(cells.slice(1).reduce((sum, cell) => sum + cell.height, 0), 200);
  assertNoOverlap(cells);
});

test("what is tied has height at its first place only", () => {
  const outline = language();
  const amounts = new Amounts(outline, "parameters");
  assert.equal(amounts.total, outline.numParameters(0));
  assert.equal(new Amounts(outline, "bytes").total, outline.numBytes(0));
  const cells = cellsOf(outline);
  assert.ok(cells.some((cell) => cell.row === 1));
  assert.ok(!cells.some((cell) => cell.row === outline.rowOf("head")));
  assertNoOverlap(cells);
});

test("a module with two names has height under the first", () => {
  const outline = shared();
  assert.deepEqual(cellsOf(outline).map((cell) => outline.path(cell.row)), ["", "one", "one.0", "last"]);
  near(cellsOf(outline).at(-1)?.height ?? 0, 300);
});

test("equal siblings too low to tell apart are drawn once, at their total height", () => {
  const folded = cellsOf(grid(3), { height: 300 });
  const [first] = folded.filter((cell) => cell.count > 1);
  assert.equal(first?.count, 10);
  assert.ok((first?.height ?? 0) / 10 < 4.5);
  assertNoOverlap(folded);
  assert.ok(folded.every((cell) => cell.height >= 0.5));
});

test("what is lower than half a pixel is left to its parent, which runs to the edge", () => {
  const cells = cellsOf(language({ blocks: 3 }), { height: 1.5, width: 300 });
  for (const cell of cells.filter((each) => each.isLast)) near(cell.x + cell.width, 300);
  assert.ok(cells.every((cell) => cell.height >= 0.5));
  assert.ok(cells.some((cell) => cell.isLast && cell.shape.entries.length));
});

test("a module that only holds what is beside it is narrow, and columns under six pixels are not drawn", () => {
  const [root, next] = cellsOf(language());
  assert.ok((root?.width ?? 0) < 50);
  assert.ok((next?.width ?? 0) > 50);
  assert.ok(cellsOf(grid(5), { width: 20 }).every((cell) => cell.level < 3));
});

test("FLOPs are those of the modules that were called, and none without a trace", () => {
  const outline = language();
  assert.deepEqual(icicle(outline, new Amounts(outline, "flops"), { top: 0, width: 300, height: 300, isLabelled: true }), []);
  const trace = { row: [0, 1, 3, 4], class_name: ["Model", "Embedding", "Block", "Linear"], own_flops: [0, 0, 4, 12] };
  const amounts = new Amounts(outline, "flops", trace);
  assert.equal(amounts.total, 16);
  const cells = icicle(outline, amounts, { top: 0, width: 300, height: 160, isLabelled: true });
  assert.deepEqual(cells.map((cell) => [cell.row, cell.height]), [[0, 160], [2, 160], [3, 160], [4, 120]]);
});

test("a point lies in one cell, and a module stands in its own, its siblings', or the one above", () => {
  const cells = cellsOf(grid(5));
  for (const cell of cells) assert.equal(hit(cells, cell.x + cell.width / 2, cell.y + cell.height / 2)?.row, cell.row);
  assert.equal(hit(cells, -1, 5), null);
  const outline = grid(5);
  const deep = outline.rowOf("sub2.sub3.sub10.sub10.sub10");
  const found = standing(cells, deep);
  assert.ok(found && found.row <= deep && deep < found.row + found.count * found.shape.size);
  assert.equal(standing(cells, 0)?.row, 0);
});

test("the arrow keys walk as in the tree", () => {
  const outline = language({ blocks: 2 });
  const cells = cellsOf(outline);
  const names = cells.map((cell) => outline.path(cell.row));
  assert.deepEqual(names, ["", "wte", "h", "h.0", "h.0.attn", "h.0.mlp", "h.1", "h.1.attn", "h.1.mlp"]);
  const leads = (/** @type {string} */ key, /** @type {string} */ from) => names[walked(key, cells, names.indexOf(from)) ?? -1];
  assert.equal(leads("ArrowDown", "wte"), "h");
  assert.equal(leads("ArrowRight", "h"), "h.0");
  assert.equal(leads("ArrowDown", "h.0"), "h.1");
  assert.equal(leads("ArrowUp", "h.1"), "h.0");
  assert.equal(leads("ArrowLeft", "h.1"), "h");
  assert.equal(leads("ArrowRight", "wte"), "wte");
  assert.equal(leads("End", ""), "h.1.mlp");
  assert.equal(leads("Home", "h.1"), "");
  assert.equal(walked("a", cells, 0), null);
});

test("the panel at the right shows the nearest block, and keeps it while the selection is in it", () => {
  const outline = language();
  const cells = cellsOf(outline);
  assert.equal(outline.path(blockOf(outline, 0, cells)), "h.0");
  assert.equal(outline.path(blockOf(outline, outline.rowOf("h.7.mlp"), cells)), "h.7");
  const nested = grid(4);
  const inner = nested.rowOf("sub2.sub3.sub4");
  assert.equal(nested.path(blockOf(nested, inner, [])), "sub2.sub3.sub4");
  assert.equal(nested.path(blockOf(nested, inner, [], nested.rowOf("sub2"))), "sub2");
  assert.equal(blockOf(shared(), 0, cellsOf(shared())), 0);
});

test("the two panels are beside each other, and one is enough where nothing repeats", () => {
  const outline = language();
  const amounts = new Amounts(outline, "parameters");
  const view = { width: 380, height: 600, selected: 0, zoom: 0, present: 0 };
  const { panels, block } = panelsOf(outline, amounts, view);
  assert.equal(panels.length, 2);
  const [whole, part] = panels;
  assert.ok(whole && part && whole.x + whole.width < part.x);
  near((part?.x ?? 0) + (part?.width ?? 0), 380);
  assert.equal(part?.cells[0]?.row, block);
  const room = whole && roomOf(whole, block);
  near(room?.height ?? 0, standing(whole?.cells ?? [], block)?.height ?? 0);
  assert.equal(panelsOf(shared(), new Amounts(shared(), "parameters"), view).panels.length, 1);
  const all = together(whole?.cells ?? [], part?.cells ?? []);
  assert.equal(new Set(all.map((cell) => `${cell.row} ${cell.count}`)).size, all.length);
  assert.deepEqual(all.map((cell) => cell.row), all.map((cell) => cell.row).sort((one, other) => one - other));
});

test("111,111 modules are laid out in a few milliseconds", () => {
  const outline = grid(5);
  const amounts = new Amounts(outline, "parameters");
  const view = { width: 380, height: 700, selected: 0, zoom: 0, present: 0 };
  const times = Array.from({ length: 10 }, () => {
    const start = performance.now();
    const { panels } = panelsOf(outline, amounts, view);
    assert.ok(panels.reduce((sum, panel) => sum + panel.cells.length, 0) < 5_000);
    return performance.now() - start;
  });
  assert.equal(outline.count, 111_111);
  // The best of ten: other processes may hold up any one of them.
  assert.ok(Math.min(...times) < 20, `${times} ms`);
});
