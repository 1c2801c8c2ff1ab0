// The API reference: Swagger UI over this server's own document, in the page's theme.

/** @type {(options: object) => unknown} */
const SwaggerUIBundle = /** @type {any} */ (globalThis).SwaggerUIBundle;

SwaggerUIBundle({
  url: "/api/openapi.json",
  domNode: document.getElementById("api-reference"),
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
