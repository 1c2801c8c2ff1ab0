// A page's words in the language of who reads it: English is what the code says.

/** @typedef {Record<string, string | number>} Variables */

/**
 * @param {string} message
 * @param {Variables} variables
 */
function filled(message, variables) {
  return message.replace(/%\((\w+)\)s|%%/g, (found, name) => (name ? String(variables[name] ?? found) : "%"));
}

/**
 * @param {string} message with `%(name)s` where a variable stands
 * @param {Variables} [variables]
 * @returns {string} the message in the reader's language
 */
export function _(message, variables = {}) {
  return filled(message, variables);
}

/**
 * @param {string} one
 * @param {string} many
 * @param {number} num
 * @param {Variables} [variables] `num` is the number unless it is said otherwise here
 * @returns {string} the message for so many things
 */
export function ngettext(one, many, num, variables = {}) {
  return filled(num === 1 ? one : many, { num, ...variables });
}
