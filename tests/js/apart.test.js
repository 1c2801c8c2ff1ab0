import assert from "node:assert/strict";
import { test } from "node:test";

import { apart } from "../../static/js/lib/apart.js";

test("words stand where they want to, or at the nearest place that is free", () => {
  assert.equal(apart(50, [], 12, [0, 100]), 50);
  assert.equal(apart(50, [80], 12, [0, 100]), 50);
  assert.equal(apart(50, [52], 12, [0, 100]), 40);
  assert.equal(apart(50, [52, 41], 12, [0, 100]), 64);
});

test("words stay within their range, and over others only where no place is free", () => {
  assert.equal(apart(98, [95], 12, [0, 100]), 83);
  assert.equal(apart(-5, [], 12, [10, 100]), 10);
  assert.equal(apart(5, [4], 12, [0, 10]), 5);
});
