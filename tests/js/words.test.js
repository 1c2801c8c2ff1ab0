import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { _, learn, ngettext } from "../../static/js/lib/words.js";

beforeEach(() => learn({}, "en"));

test("a page without a catalogue speaks as the code does", () => {
  assert.equal(_("Nothing matches %(q)s.", { q: "attn" }), "Nothing matches attn.");
  assert.equal(ngettext("%(num)s module", "%(num)s modules", 1), "1 module");
  assert.equal(ngettext("%(num)s module", "%(num)s modules", 12_345, { num: "12,345" }), "12,345 modules");
});

test("a percent sign stands for itself when doubled, and a variable that is not there stays in sight", () => {
  assert.equal(_("%(part)s of 100 %%", { part: 5 }), "5 of 100 %");
  assert.equal(_("%(part)s"), "%(part)s");
});

test("what was learnt is said, with the particle that goes with the word", () => {
  learn({ "Open %(name)s": "%(name)s을(를) 엽니다", "%(num)s module": ["모듈 %(num)s개"], Undo: "" }, "ko");
  assert.equal(_("Open %(name)s", { name: "gpt2" }), "gpt2를 엽니다");
  assert.equal(ngettext("%(num)s module", "%(num)s modules", 3), "모듈 3개");
  assert.equal(_("Undo"), "Undo");
  assert.equal(_("constructor"), "constructor");
});

test("a variable's own text is not taken for a placeholder", () => {
  assert.equal(_("Open %(name)s, %(other)s", { name: "%(other)s", other: "b" }), "Open %(other)s, b");
});
