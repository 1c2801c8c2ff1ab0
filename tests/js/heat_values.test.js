import assert from "node:assert/strict";
import test from "node:test";

import { keyOf, valuesOf } from "../../static/js/lib/heat_values.js";
import { nearest } from "../../static/js/lib/replay_epochs.js";

/** A container (0) with two modules (1, 3) that have parameters; 1 holds a container (2) of nothing known. */
const PARENTS = [-1, 0, 1, 0];
/** @param {number} row */
const parent = (row) => PARENTS[row] ?? -1;

/**
 * @param {Partial<import("../../static/js/lib/heat_values.js").Stats>} changed
 * @returns {import("../../static/js/lib/heat_values.js").Stats}
 */
function stats(changed) {
  return {
    epoch: 0, epochs: { first: 0, last: 9, every: 1, count: 10 }, ranges: {}, rows: [1, 3],
    parameter_norm: [3, 4], gradient_norm: [6, 8], update_ratio: [0.1, 0.2], has_gradient: [true, true], ...changed,
  };
}

test("a container's norm is that of all it holds", () => {
  assert.deepEqual([...valuesOf(stats({}), "gradient_norm", parent)], [[1, 6], [3, 8], [0, 10]]);
});

test("a container's update ratio is the norm of all steps over that of all parameters", () => {
  const values = valuesOf(stats({}), "update_ratio", parent);
  assert.equal(values.get(0), Math.sqrt(0.3 ** 2 + 0.8 ** 2) / 5);
});

test("no gradient is none and never zero, in a container only where none of its modules has one", () => {
  const half = stats({ gradient_norm: [null, 8], has_gradient: [false, true] });
  assert.deepEqual([...valuesOf(half, "gradient_norm", parent)], [[1, null], [3, 8], [0, 8]]);
  const none = stats({ gradient_norm: [null, null], update_ratio: [0, 0], has_gradient: [false, false] });
  for (const key of /** @type {const} */ (["gradient_norm", "update_ratio"])) assert.equal(valuesOf(none, key, parent).get(0), null);
  assert.equal(valuesOf(none, "parameter_norm", parent).get(0), 5);
});

test("what is not finite is not none", () => {
  const bad = stats({ gradient_norm: [null, 8], nonfinite: { gradient_norm: [0] } });
  assert.deepEqual([...valuesOf(bad, "gradient_norm", parent)], [[1, Infinity], [3, 8], [0, Infinity]]);
});

test("a module that the tree has no longer colours nothing", () => {
  assert.deepEqual([...valuesOf(stats({ rows: [-1, 3] }), "gradient_norm", parent)], [[3, 8], [0, 8]]);
});

test("a module with parameters of its own shows its own, whatever is below it", () => {
  const chain = (/** @type {number} */ row) => row - 1;
  const values = valuesOf(stats({ rows: [0, 1] }), "gradient_norm", chain);
  assert.deepEqual([...values], [[0, 6], [1, 8]]);
});

test("only statistics that there are are known by their word", () => {
  assert.deepEqual(["gradient_norm", "loss", null, ""].map(keyOf), ["gradient_norm", null, null, null]);
});

test("a slider stands at epochs that have statistics", () => {
  const epochs = { first: 0, last: 90, every: 10 };
  assert.deepEqual([-5, 0, 9, 10, 89, 90, 500].map((wanted) => nearest(epochs, wanted)), [0, 0, 0, 10, 80, 90, 90]);
  assert.equal(nearest({ first: null, last: null, every: 10 }, 5), 0);
});
