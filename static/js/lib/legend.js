// What the colours of the map stand for, with how much of the tree each is, what is shared counted once.

import { baseOf } from "./amounts.js";
import { CONTAINERS } from "./hues.js";

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {import("./amounts.js").Amounts} Amounts */

/** `num` counts modules, in each of which `amount` is counted unless it is in another of the same name. @typedef {{name: string, num: number, amount: number}} Entry */

/**
 * @param {Outline} outline
 * @returns {Float64Array} by number of the shape, at how many distinct places it stands
 */
function placesOf(outline) {
  const num = new Float64Array(outline.shapes.length);
  num[outline.shapeOf(0)] = 1;
  for (const [row] of outline.sharing.repeats()) num[outline.shapeOf(row)] = (num[outline.shapeOf(row)] ?? 0) - 1;
  // A shape is higher than what it holds: parents come first.
  for (const shape of [...outline.shapes].sort((one, other) => other.height - one.height)) {
    const times = num[shape.number] ?? 0;
    for (const entry of shape.entries) num[entry.shape] = (num[entry.shape] ?? 0) + times * entry.count;
  }
  return num;
}

/**
 * @param {Outline} outline
 * @param {Amounts} amounts
 * @returns {Entry[]} by class, what comes to most first; containers, what has no amount, and lone modules that only
 *   hold others are left out
 */
export function classEntries(outline, amounts) {
  const num = placesOf(outline);
  /** @type {Map<string, {num: number, isOwn: boolean}>} */
  const classes = new Map();
  for (const shape of outline.shapes) {
    if (!shape.class || CONTAINERS.has(shape.class)) continue;
    const before = classes.get(shape.class) ?? { num: 0, isOwn: false };
    classes.set(shape.class, { num: before.num + (num[shape.number] ?? 0), isOwn: before.isOwn || shape.parameters.length > 0 });
  }
  const sums = amounts.area === "flops" ? flopsBy(outline, amounts) : baseBy(outline, amounts, [...classes.keys()]);
  const all = [...classes].map(([name, { num: places, isOwn }]) => ({ name, num: places, isOwn, amount: sums.get(name) ?? 0 }));
  const told = all.filter((entry) => entry.amount > 0 && (entry.isOwn || entry.num > 1));
  return (told.length ? told : all.filter(({ amount }) => amount > 0))
    .sort((one, other) => other.amount - one.amount || (one.name < other.name ? -1 : 1))
    .map(({ name, num: places, amount }) => ({ name, num: places, amount }));
}

/**
 * @param {Outline} outline
 * @param {Amounts} amounts
 * @param {string[]} names of classes
 * @returns {Map<string, number>}
 */
function baseBy(outline, amounts, names) {
  const lost = amounts.lost.map(({ row, amount, shape }) => {
    const trail = outline.trail(row);
    return { amount, shape, above: new Set((shape ? trail.slice(0, -1) : trail).map((each) => outline.className(each))) };
  });
  const upwards = [...outline.shapes].sort((one, other) => one.height - other.height);
  const covered = new Float64Array(outline.shapes.length);
  return new Map(
    names.map((name) => {
      for (const shape of upwards) {
        covered[shape.number] = shape.class === name
          ? baseOf(shape, amounts.area)
          : shape.entries.reduce((sum, entry) => sum + entry.count * (covered[entry.shape] ?? 0), 0);
      }
      let total = covered[outline.shapeOf(0)] ?? 0;
      for (const { amount, shape, above } of lost) {
        if (above.has(name)) total -= amount;
        else if (shape) total -= covered[shape.number] ?? 0;
      }
      return [name, total];
    }),
  );
}

/**
 * @param {Outline} outline
 * @param {Amounts} amounts
 * @returns {Map<string, number>} by class, of the modules that were called and are in none of the same class
 */
function flopsBy(outline, amounts) {
  const { row: rows, class_name: names } = amounts.trace ?? { row: [], class_name: [] };
  /** @type {Map<string, {end: number, sum: number}>} */
  const found = new Map();
  for (const [at, row] of rows.entries()) {
    const name = names[at] ?? "";
    const before = found.get(name) ?? { end: 0, sum: 0 };
    if (row < before.end) continue;
    const shape = outline.at(row);
    found.set(name, { end: row + shape.size, sum: before.sum + amounts.of(row, 1, shape) });
  }
  return new Map([...found].map(([name, { sum }]) => [name, sum]));
}

/**
 * @param {Outline} outline
 * @param {boolean} asBytes in place of elements
 * @returns {Entry[]} by dtype: parameters, and buffers too where it is bytes
 */
export function dtypeEntries(outline, asBytes) {
  const num = placesOf(outline);
  /** @type {Map<string, Entry>} */
  const found = new Map();
  const add = (/** @type {string} */ name, /** @type {number} */ places, /** @type {number} */ amount) => {
    const before = found.get(name) ?? { name, num: 0, amount: 0 };
    found.set(name, { name, num: before.num + places, amount: before.amount + amount });
  };
  for (const shape of outline.shapes) {
    const times = num[shape.number] ?? 0;
    const tensors = [...shape.parameters, ...(asBytes ? shape.buffers : [])];
    for (const dtype of new Set(tensors.map((tensor) => tensor.dtype))) add(dtype, times, 0);
    for (const tensor of tensors) add(tensor.dtype, 0, times * (asBytes ? tensor.numBytes : tensor.numel));
  }
  for (const spot of outline.sharing.tied()) {
    const { parameters, buffers } = outline.at(spot.row);
    const tensor = (spot.isBuffer ? buffers : parameters).find(({ name }) => name === spot.name);
    if (tensor && (asBytes || !spot.isBuffer)) add(tensor.dtype, 0, -(asBytes ? tensor.numBytes : tensor.numel));
  }
  return [...found.values()].filter(({ amount }) => amount > 0).sort((one, other) => other.amount - one.amount);
}
