// The API reference: Swagger UI over this server's own document, in the page's language and theme.

import { translate } from "./docs_words.js";

/** @typedef {{ get: (name: string) => string | undefined } | undefined} TagDetails */
/** @typedef {{ tagDetails: (tag: string) => TagDetails }} Selectors */
/** @typedef {{ React: { createElement: Function }, specSelectors: Selectors }} System */

/** @type {(options: object) => unknown} */
const SwaggerUIBundle = /** @type {any} */ (globalThis).SwaggerUIBundle;

const reference = /** @type {HTMLElement} */ (document.getElementById("api-reference"));
if (document.documentElement.lang !== "en") translate(reference);

/**
 * The heading of a tag says what the tag is called in the page's language; links to it go by its name.
 *
 * @param {Function} Original
 * @param {System} system
 */
const DeepLink = (Original, { React, specSelectors }) => /** @param {{ text: string }} props */ (props) => {
  const text = specSelectors.tagDetails(props.text)?.get("x-displayName") ?? props.text;
  return React.createElement(Original, { ...props, text });
};

SwaggerUIBundle({
  url: "/api/openapi.json",
  // What is linked is the document for programs; what is drawn is the same for who reads this page.
  requestInterceptor: (/** @type {{ loadSpec?: boolean, url: string }} */ request) =>
    request.loadSpec ? { ...request, url: "/docs/openapi.json" } : request,
  plugins: [{ wrapComponents: { DeepLink } }],
  domNode: reference,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  syntaxHighlight: false,
  // The default asks a server elsewhere for a badge.
  validatorUrl: null,
});

function followTheme() {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark-mode", dark);
}

followTheme();
document.addEventListener("theme", followTheme);
