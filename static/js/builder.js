// More rows in the builder without asking the server.

const MORE = 2;

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-builder-more]") : null;
  const builder = button?.closest("[data-builder]");
  const rows = builder?.querySelectorAll("[data-builder-row]");
  const last = rows?.[rows.length - 1];
  if (!button || !last || rows.length < 2) return;
  event.preventDefault();
  /** @type {HTMLInputElement | null} */
  let first = null;
  for (let number = 0; number < MORE; number += 1) {
    const row = /** @type {Element} */ (last.cloneNode(true));
    for (const input of row.querySelectorAll("input")) {
      input.value = "";
      input.removeAttribute("aria-invalid");
      first ??= input;
    }
    row.querySelector(".field-problem")?.remove();
    button.parentElement?.before(row);
  }
  first?.focus();
});
