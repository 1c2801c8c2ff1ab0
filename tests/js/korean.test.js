import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { particled } from "../../static/js/lib/korean.js";

/** @type {Record<string, string>} */
const cases = JSON.parse(readFileSync(new URL("particles.json", import.meta.url), "utf8"));

for (const [written, expected] of Object.entries(cases)) {
  test(`"${written}" is said "${expected}"`, () => assert.equal(particled(written), expected));
}

test("a name made of marks is decided as fast as any", () => {
  const started = performance.now();
  assert.equal(particled(`(${".".repeat(100_000)}을(를)`), `(${".".repeat(100_000)}을(를)`);
  assert.ok(performance.now() - started < 1000);
});
