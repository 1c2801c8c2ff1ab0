import assert from "node:assert/strict";
import { test } from "node:test";

import { gapsOf, nearest, pathOf } from "../../static/js/lib/overlay.js";
import { Points } from "../../static/js/lib/points.js";
import { scaleOf } from "../../static/js/lib/scale.js";
import { Smoothed } from "../../static/js/lib/smoothing.js";
import { keptPlaces } from "../../static/js/lib/thinning.js";

/** Numbers that look random and are the same each time. @param {number} count */
const noise = (count) => Array.from({ length: count }, (_, place) => Math.sin(place * place) + 0.2);

test("of many numbers no spike, no gap and no end is lost", () => {
  const values = noise(50_000);
  [values[12_345], values[23_456], values[34_567]] = [1e6, -1e6, NaN];
  const kept = new Set(keptPlaces(values, values.length, 100));
  for (const place of [0, 12_345, 23_456, 34_567, 49_999]) assert.ok(kept.has(place), String(place));
  assert.ok(kept.size < 100 * 6);
  assert.deepEqual(keptPlaces([3, 1, 2], 3, 100), [0, 1, 2]);
});

test("a log of millions of epochs stays small, with its latest losses whole", () => {
  const points = new Points();
  for (let epoch = 0; epoch < 1_000_000; epoch += 1) points.push(epoch, epoch === 77_777 ? 9e9 : epoch % 7);
  assert.ok(points.count <= 400_000);
  assert.equal(points.end, 1_000_000);
  assert.equal(points.at(77_777), 9e9);
  assert.deepEqual([998_001, 999_999].map((epoch) => points.at(epoch)), [998_001 % 7, 999_999 % 7]);
  assert.ok(points.thinned(500).value.includes(9e9));
});

test("what is smoothed here is what TensorBoard shows, and goes on from what the server smoothed", () => {
  const losses = noise(300);
  losses[40] = NaN;
  let [last, count] = [0, 0];
  const expected = losses.map((loss) => {
    if (!Number.isFinite(loss)) return loss;
    last = last * 0.9 + 0.1 * loss;
    count += 1;
    return last / (1 - 0.9 ** count);
  });
  const points = new Points();
  const smoothed = new Smoothed(0.9);
  for (const [epoch, loss] of losses.entries()) {
    points.push(epoch, loss);
    smoothed.take(points);
  }
  for (const [epoch, loss] of expected.entries()) assert.ok(Object.is(loss, NaN) || Math.abs((smoothed.points.value[epoch] ?? 0) - loss) < 1e-12);
  const later = Smoothed.after(0.9, { epoch: [0, 199], value: [expected[0] ?? 0, expected[199] ?? 0] }, 200);
  later.take(points);
  assert.ok(Math.abs(later.points.latest - (expected[299] ?? 0)) < 1e-9);
});

test("what an axis cannot show is a gap in the line", () => {
  const scale = scaleOf({ low: 0, high: 100, positive: 1, count: 4 }, true);
  const area = { left: 0, right: 30, top: 0, bottom: 20, last: 3, scale };
  assert.equal(pathOf(area, [0, 1, 2, 3], [100, null, 1, 10]), "M0.0 0.0M20.0 20.0L30.0 10.0");
  assert.deepEqual(gapsOf(scale, [1, 0, null, 2, null]), [1, 4]);
});

test("the crosshair finds the nearest epoch", () => {
  assert.deepEqual([-5, 4, 6, 99].map((x) => nearest([0, 5, 8], x)), [0, 1, 1, 2]);
  assert.equal(nearest([], 1), -1);
});
