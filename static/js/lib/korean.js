// Korean particles after words that the catalogue does not know, as app/korean.py decides them.

/** @type {Record<string, [string, string]>} */
const PAIRS = { "은(는)": ["은", "는"], "이(가)": ["이", "가"], "을(를)": ["을", "를"], "와(과)": ["과", "와"], "(으)로": ["으로", "로"] };
const PAIR = /은\(는\)|이\(가\)|을\(를\)|와\(과\)|\(으\)로/g;
const MARKS = "\"'”’)]}»…*_`.";
const MOST_BEFORE = 400;

/** @type {Record<string, string>} */
const DIGITS = { 0: "ng", 1: "l", 3: "m", 6: "k", 7: "l", 8: "l" };
const FIRST = "가".charCodeAt(0);
const ENDINGS = 28;
const RIEUL = 8;

/**
 * @param {string} word
 * @returns {string | null} the consonant that the spoken word ends in, "" after a vowel, null where nobody can say
 */
function lastSound(word) {
  const last = word.slice(-1);
  if (last >= "가" && last <= "힣") {
    const ending = (last.charCodeAt(0) - FIRST) % ENDINGS;
    if (ending === 0) return "";
    return ending === RIEUL ? "l" : "k";
  }
  if (/\d/.test(last)) return DIGITS[last] ?? "";
  if (!/[A-Za-z]/.test(last)) return null;
  if (/(?:^|[^A-Za-z])[A-Z]*[LMNR]$/.test(word)) return "LR".includes(last) ? "l" : "n";
  if (/(?:l|[bcdfgkptz]le|[aeiou]le)$/i.test(word)) return "l";
  return /(?:[mn]|ng|[aeiouy][mn]e|ck|[aeiou]p|out|put)$/i.test(word) ? "n" : "";
}

/**
 * @param {string} text
 * @returns {string} the text with each pair of particles decided by the sound that the word before it ends in
 */
export function particled(text) {
  return text.replace(PAIR, (pair, at) => {
    const sound = lastSound(wordBefore(text, at));
    if (sound === null) return pair;
    const isClosed = sound !== "" && !(pair === "(으)로" && sound === "l");
    return PAIRS[pair]?.[isClosed ? 0 : 1] ?? pair;
  });
}

/**
 * @param {string} text
 * @param {number} at
 * @returns {string} the end of the word that ends there, without closing marks, which nobody speaks
 */
function wordBefore(text, at) {
  let end = at;
  while (end > Math.max(0, at - MOST_BEFORE) && MARKS.includes(text.charAt(end - 1))) end -= 1;
  return /[^\s<>&;]*$/.exec(text.slice(Math.max(0, end - 8), end))?.[0] ?? "";
}
