// The lines of the program that make the row which has the focus.

/** @param {HTMLElement} program @param {HTMLElement} lines */
function show(program, lines) {
  const [box, line] = [program.getBoundingClientRect(), lines.getBoundingClientRect()];
  if (line.top < box.top) program.scrollTop -= box.top - line.top + line.height;
  else if (line.bottom > box.bottom) program.scrollTop += line.bottom - box.bottom + line.height;
}

/** @param {Element | null | undefined} row */
function mark(row) {
  const program = document.querySelector("[data-build-program]");
  const number = row?.getAttribute("data-row");
  if (!(program instanceof HTMLElement) || !number) return;
  for (const lines of program.querySelectorAll("[data-row]")) {
    const isHere = lines.getAttribute("data-row") === number;
    lines.classList.toggle("build-lines-on", isHere);
    if (isHere && lines instanceof HTMLElement) show(program, lines);
  }
}

document.addEventListener("focusin", (event) => {
  mark(event.target instanceof Element ? event.target.closest("[data-build-row]") : null);
});
mark(document.querySelector("[data-build-at]"));
