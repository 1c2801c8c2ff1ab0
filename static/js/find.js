// A list that is searched as one types: its page is asked for again, and what was found put in place.

import { ask } from "./ask.js";

const SLOW_MS = 300;

/** @type {AbortController | null} the search that is under way */
let asked = null;
let frame = 0;

/** @param {HTMLFormElement} form */
function address(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) query.set(name, value);
  return `${form.getAttribute("action")}?${query}`;
}

/** @param {HTMLFormElement} form */
async function find(form) {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const area = document.querySelector("[data-find-area]");
  const slow = setTimeout(() => area?.setAttribute("aria-busy", "true"), SLOW_MS);
  try {
    const response = await ask(address(form), { signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const found = page.querySelector("[data-find-area]");
    if (signal.aborted || !area || !found) return;
    area.replaceChildren(...[...found.childNodes].map((node) => document.adoptNode(node)));
    history.replaceState(history.state, "", address(form));
  } catch {
    // Typed on, or the server is away: the button asks again.
  } finally {
    clearTimeout(slow);
    if (!signal.aborted) area?.removeAttribute("aria-busy");
  }
}

document.addEventListener("input", (event) => {
  const form = event.target instanceof Element ? event.target.closest("form[data-find]") : null;
  if (!(form instanceof HTMLFormElement)) return;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => void find(form));
});
