import assert from "node:assert/strict";
import test from "node:test";

import { match } from "../../static/js/lib/fuzzy.js";

/**
 * @param {string} typed
 * @param {string[]} texts
 */
const best = (typed, texts) => [...texts].sort((one, other) => (match(typed, other)?.score ?? -1) - (match(typed, one)?.score ?? -1))[0];

test("letters in order match, a missing one does not", () => {
  assert.ok(match("cpal", "Command palette"));
  assert.equal(match("xyz", "Command palette"), null);
  assert.ok(match("", "anything"));
});

test("the start of a word is better than its middle, the whole better than letters apart", () => {
  assert.equal(best("attn", ["transformer.h.0.attn", "matching tones", "battnet"]), "transformer.h.0.attn");
  assert.equal(best("und", ["Build: grow the tree by hand", "Undo: apply"]), "Undo: apply");
});

test("words come in any order, capitals begin words", () => {
  assert.ok(match("theme dark", "Dark theme"));
  assert.equal(best("gb", ["GPT2Block", "big bag"]), "GPT2Block");
});

test("what was hit is said as ranges that do not overlap", () => {
  assert.deepEqual(match("tree", "New tree")?.ranges, [[4, 8]]);
  assert.deepEqual(match("re tr", "tree")?.ranges, [[0, 3]]);
});

test("of two alike the shorter comes first, Korean is matched as it is", () => {
  assert.equal(best("run", ["Runs elsewhere", "Runs"]), "Runs");
  assert.deepEqual(match("실행", "최근 실행")?.ranges, [[3, 5]]);
});
