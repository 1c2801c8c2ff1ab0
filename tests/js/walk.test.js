import assert from "node:assert/strict";
import { test } from "node:test";

import { FIELD, step } from "../../static/js/lib/walk.js";

test("arrows walk from the field through the rows and back, and stop at the last", () => {
  assert.equal(step("ArrowDown", FIELD, 3), 0);
  assert.equal(step("ArrowDown", 0, 3), 1);
  assert.equal(step("ArrowDown", 2, 3), 2);
  assert.equal(step("ArrowUp", 1, 3), 0);
  assert.equal(step("ArrowUp", 0, 3), FIELD);
});

test("Home, End and Escape lead to the first, the last and the field", () => {
  assert.deepEqual(["Home", "End", "Escape"].map((key) => step(key, 1, 3)), [0, 2, FIELD]);
});

test("the field keeps its own keys, and other keys mean nothing", () => {
  assert.deepEqual(["ArrowUp", "Home", "End", "a"].map((key) => step(key, FIELD, 3)), [null, null, null, null]);
  assert.equal(step("a", 1, 3), null);
  assert.equal(step("ArrowDown", FIELD, 0), null);
});
