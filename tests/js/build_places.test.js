import assert from "node:assert/strict";
import { test } from "node:test";

import { actOf, isWithin, named, parentOf, placeOf, renamed, zoneOf } from "../../static/js/lib/build_places.js";

const ROWS = ["", "a", "a.x", "a.y", "b", "c"].map((path) => ({ path }));
const NONE = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false };

test("a path knows its parent, what is in it, and where it is after a move", () => {
  assert.deepEqual(["a.x", "a", ""].map(parentOf), ["a", "", ""]);
  assert.deepEqual([isWithin("a.x", "a"), isWithin("ab", "a"), isWithin("a", "a"), isWithin("a", "")], [true, false, true, true]);
  assert.equal(renamed("a.x", "a", "b.c"), "b.c.x");
  assert.equal(renamed("ab.x", "a", "b"), "ab.x");
  assert.equal(renamed("a", "", "b"), "a");
  assert.deepEqual([named("a.x", "y"), named("a", "b"), named("a", null), named("", "b")], ["a.y", "b", "a", ""]);
});

test("the top and the bottom of a row are beside it, the middle is inside, and in the first row all is", () => {
  assert.deepEqual([0.1, 0.5, 0.9].map((part) => zoneOf(part, false)), ["above", "inside", "below"]);
  assert.equal(zoneOf(0.1, true), "inside");
});

test("a place among siblings is counted without the one that moves", () => {
  assert.deepEqual(placeOf(ROWS, "a", "c", "above"), { above: "", position: "1" });
  assert.deepEqual(placeOf(ROWS, "c", "a", "below"), { above: "", position: "1" });
  assert.deepEqual(placeOf(ROWS, "a.x", "a.y", "below"), { above: "a", position: "1" });
  assert.deepEqual(placeOf(ROWS, "b", "a.x", "above"), { above: "a", position: "0" });
});

test("what is dropped into a module comes last in it", () => {
  assert.deepEqual(placeOf(ROWS, "b", "a", "inside"), { above: "a", position: "" });
  assert.deepEqual(placeOf(ROWS, "a.x", "", "inside"), { above: "", position: "" });
});

test("nothing goes into itself, stays where it is, or beside the first row", () => {
  assert.equal(placeOf(ROWS, "a", "a.x", "below"), null);
  assert.equal(placeOf(ROWS, "a", "a", "inside"), null);
  assert.equal(placeOf(ROWS, "a.x", "a", "inside"), null);
  assert.equal(placeOf(ROWS, "b", "", "above"), null);
  assert.equal(placeOf(ROWS, "b", "a", "below"), null);
  assert.equal(placeOf(ROWS, "b", "c", "above"), null);
});

test("keys stand for buttons", () => {
  /** @param {string} key @param {Partial<typeof NONE>} more */
  const act = (key, more = {}) => actOf({ key, ...NONE, ...more });
  assert.deepEqual([act("Enter"), act("Enter", { shiftKey: true })], ["sibling", "child"]);
  assert.deepEqual(["ArrowUp", "ArrowDown", "ArrowRight", "ArrowLeft", "Backspace"].map((key) => act(key, { altKey: true })), ["up", "down", "in", "out", "remove"]);
  assert.deepEqual([act("d", { ctrlKey: true }), act("D", { metaKey: true })], ["duplicate", "duplicate"]);
  assert.deepEqual([act("z", { ctrlKey: true }), act("Z", { ctrlKey: true, shiftKey: true }), act("y", { ctrlKey: true })], ["undo", "redo", "redo"]);
  assert.deepEqual([act("a"), act("ArrowUp"), act("x", { ctrlKey: true }), act("ArrowUp", { altKey: true, ctrlKey: true })], ["", "", "", ""]);
});
