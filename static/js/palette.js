// The command palette opens by Ctrl+K or its buttons; what it holds is fetched when it is first wanted.

const OPENS = (/** @type {KeyboardEvent} */ event) => event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;

async function open() {
  if (document.querySelector("dialog[open]")) return;
  const { openPalette } = await import("./palette_dialog.js");
  openPalette();
}

// Whoever opens it types at once.
(globalThis.requestIdleCallback ?? setTimeout)(() => void import("./palette_dialog.js"));
document.addEventListener("keydown", (event) => {
  const isSlash = event.key === "/" && !document.querySelector("[data-workspace], [data-search], [data-find]") && event.target === document.body;
  if (!OPENS(event) && !isSlash) return;
  event.preventDefault();
  void open();
});
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-palette-open]") : null;
  if (!button) return;
  button.closest("[data-menu]")?.removeAttribute("open");
  void open();
});
