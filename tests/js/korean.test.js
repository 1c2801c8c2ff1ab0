import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { particled } from "../../static/js/lib/korean.js";

/** @type {Record<string, string>} */
const cases = JSON.parse(readFileSync(new URL("particles.json", import.meta.url), "utf8"));

for (const [written, expected] of Object.entries(cases)) {
  test(`"${written}" is said "${expected}"`, () => assert.equal(particled(written), expected));
}
