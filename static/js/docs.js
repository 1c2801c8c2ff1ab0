// The API reference: Swagger UI over this server's own document, in the page's language.

import { links } from "./docs_links.js";
import { parts } from "./docs_parts.js";
import { translate } from "./docs_words.js";

/** @type {(options: object) => unknown} */
const SwaggerUIBundle = /** @type {any} */ (globalThis).SwaggerUIBundle;

const reference = /** @type {HTMLElement} */ (document.getElementById("api-reference"));
if (document.documentElement.lang !== "en") translate(reference);

SwaggerUIBundle({
  url: "/api/openapi.json",
  // What is linked is the document for programs; what is drawn is the same for who reads this page.
  requestInterceptor: (/** @type {{ loadSpec?: boolean, url: string }} */ request) =>
    request.loadSpec ? { ...request, url: "/docs/openapi.json" } : request,
  plugins: [parts, links],
  layout: "DocsLayout",
  domNode: reference,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  syntaxHighlight: false,
  // The default asks a server elsewhere for a badge.
  validatorUrl: null,
});
