// A classic script in the head: the chosen theme, the sizes of the panes, and the buttons that need scripts, stand
// before the first paint.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const theme = localStorage.getItem("moduletree-theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    for (const pane of ["tree", "map", "dock"]) {
      const size = Number(localStorage.getItem(`moduletree-pane-${pane}`));
      if (size > 0) root.style.setProperty(`--pane-${pane}`, `${size}px`);
    }
  } catch {
    // Storage can be forbidden; the system's choice and the first sizes hold then.
  }
})();
