import assert from "node:assert/strict";
import { test } from "node:test";

import { RunLog } from "../../static/js/lib/run_log.js";

const AT = "2026-11-23T06:00:00.000000Z";
const LATER = "2026-11-23T06:00:01.000000Z";
const MUCH_LATER = "2026-11-23T07:00:00.000000Z";

/** @param {RunLog} log */
const losses = (log) => [...log.losses.value.subarray(0, log.losses.count)];

test("epochs arrive one by one, each with its line", () => {
  const log = new RunLog(3);
  log.take("status", { status: "running" }, 1);
  log.take("epoch", { epoch: 0, loss: 37.1365, at: AT, slope: 0.9385, intercept: 0.5003 }, 2);
  log.take("epoch", { epoch: 1, loss: 6.44, at: LATER }, 3);
  assert.deepEqual(losses(log), [37.1365, 6.44]);
  assert.equal(log.status, "running");
  assert.equal(log.lastId, 3);
  assert.equal(log.each, 1);
  assert.equal(log.line?.slope, 0.9385);
});

test("a batch is the same epochs in one event", () => {
  const log = new RunLog(5);
  log.take("epochs", { epoch: [0, 2], loss: [3, 2, 1], at: AT }, 4);
  log.take("epochs", { epoch: [3, 4], loss: [0.5, 0.25], at: LATER, slope: 2, intercept: 1 }, 6);
  assert.deepEqual(losses(log), [3, 2, 1, 0.5, 0.25]);
  assert.deepEqual(log.lines.get(4), { epoch: 4, slope: 2, intercept: 1 });
});

test("what comes twice changes nothing, and an overlap adds only what is new", () => {
  const log = new RunLog(5);
  log.take("epochs", { epoch: [0, 2], loss: [3, 2, 1], at: AT }, 4);
  log.take("epochs", { epoch: [0, 2], loss: [3, 2, 1], at: AT }, 4);
  log.take("epoch", { epoch: 1, loss: 9, at: AT }, 3);
  log.take("epochs", { epoch: [2, 3], loss: [1, 0.5], at: AT }, 5);
  assert.deepEqual(losses(log), [3, 2, 1, 0.5]);
  assert.equal(log.lastId, 5);
});

test("losses that are not finite are null, with their kind beside", () => {
  const log = new RunLog(4);
  log.take("epoch", { epoch: 0, loss: 1, at: AT }, 1);
  log.take("epochs", { epoch: [1, 3], loss: [null, null, null], at: AT, nonfinite: [[1, 2, "inf"], [3, 3, "nan"]] }, 4);
  assert.deepEqual([0, 1, 2, 3].map((epoch) => log.kindAt(epoch)), ["", "inf", "inf", "nan"]);
  assert.deepEqual([0, 1, 4].map((epoch) => log.lossAt(epoch)), [1, null, undefined]);
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

test("a pause is no time of training", () => {
  const log = new RunLog(4);
  log.take("epoch", { epoch: 0, loss: 1, at: AT }, 1);
  log.take("epoch", { epoch: 1, loss: 1, at: LATER }, 2);
  log.take("status", { status: "paused" }, 3);
  log.take("status", { status: "running" }, 4);
  log.take("epoch", { epoch: 2, loss: 1, at: MUCH_LATER }, 5);
  assert.equal(log.each, 1);
});

test("a long run begins with its picture, and the stream goes on after it", () => {
  const log = new RunLog(1_000_000);
  const run = { id: "r_1", status: "running", epochs: 1_000_000, epochs_done: 100_000 };
  const loss = { epoch: [0, 500, 99_999], value: [9, null, 1], nonfinite: /** @type {[number, number, string][]} */ ([[500, 502, "nan"]]) };
  log.begin({ run, last_event: 100_003, num_epochs: 100_000, seconds: 50, loss, smoothed: null, validation_loss: null });
  assert.deepEqual([log.done, log.lastId, log.status, log.kindAt(501), log.lossAt(1)], [100_000, 100_003, "running", "nan", undefined]);
  log.take("epochs", { epoch: [99_998, 100_001], loss: [1, 1, 0.5, 0.25], at: AT }, 100_005);
  assert.deepEqual([log.done, log.lossAt(100_000), log.lossAt(100_001)], [100_002, 0.5, 0.25]);
});

test("validation losses come beside the losses", () => {
  const log = new RunLog(3);
  log.take("epochs", { epoch: [0, 1], loss: [3, 2], validation_loss: [4, null], at: AT }, 2);
  log.take("epoch", { epoch: 2, loss: 1, validation_loss: 2, at: AT }, 3);
  assert.deepEqual([0, 1, 2].map((epoch) => log.validation.at(epoch)), [4, null, 2]);
});

test("the norm of all gradients is known by epoch, and none is not zero", () => {
  const log = new RunLog(3);
  const has = { gradient_norm: [3, 4, null], has_gradient: [true, true, false] };
  log.take("modules", { epoch: 0, ...has }, 2);
  log.take("modules", { epoch: 1, gradient_norm: [null], has_gradient: [false] }, 4);
  log.take("modules", { epoch: 2, ...has, nonfinite: { gradient_norm: [0] } }, 6);
  assert.deepEqual([...log.gradients.values()], [5, NaN, Infinity]);
  assert.equal(log.lastId, 6);
});
