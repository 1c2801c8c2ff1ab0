// Modules whose children are listed can be folded: their arrow becomes a button.

/** @type {Set<string>} the addresses of the modules that are folded, for when the tree is put in place again */
const folded = new Set();

/** @param {Element} item of the tree, a module with a list of its own */
function enhance(item) {
  const arrow = item.querySelector(":scope > .tree-row .tree-twist");
  const link = item.querySelector(":scope > .tree-row a.tree-name");
  const isShut = folded.has(link?.getAttribute("href") ?? "") && !item.querySelector("ul [aria-current]");
  if (!arrow?.firstElementChild || arrow.matches("button, a")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tree-twist";
  button.tabIndex = -1;
  button.setAttribute("data-tree-twist", "");
  button.setAttribute("aria-expanded", String(!isShut));
  button.setAttribute("aria-label", `Fold ${link?.textContent ?? ""}`);
  item.classList.toggle("tree-shut", isShut);
  button.append(...arrow.childNodes);
  arrow.replaceWith(button);
}

function enhanceAll() {
  for (const list of document.querySelectorAll("[data-tree] li > ul")) {
    if (list.parentElement) enhance(list.parentElement);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-tree-twist]") : null;
  const item = button?.closest("li");
  if (!button || !item) return;
  const isShut = item.classList.toggle("tree-shut");
  const address = item.querySelector("a.tree-name")?.getAttribute("href") ?? "";
  if (isShut) folded.add(address);
  else folded.delete(address);
  button.setAttribute("aria-expanded", String(!isShut));
});
document.addEventListener("swapped", enhanceAll);
enhanceAll();
