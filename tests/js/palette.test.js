import assert from "node:assert/strict";
import test from "node:test";

import { listed, step, used } from "../../static/js/lib/palette.js";

const ENTRIES = [
  { id: "undo", group: "Tree", label: "Undo: apply" },
  { id: "theme", group: "Settings", label: "Switch between light and dark" },
  { id: "docs", group: "Pages", label: "API reference" },
];

test("what was used lately stands first while nothing is typed, and only once", () => {
  const groups = listed(ENTRIES, "", ["docs", "gone"], "Used lately");
  assert.deepEqual(groups.map((group) => group.title), ["Used lately", "Tree", "Settings"]);
  assert.deepEqual(groups[0]?.entries.map((entry) => entry.id), ["docs"]);
});

test("what is typed leaves the matches, with what was hit", () => {
  const groups = listed(ENTRIES, "undo", [], "");
  assert.deepEqual(groups.map((group) => group.title), ["Tree"]);
  assert.deepEqual(groups[0]?.entries[0]?.ranges, [[0, 4]]);
  assert.deepEqual(listed(ENTRIES, "zzz", [], ""), []);
});

test("a group can be typed too, and what the server found stays whatever was typed", () => {
  assert.equal(listed(ENTRIES, "settings dark", [], "")[0]?.entries[0]?.id, "theme");
  const found = [{ id: "m", group: "Modules", label: "h.0", isFound: true }];
  assert.equal(listed(found, "class:Linear", [], "")[0]?.entries[0]?.id, "m");
});

test("a long group is cut", () => {
  const many = Array.from({ length: 30 }, (_, place) => ({ id: String(place), group: "Trees", label: `tree ${place}` }));
  assert.equal(listed(many, "", [], "")[0]?.entries.length, 8);
});

test("arrows go round, what is used comes first once", () => {
  assert.equal(step("ArrowUp", 0, 3), 2);
  assert.equal(step("ArrowDown", 2, 3), 0);
  assert.equal(step("PageDown", 0, 3), 2);
  assert.equal(step("a", 0, 3), null);
  assert.equal(step("ArrowDown", -1, 0), null);
  assert.deepEqual(used(["a", "b"], "b"), ["b", "a"]);
});
