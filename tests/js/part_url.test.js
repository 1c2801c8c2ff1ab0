import assert from "node:assert/strict";
import { test } from "node:test";

import { partUrl, tabFor } from "../../static/js/lib/part_url.js";

test("a module is asked for by its row and revision, with the tab of the page", () => {
  assert.equal(partUrl("/t/inspector", "?tab=buffers&run=r_1&zoom=3", [4], 2), "/t/inspector?row=4&revision=2&tab=buffers");
});

test("others that are selected come along, the primary one is the row", () => {
  assert.equal(partUrl("/t/inspector", "", [7, 9, 4], 1), "/t/inspector?row=4&revision=1&with=7&with=9");
});

test("what is asked for beside the address goes before it, and nothing takes it away", () => {
  const url = partUrl("/t/inspector", "?tab=change&fn=zeros_", [0], 1, { fn: "uniform_", tab: "", open: "apply" });
  assert.equal(url, "/t/inspector?row=0&revision=1&fn=uniform_&open=apply");
});

test("one module alone is not compared", () => {
  assert.equal(tabFor("compare", 1), "");
  assert.equal(tabFor("compare", 2), "compare");
  assert.equal(tabFor(null, 2), "");
});
