// A classic script in the head: the chosen theme, and the buttons that need scripts, stand before the first paint.
(() => {
  document.documentElement.classList.add("scripted");
  try {
    const theme = localStorage.getItem("moduletree-theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage can be forbidden; the system's choice holds then.
  }
})();
