import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { OpenState } from "../../static/js/lib/open_state.js";
import { Outline } from "../../static/js/lib/outline.js";
import { RowFacts } from "../../static/js/lib/row_facts.js";
import { Rows } from "../../static/js/lib/rows.js";

/** @type {Record<string, any>} */
const trees = JSON.parse(readFileSync(new URL("outlines.json", import.meta.url), "utf8"));

/**
 * @param {string} name
 * @param {boolean} listsTensors
 * @returns {[string, ...string[]][]} each row's name and badges
 */
function rowsOf(name, listsTensors = false) {
  const outline = new Outline(trees[name].answer);
  const words = new RowFacts(outline, "root", listsTensors);
  const rows = new Rows(outline, new OpenState(true, !listsTensors, listsTensors));
  return [...Array(rows.count).keys()].map((index) => {
    const facts = words.of(rows.at(index));
    return [facts.name.map(({ text }) => text).join(""), ...facts.badges.map(({ word }) => word)];
  });
}

test("rows say what is tied, and to what", () => {
  assert.deepEqual(rowsOf("tied_parameters"), [["root"], ["embedding"], ["head", "tied to embedding"]]);
  assert.deepEqual(rowsOf("tied_parameters", true).at(-1), ["weight", "tied to embedding.weight"]);
});

test("rows say what is shared, frozen, in eval mode, and how many buffers there are", () => {
  const said = new Set(["shared_under_two_parents", "frozen", "partly_in_eval_mode", "non_persistent_buffers"].flatMap((name) => rowsOf(name).flatMap(([, ...badges]) => badges)));
  for (const word of ["shared", "frozen", "eval", "3 buffers"]) assert.ok(said.has(word), `${word} in ${[...said]}`);
});

test("modules that forward never calls say so", () => {
  assert.deepEqual(rowsOf("nested_linear_models", true).filter(([, badge]) => badge), [["sub1", "no grad"], ["sub2_1", "no grad"]]);
});

test("a fold says how many it stands for, and what all of them come to", () => {
  const outline = new Outline(trees.blocks.answer);
  const words = new RowFacts(outline, "root", false);
  const rows = new Rows(outline, new OpenState(true, true, false));
  const fold = words.of(rows.at(rows.find({ kind: "fold", row: outline.rowOf("2"), tensor: -1 }).index));
  assert.deepEqual([fold.name[0]?.text, fold.many, fold.count[2]], ["(2–4)", "3 ×", String(3 * outline.numParameters(outline.rowOf("2")))]);
});
