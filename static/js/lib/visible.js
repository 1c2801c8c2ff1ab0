// Names from outside, made safe to look at: what cannot be seen is written as an escape, as app/pages/visible.py does.

const JOINS = "\u200d";
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Co}\p{Cn}]/u;
/** @type {Record<string, string>} */
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** @param {string} char */
function shown(char) {
  if (char === " " || char === JOINS || !HIDDEN.test(char)) return char;
  const code = char.codePointAt(0) ?? 0;
  const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return SHORT[char] ?? `\\${letter}${code.toString(16).padStart(Number(digits), "0")}`;
}

/**
 * @param {string} text
 * @returns {string} the text with control, direction and invisible characters as `\n`, `\x1b`, `\u202e`
 */
export function visible(text) {
  const chars = Array.from(text, shown).join("");
  const core = chars.replace(/^ +| +$/g, "");
  const left = chars.length - chars.trimStart().length;
  return "\\x20".repeat(left) + core + "\\x20".repeat(chars.length - left - core.length);
}

/**
 * @param {string} text
 * @param {number} most characters
 * @returns {string} the same, its middle left out where the text is longer
 */
export function clipped(text, most = 80) {
  const chars = text.length > most ? Array.from(text) : [];
  if (chars.length <= most) return visible(text);
  const tail = Math.floor(most / 4);
  return `${visible(chars.slice(0, most - tail - 1).join(""))}…${visible(chars.slice(chars.length - tail).join(""))}`;
}
