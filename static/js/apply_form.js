// Another function of `apply` brings its own arguments: the form is fetched again when one is chosen.

import { show } from "./inspector.js";

document.addEventListener("change", (event) => {
  const choice = event.target;
  if (!(choice instanceof HTMLSelectElement) || choice.name !== "fn" || !choice.closest("[data-inspector]")) return;
  void show({ tab: "change", open: "apply", fn: choice.value });
});
