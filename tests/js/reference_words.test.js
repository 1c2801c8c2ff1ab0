import assert from "node:assert/strict";
import { test } from "node:test";
import { learn } from "../../static/js/lib/words.js";

learn({ Execute: "보내기", "%(num)s characters": "%(num)s자", "It is required": "필수 값입니다" }, "ko");
// As on the page, where the words are learnt before any other script runs.
const { said } = await import("../../static/js/lib/reference_words.js");

test("a word of Swagger UI is said in the reader's language, the spaces around it stay", () => {
  assert.equal(said("Execute"), "보내기");
  assert.equal(said(" Execute "), " 보내기 ");
  assert.equal(said("Curl"), "curl");
});

test("numbers and names in a text stay what they are", () => {
  assert.equal(said("[1, 64] characters"), "[1, 64]자");
  assert.equal(said("≤ 64 characters"), "≤ 64자");
  assert.equal(said("For 'tree_id': Required field is not provided."), "tree_id: 필수 값입니다.");
  assert.equal(said("For '$&': Required field is not provided."), "$&: 필수 값입니다.");
});

test("whatever is no word of Swagger UI is left alone", () => {
  for (const text of ["", " ", "execute", "named_modules", "보내기", "constructor"]) assert.equal(said(text), undefined);
});
