import assert from "node:assert/strict";
import { test } from "node:test";

import { ends, pixel, range } from "../../static/js/lib/plane.js";
import { delay, offlineWords } from "../../static/js/lib/retry.js";

test("a line runs from one side of the drawing to the other", () => {
  const x = range("0 10 32 312");
  const y = range("0 20 258 14");
  assert.equal(pixel(x, 5), 172);
  assert.deepEqual(ends(x, y, 2, 0), { x1: "32.0", y1: "258.0", x2: "312.0", y2: "14.0" });
});

test("a line that leaves the drawing by far stays a number that SVG takes", () => {
  const place = ends(range("0 10 32 312"), range("0 20 258 14"), 1e300, 0);
  assert.equal(place.y2, "-100000.0");
});

test("a lost connection is tried again later and later, up to half a minute", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 50].map(delay), [1, 2, 4, 8, 15, 30, 30, 30]);
});

test("the offline sentence says when", () => {
  assert.equal(offlineWords(4), "Connection lost. Trying again in 4\u2009s; the run goes on without this page.");
});
