import assert from "node:assert/strict";
import { test } from "node:test";

import { led } from "../../static/js/lib/crosshair.js";

test("the arrow keys lead the crosshair from end to end and never past one", () => {
  assert.equal(led("ArrowRight", null, 29, 1), 0);
  assert.equal(led("ArrowLeft", null, 29, 1), 29);
  assert.equal(led("ArrowRight", 28, 29, 10), 29);
  assert.equal(led("ArrowLeft", 3, 29, 10), 0);
  assert.deepEqual(["Home", "End"].map((key) => led(key, 7, 29, 1)), [0, 29]);
});

test("Escape takes it away, and other keys are left to others", () => {
  assert.equal(led("Escape", 7, 29, 1), null);
  assert.equal(led("t", 7, 29, 1), undefined);
});
