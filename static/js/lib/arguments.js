// Arguments as they are typed, `momentum=0.9, betas=[0.9, 0.99]`: taken apart and put together again.

/**
 * @param {string} text
 * @returns {string[]} what lies between the commas that stand in no brackets
 */
function parts(text) {
  const found = [""];
  let depth = 0;
  for (const char of text) {
    depth += Number("[(".includes(char)) - Number("])".includes(char));
    if ((char === "," || char === "\n") && depth <= 0) found.push("");
    else found[found.length - 1] += char;
  }
  return found.filter((part) => part.trim());
}

/**
 * @param {string} text
 * @returns {Map<string, string> | null} each value as it was typed, by name; null where something is no `name=value`
 */
export function apart(text) {
  const found = new Map();
  for (const part of parts(text)) {
    const [, name, value] = /^\s*([A-Za-z_]\w*)\s*[=:]\s*([^]*)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) return null;
    found.set(name, value.trim());
  }
  return found;
}

/**
 * @param {Iterable<[string, string]>} values by name; those that are empty are left out
 * @returns {string}
 */
export function together(values) {
  return [...values].filter(([, value]) => value.trim()).map(([name, value]) => `${name}=${value.trim()}`).join(", ");
}

/**
 * @param {unknown} value
 * @returns {string} as it is typed
 */
export function spelled(value) {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}
