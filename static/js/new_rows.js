// More rows in the form for a new tree without asking the server.

const MORE = 2;

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-new-more]") : null;
  const list = button?.closest("[data-new-rows]");
  const rows = list?.querySelectorAll("[data-new-row]");
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
