// The runs below the tree, shown or hidden; a cookie remembers it, so that the next page comes as this one was left.

const A_YEAR_S = 31_536_000;

/** @param {Element} button */
function toggle(button) {
  const dock = button.closest("[data-dock]");
  const isShut = dock?.classList.toggle("dock-shut") ?? false;
  button.setAttribute("aria-expanded", String(!isShut));
  document.cookie = `moduletree-dock=${isShut ? "shut" : "open"}; path=/; max-age=${A_YEAR_S}; SameSite=Strict`;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-dock-switch]") : null;
  if (button) toggle(button);
});
