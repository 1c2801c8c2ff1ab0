// A class's colour: one of 24 hues, decided by its name, as app/pages/hues.py does.

export const CONTAINERS = new Set(["ModuleList", "Sequential", "ModuleDict"]);

const HUES = 24;
const encoder = new TextEncoder();

/**
 * @param {string} text
 * @returns {number} the 32-bit FNV-1a hash of its UTF-8 bytes
 */
export function fnv1a(text) {
  let value = 0x811c9dc5;
  for (const byte of encoder.encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

/**
 * While a class's slot or a neighbour is taken it goes on 7 slots; once 24 tries failed, only a taken slot counts.
 * @param {Iterable<string>} classNames of a tree, in pre-order
 * @returns {Map<string, number>} the slot, 0 to 23, of each
 */
export function hues(classNames) {
  /** @type {Map<string, number>} */
  const slots = new Map();
  for (const name of classNames) {
    if (name && !slots.has(name) && !CONTAINERS.has(name)) slots.set(name, freeSlot(fnv1a(name) % HUES, new Set(slots.values())));
  }
  return slots;
}

/**
 * @param {number} first
 * @param {Set<number>} taken
 */
function freeSlot(first, taken) {
  const tries = Array.from({ length: HUES }, (_, step) => (first + 7 * step) % HUES);
  const isFree = (/** @type {number} */ slot) => ![slot, (slot + 23) % HUES, (slot + 1) % HUES].some((each) => taken.has(each));
  return tries.find(isFree) ?? tries.find((slot) => !taken.has(slot)) ?? first;
}
