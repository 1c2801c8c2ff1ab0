// Trees as `/api/trees/{id}/shapes` tells them, for the tests of the map.

import { Outline } from "../../static/js/lib/outline.js";

const bits = { float32: 32, float16: 16, int64: 64 };

/**
 * @param {string} name
 * @param {[string, number[], string, boolean?][]} parameters
 * @param {[string, number][]} children
 * @param {[string, number[], string, boolean?][]} buffers
 * @returns {any}
 */
const shape = (name, parameters = [], children = [], buffers = []) => ({ class: name, extra_repr: "", parameters, buffers, children });

/** A grid of 10 by 10 ... LinearModels, 111,111 in five levels below the root. */
export function grid(levels = 5) {
  const own = /** @type {[string, number[], string][]} */ ([["weight", [1], "float32"], ["bias", [1], "float32"]]);
  const shapes = Array.from({ length: levels + 1 }, (_, level) => shape("LinearModel", own, level < levels ? [["sub1..sub10", level + 1]] : []));
  return new Outline({ shapes, root: 0, bits, shared: [] });
}

/** A language model: an embedding, 12 blocks, and a head tied to the embedding. */
export function language({ blocks = 12, frozen = /** @type {[number, number][]} */ ([]) } = {}) {
  const linear = /** @param {number} size */ (size) => shape("Linear", [["weight", [size, 8], "float32"]]);
  const shapes = [
    shape("Model", [], [["wte", 1], ["h", 2], ["head", 1]]),
    shape("Embedding", [["weight", [100, 8], "float32"]]),
    shape("ModuleList", [], [[`0..${blocks - 1}`, 3]]),
    shape("Block", [], [["attn", 4], ["mlp", 5], ["act", 6]]),
    linear(8),
    shape("Linear", [["weight", [16, 8], "float16"]], [], [["mask", [4], "int64"]]),
    shape("GELU"),
  ];
  const last = 2 + 4 * blocks + 1;
  return new Outline({ shapes, root: 0, bits, frozen, shared: [{ kind: "parameter", rows: [1, last], names: ["weight", "weight"] }] });
}

/** Two names for one module, beside another. */
export function shared() {
  const shapes = [
    shape("Holder", [], [["one", 1], ["other", 1], ["last", 2]]),
    shape("Sequential", [], [["0", 2]]),
    shape("Linear", [["weight", [10], "float32"]]),
  ];
  return new Outline({ shapes, root: 0, bits, shared: [{ kind: "module", rows: [1, 3] }] });
}
