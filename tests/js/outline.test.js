import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Listing } from "../../static/js/lib/listing.js";
import { Outline } from "../../static/js/lib/outline.js";

/** @type {Record<string, any>} what the server says of some trees, which tests/outlines.py writes down */
const trees = JSON.parse(readFileSync(new URL("outlines.json", import.meta.url), "utf8"));

for (const [name, facts] of Object.entries(trees)) {
  test(`the outline of ${name} has every place and total that the server has`, () => {
    const outline = new Outline(facts.answer);
    const { skeleton } = facts;
    const rows = [...Array(outline.count).keys()];
    /** @param {(row: number) => unknown} of */
    const all = (of) => rows.map(of);
    assert.equal(outline.count, skeleton.count);
    assert.deepEqual(all((row) => outline.parent(row)), skeleton.parent);
    assert.deepEqual(all((row) => outline.place(row).name), skeleton.name);
    assert.deepEqual(all((row) => outline.place(row).depth), facts.depth);
    assert.deepEqual(all((row) => outline.path(row)), facts.paths);
    assert.deepEqual(all((row) => outline.rowOf(facts.paths[row])), rows);
    assert.deepEqual(all((row) => outline.className(row)), skeleton.class.map((/** @type {number} */ at) => skeleton.classes[at]));
    assert.deepEqual(all((row) => outline.sharedWith(row)), skeleton.shared_with);
    assert.deepEqual(all((row) => outline.numModules(row)), facts.num_modules);
    assert.deepEqual(all((row) => outline.numParameters(row)), skeleton.num_parameters);
    assert.deepEqual(all((row) => outline.numTrainable(row)), skeleton.num_trainable);
    assert.deepEqual(all((row) => outline.numBuffers(row)), skeleton.num_buffers);
    assert.deepEqual(all((row) => outline.numBytes(row)), skeleton.num_bytes);
    assert.deepEqual(all((row) => outline.isEval(row)), facts.eval);
    assert.deepEqual(all((row) => !outline.hasGradient(row)), facts.no_grad);
    assert.deepEqual(Object.fromEntries(outline.hues), facts.hues);
  });

  test(`the outline of ${name} folds, lists and ties what the server does`, () => {
    const outline = new Outline(facts.answer);
    const rows = [...Array(outline.count).keys()];
    assert.deepEqual(rows.map((row) => outline.runs(row).map(({ first, count }) => [first, count, outline.totals.ofSiblings(first, count)])), facts.runs);
    assert.deepEqual(
      rows.map((row) => outline.ownTensors(row).map((tensor) => [
        tensor.name, tensor.isBuffer, tensor.numel, tensor.numBytes, tensor.dtype,
        tensor.isBuffer ? tensor.isPersistent : tensor.requiresGrad, tensor.tiedTo,
      ])),
      facts.tensors,
    );
    const modules = new Listing(outline, "modules");
    assert.deepEqual([...Array(modules.count).keys()].map((at) => modules.at(at).row), facts.listed.modules);
    for (const kind of /** @type {const} */ (["parameters", "buffers"])) {
      const listing = new Listing(outline, kind);
      assert.deepEqual([...Array(listing.count).keys()].map((at) => listing.name(listing.at(at))), facts.listed[kind]);
    }
  });
}

test("a path that leads nowhere has no row", () => {
  const outline = new Outline(trees.blocks.answer);
  for (const path of ["15", "01", "0.weight", "0.0.0", "a", "0..0"]) assert.equal(outline.rowOf(path), -1, path);
});

test("names that count beyond what numbers hold stay exact", () => {
  const child = { class: "A", extra_repr: "", parameters: [], buffers: [], children: [] };
  const answer = { shapes: [{ ...child, children: [["x999999999999999998..x999999999999999999", 1]] }, child], root: 0, bits: {}, shared: [] };
  const outline = new Outline(/** @type {any} */ (answer));
  assert.deepEqual([...outline.children(0)].map(({ name }) => name), ["x999999999999999998", "x999999999999999999"]);
  assert.equal(outline.rowOf("x999999999999999999"), 2);
});

test("111,111 places are told from six shapes", () => {
  const parameters = [["weight", [1], "float32"], ["bias", [1], "float32"]];
  const shapes = [1, 2, 3, 4, 5, 0].map((next) => ({
    class: "LinearModel", extra_repr: "", parameters, buffers: [], children: next ? [["sub1..sub10", next]] : [],
  }));
  const answer = { shapes, root: 0, bits: { float32: 32 }, shared: [], no_grad: [[1, 111_110]] };
  const outline = new Outline(/** @type {any} */ (answer));
  assert.deepEqual([outline.count, outline.numParameters(0), outline.numBytes(0)], [111_111, 222_222, 888_888]);
  assert.equal(outline.path(111_110), "sub10.sub10.sub10.sub10.sub10");
  assert.equal(outline.rowOf("sub10.sub1"), 1 + 9 * 11_111 + 1);
  const parametersOfAll = new Listing(outline, "parameters");
  assert.equal(parametersOfAll.name(parametersOfAll.at(222_221)), "sub10.sub10.sub10.sub10.sub10.bias");
  assert.deepEqual([outline.hasGradient(0), outline.hasGradient(1)], [true, false]);
});
