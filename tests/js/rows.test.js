import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { OpenState } from "../../static/js/lib/open_state.js";
import { Outline } from "../../static/js/lib/outline.js";
import { Rows } from "../../static/js/lib/rows.js";

/** @type {Record<string, any>} */
const trees = JSON.parse(readFileSync(new URL("outlines.json", import.meta.url), "utf8"));

const parameters = [["weight", [1], "float32"], ["bias", [1], "float32"]];

/** @param {number} depth of a grid with ten children each */
function grid(depth) {
  const shapes = Array.from({ length: depth + 1 }, (_, level) => ({
    class: "LinearModel", extra_repr: "", parameters, buffers: [], children: level < depth ? [["sub1..sub10", level + 1]] : [],
  }));
  return new Outline(/** @type {any} */ ({ shapes, root: 0, bits: { float32: 32 }, shared: [] }));
}

/** @param {Outline} outline */
function rowsOf(outline, state = OpenState.of(outline)) {
  return new Rows(outline, state);
}

/** @param {Rows} rows */
const all = (rows) => [...Array(rows.count).keys()].map((index) => rows.at(index));

/**
 * @param {Rows} rows
 * @returns {string[]} each as "  name", "  (first, count)" or "  .tensor"
 */
function drawn(rows) {
  return all(rows).map(({ kind, row, tensor, count, level }) => {
    const { outline } = rows;
    const { name } = outline.place(row);
    const text = kind === "fold" ? `(${name}, ${count})` : kind === "tensor" ? `.${outline.ownTensors(row)[tensor]?.name}` : name;
    return " ".repeat(level - 1) + text;
  });
}

/**
 * Every row is found where it is, and its place among its siblings is right.
 * @param {Rows} rows
 */
function check(rows) {
  const items = all(rows);
  /** @type {number[]} */
  const seen = [];
  for (const [index, item] of items.entries()) {
    assert.deepEqual(rows.find(item), { index, isThere: true }, JSON.stringify(item));
    seen.length = item.level;
    seen[item.level - 1] = (seen[item.level - 1] ?? 0) + 1;
    assert.equal(item.position, seen[item.level - 1]);
    const below = items.slice(index + 1).findIndex((other) => other.level <= item.level);
    const inside = below < 0 ? items.slice(index + 1) : items.slice(index + 1, index + 1 + below);
    assert.equal(inside.length > 0, item.isOpen === true, JSON.stringify(item));
    const children = inside.filter((other) => other.level === item.level + 1);
    for (const child of children) assert.equal(child.size, children.length);
  }
}

for (const [name, facts] of Object.entries(trees)) {
  test(`the rows of ${name} are all found again, however they are opened`, () => {
    const outline = new Outline(facts.answer);
    for (const folds of [true, false]) {
      for (const isOpen of [true, false]) {
        const rows = rowsOf(outline, new OpenState(isOpen, folds, false));
        check(rows);
        for (let row = 0; row < outline.count; row += 3) rows.show(row);
        check(rows);
        for (const item of all(rows).filter((each) => each.isOpen !== null).slice(0, 8)) rows.open(item, !item.isOpen);
        check(rows);
        const before = drawn(rows);
        rows.rebuild();
        assert.deepEqual(drawn(rows), before);
      }
    }
    const whole = rowsOf(outline, new OpenState(true, false, false));
    assert.deepEqual(all(whole).map(({ row }) => row), [...Array(outline.count).keys()]);
  });
}

test("a small tree lists its tensors", () => {
  const rows = rowsOf(new Outline(trees.nested_linear_models.answer));
  assert.deepEqual(drawn(rows), ["", " .weight", " .bias", " sub1", "  .weight", "  .bias", "  sub2_1", "   .weight", "   .bias"]);
});

test("a fold opens to its members, and what is asked for stands beside it", () => {
  const rows = rowsOf(grid(2));
  assert.deepEqual(drawn(rows), ["", " (sub1, 10)"]);
  rows.open({ kind: "fold", row: 1, tensor: -1 }, true);
  assert.deepEqual(drawn(rows).slice(0, 5), ["", " (sub1, 10)", "  sub1", "   (sub1, 10)", "  sub2"]);
  rows.open({ kind: "fold", row: 1, tensor: -1 }, false);
  rows.show(rows.outline.rowOf("sub4.sub10"));
  const some = ["", " (sub1, 3)", " sub4", "  (sub1, 9)", "  sub10", " (sub5, 6)"];
  assert.deepEqual(drawn(rows), some);
  rows.showTensors(rows.outline.rowOf("sub4.sub10"));
  assert.deepEqual(drawn(rows).slice(4, 7), ["  sub10", "   .weight", "   .bias"]);
  check(rows);
});

test("blocks that differ in what shapes do not say are folded apart", () => {
  const rows = rowsOf(new Outline(trees.blocks.answer), new OpenState(true, true, false));
  assert.deepEqual(drawn(rows).filter((line) => !line.startsWith("  ")), ["", " 0", " 1", " (2, 3)", " 5", " 6", " 7", " 8", " 9", " 10", " (11, 4)"]);
});

test("111,111 open rows cost what is distinct", () => {
  const outline = grid(5);
  const state = OpenState.of(outline);
  assert.deepEqual([state.isOpen, rowsOf(outline, state).count], [true, 2]);
  state.folds = false;
  const rows = rowsOf(outline, state);
  assert.equal(rows.count, 111_111);
  assert.equal(rows.at(111_110).row, 111_110);
  rows.open({ kind: "module", row: 1, tensor: -1 }, false);
  assert.equal(rows.count, 100_001);
  assert.deepEqual(rows.at(2), { kind: "module", row: 11_112, tensor: -1, count: 1, level: 2, position: 2, size: 10, isOpen: true });
  state.setAll(false);
  rows.rebuild();
  rows.show(77_777);
  assert.deepEqual(rows.find({ kind: "module", row: 77_777, tensor: -1 }).isThere, true);
  assert.equal(rows.count, 1 + 5 * 10);
});

test("what is open is kept and put back, by where the rows are then", () => {
  const outline = grid(2);
  const state = OpenState.of(outline);
  const rows = rowsOf(outline, state);
  rows.show(25);
  rows.open({ kind: "module", row: 25, tensor: -1 }, true);
  const again = OpenState.of(outline);
  again.restore(JSON.parse(JSON.stringify(state.kept())));
  assert.deepEqual(drawn(rowsOf(outline, again)), drawn(rows));
  again.restore(state.kept(), (row) => (row === 25 ? -1 : row));
  assert.equal(again.levels.has(25), false);
});

test("a deep chain is shut, and its end is found", () => {
  const shapes = Array.from({ length: 20_001 }, (_, at) => ({
    class: "A", extra_repr: "", parameters: [], buffers: [], children: at < 20_000 ? [["next", at + 1]] : [],
  }));
  const outline = new Outline(/** @type {any} */ ({ shapes, root: 0, bits: {}, shared: [] }));
  const rows = rowsOf(outline);
  assert.equal(rows.count, 2);
  rows.show(15_000);
  assert.equal(rows.at(15_000).row, 15_000);
});
