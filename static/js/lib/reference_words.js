// What Swagger UI says itself, in the reader's language: it has no catalogues of its own.

import { _ } from "./words.js";

/** @type {Map<string, string>} each text as Swagger UI draws it, with what is drawn in its place */
const TEXTS = new Map([
  // An operation.
  ["Expand operation", _("Expand operation")],
  ["Collapse operation", _("Collapse operation")],
  ["Try it out", _("Try it out")],
  ["Cancel", _("Cancel")],
  ["Reset", _("Reset")],
  ["Execute", _("Execute")],
  ["Clear", _("Clear")],
  ["Warning: Deprecated", _("Warning: Deprecated")],
  // What it takes.
  ["Parameters", _("Parameters")],
  ["No parameters", _("No parameters")],
  ["Name", _("Name")],
  ["Description", _("Description")],
  ["Type", _("Type")],
  ["Available values", _("Possible values")],
  ["Default value", _("If left out")],
  ["Example", _("Example")],
  ["Request body", _("Request body")],
  ["Request content type", _("Request content type")],
  ["Send empty value", _("Send empty value")],
  ["Add", _("Add:")],
  ["item", _("(one item)")],
  ["Edit Value", _("Edit the value")],
  ["Example Value", _("Example value")],
  ["Schema", _("Schema")],
  ["Examples", _("Examples")],
  ["Examples:", _("Examples:")],
  ["[Modified value]", _("[Changed value]")],
  // What it answers.
  ["Responses", _("Responses")],
  ["Code", _("Code")],
  ["Details", _("Details")],
  ["Links", _("Links")],
  ["No links", _("No links")],
  ["Media type", _("Media type")],
  ["Media Type", _("Media type")],
  ["Controls", _("This chooses the")],
  ["header.", _("header.")],
  ["Headers:", _("Headers:")],
  ["Curl", "curl"],
  ["Copy cURL command to clipboard", _("Copy the curl command")],
  ["Copy code to clipboard", _("Copy the code")],
  ["Request URL", _("Address of the request")],
  ["Server response", _("Answer of the server")],
  ["Undocumented", _("Undocumented")],
  ["Response body", _("Body of the answer")],
  ["Response headers", _("Headers of the answer")],
  ["Request duration", _("Duration of the request")],
  ["Download", _("Download")],
  ["Download file", _("Download the file")],
  ["Unrecognized response type; displaying content as text.", _("Its type is not known; it is shown as text.")],
  ["Unrecognized response type; unable to display.", _("Its type is not known; it cannot be shown.")],
  ["Failed to fetch.", _("The server did not answer.")],
  ["Possible Reasons:", _("Possible reasons:")],
  ["Network Failure", _("The network failed")],
  ['URL scheme must be "http" or "https" for CORS request.', _("The address is none of http")],
  // What does not fit.
  ["Please correct the following validation errors and try again.", _("Correct what does not fit and try again.")],
  ["Required field is not provided", _("It is required")],
  ["Required property not found", _("A property that is required is missing")],
  ["Parameter string value must be valid JSON", _("It has to be JSON")],
  ["No duplicates allowed.", _("Nothing may come twice.")],
  ["Value must be a string", _("It has to be a string")],
  ["Value must be a boolean", _("It has to be true or false")],
  ["Value must be a number", _("It has to be a number")],
  ["Value must be an integer", _("It has to be an integer")],
  ["Value must be a file", _("It has to be a file")],
  ["Errors", _("Errors")],
  ["Hide", _("Hide")],
  ["Show", _("Show")],
  // The token.
  ["Authorize", _("Set the token")],
  ["authorization button locked", _("Set the token")],
  ["authorization button unlocked", _("Set the token")],
  ["Available authorizations", _("Token of the server")],
  ["Authorized", _("The token is set")],
  ["Logout", _("Forget")],
  ["Close", _("Close")],
  ["Value:", _("Token:")],
  ["auth-bearer-value", _("Token")],
  // Schemas.
  ["Schemas", _("Schemas")],
  ["Expand all", _("Expand all")],
  ["Collapse all", _("Collapse all")],
  ["Items", _("Items")],
  ["Prefix items", _("First items")],
  ["Additional properties", _("Other properties")],
  ["allowed", _("allowed")],
  ["forbidden", _("forbidden")],
  ["Any of", _("Any of")],
  ["One of", _("One of")],
  ["All of", _("All of")],
  ["Enum", _("One of these values")],
  ["Const", _("Always")],
  ["Default", _("If left out")],
  ["Discriminator", _("Told apart by")],
  ["Content schema", _("Schema of the content")],
  ["empty array", _("empty array")],
  ["empty object", _("empty object")],
  ["unique items", _("nothing twice")],
]);

/** @type {[RegExp, (...found: string[]) => string][]} texts that name something, with what is drawn in their place */
const PATTERNS = [
  [/^For '(.+)': (.+?)\.?$/, (name, why) => `${name}: ${said(why) ?? why}.`],
  [/^Error: (.+)$/, (words) => _("Error: %(words)s", { words })],
  [/^(.+ )characters$/, (num) => _("%(num)s characters", { num: num.trim() })],
  [/^(.+ )items$/, (num) => _("%(num)s items", { num: num.trim() })],
  [/^(.+ )properties$/, (num) => _("%(num)s properties", { num: num.trim() })],
  [/^multiple of (.+)$/, (num) => _("a multiple of %(num)s", { num })],
  [/^matches (.+)$/, (pattern) => _("fits %(pattern)s", { pattern })],
  [/^media type: (.+)$/, (name) => _("media type: %(name)s", { name })],
  [/^response status is (\d+)(.*)$/, (status, rest) => _("It was answered with %(status)s", { status }) + rest],
  [/^Value must be no longer than (\d+) characters?$/, (num) => _("%(num)s characters at most", { num })],
  [/^Value must be at least (\d+) characters?$/, (num) => _("%(num)s characters at least", { num })],
  [/^Value must be less than or equal to (.+)$/, (num) => _("%(num)s at most", { num })],
  [/^Value must be greater than or equal to (.+)$/, (num) => _("%(num)s at least", { num })],
  [/^Value must follow pattern (.+)$/, (pattern) => _("It has to fit %(pattern)s", { pattern })],
  [/^Array must contain at least (\d+) items?$/, (num) => _("%(num)s items at least", { num })],
  [/^Array must not contain more then (\d+) items?$/, (num) => _("%(num)s items at most", { num })],
];

/**
 * @param {string} text of Swagger UI, in English
 * @returns {string | undefined} the same in the reader's language, spaces around it as they were
 */
export function said(text) {
  const words = text.trim();
  const found = TEXTS.get(words) ?? fitting(words);
  return found === undefined ? undefined : text.replace(words, () => found);
}

/**
 * @param {string} words
 * @returns {string | undefined}
 */
function fitting(words) {
  for (const [pattern, say] of PATTERNS) {
    const found = pattern.exec(words);
    if (found) return say(...found.slice(1));
  }
  return undefined;
}
