// How well a text answers what was typed: its letters in order, best at the starts of words and next to each other.

const HIT = 1;
const NEXT = 4;
const START = 6;
const FIRST = 4;
const EXACT = 40;

/**
 * @typedef {object} Match
 * @property {number} score
 * @property {[number, number][]} ranges of the text that were hit: [from, to)
 */

/** @param {string} text what of it begins a word: after a sign, or a capital after a small letter or a digit */
const starts = (text) => (/** @type {number} */ at) => at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1] ?? "") || /[\p{Ll}\p{N}]\p{Lu}/u.test(text.slice(at - 1, at + 1));

/**
 * @param {string} typed several words may come in any order
 * @param {string} text
 * @returns {Match | null} null where a letter is missing
 */
export function match(typed, text) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  let score = 0;
  /** @type {[number, number][]} */
  const ranges = [];
  for (const word of words) {
    const found = matchWord(word, text);
    if (!found) return null;
    score += found.score;
    ranges.push(...found.ranges);
  }
  // Of two that are hit alike, the shorter is nearer.
  return { score: score - text.length / 100, ranges: joined(ranges) };
}

/**
 * @param {string} word
 * @param {string} text
 * @returns {Match | null}
 */
function matchWord(word, text) {
  const lower = text.toLowerCase();
  const isStart = starts(text);
  const whole = places(lower, word).sort((one, other) => Number(isStart(other)) - Number(isStart(one)))[0];
  if (whole !== undefined) {
    const score = word.length * (HIT + NEXT) + EXACT / 2 + (isStart(whole) ? EXACT / 2 : 0) + (whole === 0 ? FIRST : 0);
    return { score, ranges: [[whole, whole + word.length]] };
  }
  return scattered(word, lower, isStart);
}

/**
 * @param {string} lower
 * @param {string} word
 */
function places(lower, word) {
  const found = [];
  for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + 1)) found.push(at);
  return found;
}

/**
 * @param {string} word
 * @param {string} lower
 * @param {(at: number) => boolean} isStart
 * @returns {Match | null}
 */
function scattered(word, lower, isStart) {
  let score = 0;
  let at = -1;
  /** @type {[number, number][]} */
  const ranges = [];
  for (const letter of word) {
    const next = lower.indexOf(letter, at + 1);
    if (next < 0) return null;
    // The start of a later word is worth a jump.
    const jump = next === at + 1 ? next : (places(lower.slice(next), letter).map((each) => each + next).find(isStart) ?? next);
    score += HIT + (jump === at + 1 && at >= 0 ? NEXT : 0) + (isStart(jump) ? START : 0);
    at = jump;
    ranges.push([at, at + 1]);
  }
  return { score, ranges };
}

/** @param {[number, number][]} ranges */
function joined(ranges) {
  /** @type {[number, number][]} */
  const found = [];
  for (const [from, to] of [...ranges].sort((one, other) => one[0] - other[0])) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}
