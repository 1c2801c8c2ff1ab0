import assert from "node:assert/strict";
import test from "node:test";

import { caps } from "../../static/js/lib/keys.js";
import { gaps, isGrowing, toggled } from "../../static/js/lib/others.js";
import { RunLog } from "../../static/js/lib/run_log.js";
import { resized, within } from "../../static/js/lib/panes.js";
import { delay, offlineWords } from "../../static/js/lib/retry.js";
import { heightOf, landing, moved, next } from "../../static/js/lib/sheet.js";

const ARROWS = { less: "ArrowLeft", more: "ArrowRight" };

test("keys are read as combinations, alternatives apart", () => {
  assert.deepEqual(caps("Ctrl+K"), [["Ctrl", "K"]]);
  assert.deepEqual(caps("j ArrowDown"), [["j"], ["↓"]]);
  assert.deepEqual(caps("+"), [["+"]]);
  assert.deepEqual(caps("Ctrl++"), [["Ctrl", "+"]]);
});

test("a pane stays within its range, by keys too", () => {
  const range = { low: 300, high: 700 };
  assert.equal(within(900.4, range), 700);
  assert.equal(within(10, { low: 300, high: 200 }), 300);
  assert.equal(resized("ArrowRight", false, 500, range, ARROWS), 516);
  assert.equal(resized("ArrowLeft", true, 500, range, ARROWS), 436);
  assert.equal(resized("Home", false, 500, range, ARROWS), 300);
  assert.equal(resized("End", false, 500, range, ARROWS), 700);
  assert.equal(resized("a", false, 500, range, ARROWS), null);
});

test("the sheet never takes all of the room, and lands where it was thrown", () => {
  assert.equal(heightOf("peek", 700), 96);
  assert.equal(heightOf("half", 700), 350);
  assert.equal(heightOf("full", 700), 588);
  assert.equal(heightOf("full", 120), 96);
  assert.equal(landing(200, 0, 700), "peek");
  assert.equal(landing(200, 2, 700), "full");
  assert.equal(landing(400, -2, 700), "peek");
});

test("the sheet goes from stand to stand by keys and by presses", () => {
  assert.equal(moved("ArrowUp", "peek"), "half");
  assert.equal(moved("ArrowUp", "full"), "full");
  assert.equal(moved("Escape", "full"), "peek");
  assert.equal(moved("x", "half"), null);
  assert.deepEqual([next("peek"), next("half"), next("full")], ["half", "full", "peek"]);
});

test("waits grow, and what is said names the run only where there is one", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 60].map(delay), [1, 2, 4, 8, 15, 30, 30]);
  assert.equal(offlineWords(4, true), "Connection lost. Trying again in 4\u2009s; the run goes on without this page.");
  assert.equal(offlineWords(4, false), "Connection lost. Trying again in 4\u2009s.");
});

test("another run is drawn or not, and said to grow where it ends above its start", () => {
  assert.deepEqual(toggled(["a"], "b"), ["a", "b"]);
  assert.deepEqual(toggled(["a", "b"], "a"), ["b"]);
  assert.ok(isGrowing([1, 2, 3], false));
  assert.ok(!isGrowing([3, 2], false));
  assert.ok(isGrowing([3, null], true));
});

test("a loss that cannot be drawn is named once a stretch", () => {
  /** @param {(number | null)[]} loss @param {[number, number, string][]} nonfinite */
  const log = (loss, nonfinite) => {
    const made = new RunLog(loss.length);
    made.take("epochs", { epoch: [0, loss.length - 1], loss, at: "2026-11-23T06:00:00Z", nonfinite }, loss.length);
    return made;
  };
  const odd = log([1, null, null, null, 0.5], [[1, 1, "inf"], [2, 3, "nan"]]);
  assert.deepEqual(gaps(odd, false, 5), [{ epoch: 1, kind: "inf" }, { epoch: 2, kind: "nan" }]);
  assert.deepEqual(gaps(log([1, 0, 0], []), true, 5), [{ epoch: 1, kind: "≤ 0" }]);
  assert.deepEqual(gaps(log([1, 0], []), false, 5), []);
});
