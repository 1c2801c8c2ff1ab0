import assert from "node:assert/strict";
import { test } from "node:test";

import { progressOf, unfit } from "../../static/js/lib/upload.js";

test("files that fit in all have nothing wrong", () => {
  assert.equal(unfit([{ name: "a.pt", size: 6 }, { name: "b.pt", size: 4 }], 10), "");
});

test("what is too large in all is told of with its size and the limit", () => {
  const one = [{ name: "a.pt", size: 12_345 }];
  assert.equal(unfit(one, 1024), "a.pt has 12,345 bytes; this server takes at most 1,024.");
  assert.equal(
    unfit([...one, ...one], 20_000),
    "These 2 files have 24,690 bytes; this server takes at most 20,000.",
  );
});

test("no file is not an upload", () => {
  assert.match(unfit([], 10), /^Choose a checkpoint/);
});

test("an upload says how far it is, and then what it waits for", () => {
  assert.equal(progressOf(500, 1_000_000), "500\u2009B of 1.00\u2009MB");
  assert.equal(progressOf(10, 10), "All sent; its headers are being read.");
});
