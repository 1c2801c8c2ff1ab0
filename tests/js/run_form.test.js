import assert from "node:assert/strict";
import { test } from "node:test";

import { apart, spelled, together } from "../../static/js/lib/arguments.js";
import { withTarget } from "../../static/js/lib/targets.js";
import { pointOf } from "../../static/js/lib/typed_x.js";

test("arguments are taken apart as they are typed, and put together again", () => {
  const text = "momentum=0.9, betas=[0.9, 0.99], nesterov=true";
  const found = apart(text);
  assert.deepEqual(found && [...found], [["momentum", "0.9"], ["betas", "[0.9, 0.99]"], ["nesterov", "true"]]);
  assert.equal(together(found ?? []), text);
  assert.equal(together([["a", " "], ["b", " 1 "]]), "b=1");
  assert.deepEqual([...(apart("") ?? [])], []);
  assert.equal(apart("momentum"), null);
});

test("a default is spelled as it is typed", () => {
  assert.deepEqual([0.9, [0.9, 0.99], true, null, "mean"].map(spelled), ["0.9", "[0.9,0.99]", "true", "null", "mean"]);
});

test("a target joins the others once, the root as quotes", () => {
  assert.equal(withTarget("", "sub1"), "sub1");
  assert.equal(withTarget("sub1, sub2", "sub1"), "sub1, sub2");
  assert.equal(withTarget("sub1", ""), "sub1, ''");
});

test("x is one number or the numbers of one point", () => {
  assert.deepEqual(["10", " 1, 2.5 ", "[1, -2]", "1e3"].map(pointOf), [[10], [1, 2.5], [1, -2], [1000]]);
  assert.deepEqual(["", "1,", "a", "[[1]]", "[]"].map(pointOf), [null, null, null, null, null]);
});
