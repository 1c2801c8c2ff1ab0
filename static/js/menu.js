// A menu closes when somebody clicks elsewhere or presses Escape.

/** @param {EventTarget | null} target */
function closeOthers(target) {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!(target instanceof Node && menu.contains(target))) menu.removeAttribute("open");
  }
}

document.addEventListener("click", (event) => closeOthers(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    menu.removeAttribute("open");
    const summary = menu.querySelector("summary");
    if (menu.contains(document.activeElement)) summary?.focus();
  }
});
