import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as numbers from "../../static/js/lib/numbers.js";

/** @type {Record<string, [number, string][]>} */
const table = JSON.parse(readFileSync(new URL("numbers.json", import.meta.url), "utf8"));
/** @type {Record<string, (number: number) => string>} */
const functions = {
  exact: numbers.exact,
  count: numbers.count,
  num_bytes: numbers.numBytes,
  significant: (number) => numbers.significant(number),
  loss: numbers.loss,
  value: numbers.value,
  change: numbers.change,
  seconds: numbers.seconds,
};

for (const [name, rows] of Object.entries(table)) {
  test(`${name} writes numbers as the server does`, () => {
    for (const [number, text] of rows) assert.equal(functions[name]?.(number), text);
  });
}

test("a number that is not finite is its word", () => {
  assert.equal(numbers.significant(NaN), "nan");
  assert.equal(numbers.significant(-Infinity), "−inf");
  assert.equal(numbers.change(Infinity), "");
  assert.equal(numbers.ofLine(NaN), "");
});

test("a share has one decimal, and says 100 % only of the whole", () => {
  assert.equal(numbers.percent(1, 1), "100\u2009%");
  assert.equal(numbers.percent(99_999, 100_000), "99.9\u2009%");
  assert.equal(numbers.percent(1, 100_000), "<\u20090.1\u2009%");
  assert.equal(numbers.percent(0, 5), "");
});

test("the number of a line has three decimals while it is small", () => {
  assert.equal(numbers.ofLine(2.0484), "2.048");
  assert.equal(numbers.ofLine(-4.595e29), "−4.595e29");
});
