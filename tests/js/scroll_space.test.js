import assert from "node:assert/strict";
import { test } from "node:test";

import { ScrollSpace } from "../../static/js/lib/scroll_space.js";

test("a list that fits is scrolled as it is", () => {
  const space = new ScrollSpace();
  space.measure(2_666_664, 500);
  assert.equal(space.height, 2_666_664);
  assert.equal(space.scroll(1234), 1234);
  assert.equal(space.place(1240), 1240);
  assert.equal(space.to(9e9), 2_666_164);
});

test("a list of a million rows is squeezed, and its ends are reached", () => {
  const space = new ScrollSpace();
  space.measure(24_000_000, 500);
  assert.equal(space.height, 8_000_000);
  assert.equal(space.scroll(8_000_000 - 500), 24_000_000 - 500);
  assert.equal(space.place(24_000_000 - 24), 8_000_000 - 24);
  assert.equal(space.scroll(0), 0);
  const half = space.scroll(4_000_000);
  assert.ok(Math.abs(half - 12_000_000) < 1_000);
  assert.equal(space.scroll(4_000_100), half + 100);
});

test("where it was gone to is where it is", () => {
  const space = new ScrollSpace();
  space.measure(24_000_000, 500);
  const scrolled = space.to(6_000_000);
  assert.equal(space.offset, 6_000_000);
  assert.equal(space.place(6_000_000), scrolled);
  space.measure(1_000, 500);
  assert.equal(space.offset, 500);
});
