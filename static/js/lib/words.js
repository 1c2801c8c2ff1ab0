// A page's words in the language of who reads it: English is what the code says, the rest is learnt from a catalogue.

import { particled } from "./korean.js";

/** @typedef {Record<string, string | number>} Variables */
/** @typedef {Record<string, string | string[]>} Messages the translation of each message, several where it has a plural */

/** @type {Messages} */
let messages = {};
/** @type {(text: string) => string} */
let finished = (text) => text;

/**
 * Takes in a language's messages. Its script stands before all others on the page, so that none speaks too early.
 *
 * @param {Messages} catalogue
 * @param {string} language
 */
export function learn(catalogue, language) {
  messages = catalogue;
  finished = language === "ko" ? particled : (text) => text;
}

/**
 * @param {string} message
 * @param {Variables} variables
 */
function filled(message, variables) {
  const said = message.replace(/%\((\w+)\)s|%%/g, (found, name) => (name ? String(variables[name] ?? found) : "%"));
  return finished(said);
}

/**
 * @param {string} key
 * @param {number} form
 * @returns {string | undefined}
 */
function translated(key, form) {
  const found = Object.hasOwn(messages, key) ? messages[key] : undefined;
  return Array.isArray(found) ? found[Math.min(form, found.length - 1)] : found;
}

/**
 * @param {string} message with `%(name)s` where a variable stands
 * @param {Variables} [variables]
 * @returns {string} the message in the reader's language
 */
export function _(message, variables = {}) {
  return filled(translated(message, 0) || message, variables);
}

/**
 * @param {string} one
 * @param {string} many
 * @param {number} num
 * @param {Variables} [variables] `num` is the number unless it is said otherwise here
 * @returns {string} the message for so many things
 */
export function ngettext(one, many, num, variables = {}) {
  const form = num === 1 ? 0 : 1;
  return filled(translated(one, form) || (form === 0 ? one : many), { num, ...variables });
}
