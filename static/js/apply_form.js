// Another function of `apply` brings its own arguments: the form is fetched again when one is chosen.

import { refresh } from "./swap.js";

document.addEventListener("change", (event) => {
  const choice = event.target;
  if (!(choice instanceof HTMLSelectElement) || choice.name !== "fn") return;
  const address = new URL(location.href);
  address.searchParams.set("tab", "change");
  address.searchParams.set("fn", choice.value);
  history.replaceState(history.state, "", `${address.pathname}${address.search}#apply`);
  choice.closest("form")?.removeAttribute("data-touched");
  choice.blur();
  void refresh(["panes"]);
});
