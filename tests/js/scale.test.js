import assert from "node:assert/strict";
import { test } from "node:test";

import { epochTicks, extent, linear, place, scaleOf, takesLog, tickStep } from "../../static/js/lib/scale.js";

const TUTORIAL = [37.1365, 6.440334, 1.136906, 0.220398, 0.0617899, 0.0341211, 0.0290768, 0.0279444, 0.0274905, 0.0271568];

test("the tutorial's losses take a log axis of whole decades", () => {
  const range = extent(TUTORIAL);
  assert.equal(takesLog(range), true);
  const scale = scaleOf(range, true);
  assert.deepEqual(scale.ticks, [0.01, 0.1, 1, 10, 100]);
  assert.equal(scale.minor.length, 32);
});

test("losses within a factor of 20, or with a zero among them, take a linear axis", () => {
  assert.equal(takesLog(extent([1, 19])), false);
  assert.equal(takesLog(extent([0, 100])), false);
  assert.equal(takesLog(extent([])), false);
});

test("what is not finite does not stretch the axis", () => {
  assert.deepEqual(extent([null, 2, Infinity, NaN, 4]), { low: 2, high: 4, positive: 2, count: 2 });
});

test("a range of forty decades still has at most eight ticks", () => {
  const scale = scaleOf(extent([1e-5, 1e34]), true);
  assert.ok(scale.ticks.length <= 8);
  assert.equal(scale.minor.length, 0);
});

test("places run from 0 at the low end to 1 at the high end", () => {
  const log = scaleOf(extent([0.01, 100]), true);
  assert.equal(place(log, 0.01), 0);
  assert.ok(Math.abs(place(log, 1) - 0.5) < 1e-12);
  assert.equal(place(linear(0, 10), 5), 0.5);
});

test("a linear axis begins at zero and ends at a whole tick", () => {
  const scale = scaleOf(extent([3, 17]), false);
  assert.equal(scale.low, 0);
  assert.equal(scale.high, 20);
  assert.equal(tickStep(20, 5), 5);
});

test("epoch ticks are whole and end at the last epoch", () => {
  assert.deepEqual(epochTicks(10), [0, 2, 4, 6, 9]);
  assert.deepEqual(epochTicks(1), [0, 1]);
  assert.equal(epochTicks(2000).at(-1), 1999);
});
