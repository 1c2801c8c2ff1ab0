// What is written in a cell of the map, as far as there is room for it.

/** @typedef {"name" | "count" | "extra" | "plain"} LabelKind */
/** Stands at its left end; a turned one is centred at x and y and reads upwards. @typedef {{text: string, x: number, y: number, kind: LabelKind, isTurned: boolean}} Label */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

export const NAME_FROM = 12;
export const COUNT_FROM = 30;
export const EXTRA_FROM = 50;
const PLAIN_FROM = 60;
const LEAST_WIDTH = 30;
const PADDING = 6;
const TURNED_FROM = 11;

/** Pixels that a character takes at 11 px; what is wide takes two of the narrow ones. @type {Record<LabelKind, number>} */
const ADVANCE = { name: 6.45, extra: 6.1, count: 6.2, plain: 6.2 };
const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]|\p{Extended_Pictographic}/u;

/**
 * @param {string} text
 * @param {number} width
 * @param {LabelKind} kind
 * @returns {string} as much of the text as is no wider, with "…" where it is cut; a figure that is wider is left out
 */
export function fitted(text, width, kind) {
  const chars = [...text.slice(0, 400)];
  const widths = chars.map((char) => ADVANCE[kind] * (WIDE.test(char) ? 1.8 : 1));
  if (widths.reduce((total, each) => total + each, 0) <= width) return chars.join("");
  if (kind === "count") return "";
  let [left, count] = [width - ADVANCE[kind], 0];
  for (const each of widths) {
    left -= each;
    if (left < 0) break;
    count += 1;
  }
  return count ? `${chars.slice(0, count).join("")}…` : "";
}

/**
 * @param {Box} box
 * @param {() => {name: string, count: string, extra: string}} said asked only where there is room
 * @returns {Label[]} of a cell in the large panel
 */
export function labelsOf({ x, y, width, height }, said) {
  if (height < NAME_FROM) return [];
  if (width < LEAST_WIDTH) {
    const text = width < TURNED_FROM ? "" : fitted(said().name, height - PADDING, "name");
    return text && text !== "…" ? [{ text, x: x + width / 2, y: y + height / 2, kind: "name", isTurned: true }] : [];
  }
  const words = said();
  const room = width - 1.5 * PADDING;
  const label = (/** @type {LabelKind} */ kind, /** @type {string} */ text, /** @type {number} */ down) => ({
    text: fitted(text, room, kind), x: x + PADDING, y: y + down, kind, isTurned: false,
  });
  const labels = [label("name", words.name, height >= 20 ? 14 : height / 2 + 3.5)];
  if (height >= COUNT_FROM) labels.push(label("count", words.count, 27));
  if (height >= EXTRA_FROM) labels.push(label("extra", words.extra, 41));
  return labels.filter(({ text }) => text);
}

/**
 * @param {Box} box
 * @param {() => string} name asked only where there is room
 * @returns {Label[]} of a cell in the panel of the whole tree
 */
export function plainLabels({ x, y, width, height }, name) {
  if (height <= PLAIN_FROM || width < LEAST_WIDTH) return [];
  const text = fitted(name(), width - PADDING, "plain");
  const room = Math.max((width - text.length * ADVANCE.plain) / 2, PADDING / 2);
  return text ? [{ text, x: x + Math.min(room, width / 3), y: y + height / 2 + 4, kind: "plain", isTurned: false }] : [];
}
