import assert from "node:assert/strict";
import { test } from "node:test";

import { ends, pixel, range } from "../../static/js/lib/plane.js";

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
