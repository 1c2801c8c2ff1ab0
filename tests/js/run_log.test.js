import assert from "node:assert/strict";
import { test } from "node:test";

import { RunLog } from "../../static/js/lib/run_log.js";

const AT = "2026-11-23T06:00:00.000000Z";
const LATER = "2026-11-23T06:00:01.000000Z";

test("epochs arrive one by one, each with its line", () => {
  const log = new RunLog(3);
  log.take("status", { status: "running" }, 1);
  log.take("epoch", { epoch: 0, loss: 37.1365, at: AT, slope: 0.9385, intercept: 0.5003 }, 2);
  log.take("epoch", { epoch: 1, loss: 6.44, at: LATER }, 3);
  assert.deepEqual(log.losses, [37.1365, 6.44]);
  assert.equal(log.status, "running");
  assert.equal(log.lastId, 3);
  assert.equal(log.each, 1);
  assert.equal(log.line?.slope, 0.9385);
});

test("a batch is the same epochs in one event", () => {
  const log = new RunLog(5);
  log.take("epochs", { epoch: [0, 2], loss: [3, 2, 1], at: AT }, 4);
  log.take("epochs", { epoch: [3, 4], loss: [0.5, 0.25], at: LATER, slope: 2, intercept: 1 }, 6);
  assert.deepEqual(log.losses, [3, 2, 1, 0.5, 0.25]);
  assert.deepEqual(log.lines.get(4), { epoch: 4, slope: 2, intercept: 1 });
});

test("what comes twice changes nothing, and an overlap adds only what is new", () => {
  const log = new RunLog(5);
  log.take("epochs", { epoch: [0, 2], loss: [3, 2, 1], at: AT }, 4);
  log.take("epochs", { epoch: [0, 2], loss: [3, 2, 1], at: AT }, 4);
  log.take("epoch", { epoch: 1, loss: 9, at: AT }, 3);
  log.take("epochs", { epoch: [2, 3], loss: [1, 0.5], at: AT }, 5);
  assert.deepEqual(log.losses, [3, 2, 1, 0.5]);
  assert.equal(log.lastId, 5);
});

test("losses that are not finite are null, with their kind beside", () => {
  const log = new RunLog(4);
  log.take("epoch", { epoch: 0, loss: 1, at: AT }, 1);
  log.take("epochs", { epoch: [1, 3], loss: [null, null, null], at: AT, nonfinite: [[1, 2, "inf"], [3, 3, "nan"]] }, 4);
  assert.deepEqual([...log.nonfinite], [[1, "inf"], [2, "inf"], [3, "nan"]]);
});

test("the end brings the run and the line that it left", () => {
  const log = new RunLog(1);
  log.take("end", { id: "r_1", status: "succeeded", epochs: 1, epochs_done: 1, fit: { slope: 2.0484, intercept: 0.6955 } }, 9);
  assert.equal(log.status, "succeeded");
  assert.equal(log.line?.intercept, 0.6955);
});

test("of many lines the first three and the latest are kept", () => {
  const log = new RunLog(1000);
  for (let epoch = 0; epoch < 1000; epoch += 1) log.take("epoch", { epoch, loss: 1, at: AT, slope: epoch, intercept: 0 }, epoch + 1);
  assert.equal(log.lines.size, 400);
  assert.deepEqual([0, 1, 2, 999].map((epoch) => log.lines.has(epoch)), [true, true, true, true]);
});
