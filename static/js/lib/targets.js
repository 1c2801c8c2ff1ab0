// Targets as they are typed, parted by commas; the root's, which is empty, is written ''.

/**
 * @param {string} text
 * @param {string} target
 * @returns {string} the text with the target in it once
 */
export function withTarget(text, target) {
  const given = text.split(/[,\n]/).map((part) => part.trim()).filter(Boolean);
  const written = target || "''";
  return (given.includes(written) ? given : [...given, written]).join(", ");
}
