// The button that turns light into dark and back; the choice is remembered.

/** @returns {"dark" | "light"} the theme that shows now */
function shown() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "dark" || chosen === "light") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  button.addEventListener("click", () => {
    const theme = shown() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("moduletree-theme", theme);
    } catch {
      // Storage can be forbidden; the choice then lasts for this page.
    }
    document.dispatchEvent(new CustomEvent("theme"));
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("theme"));
});
