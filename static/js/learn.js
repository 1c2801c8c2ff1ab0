// The forms of a step without a new page: sent as they are, and of the answer the areas that a form names put in place.

import { ask } from "./ask.js";

/** @param {Document} page */
const areasOf = (page) => new Map([...page.querySelectorAll("[data-learn-area]")].map((area) => [area.getAttribute("data-learn-area"), area]));

/**
 * Puts the contents of areas of another page in place of those here. The areas themselves stay: they are live regions.
 * @param {string} text HTML
 * @param {string[]} names
 */
export function put(text, names) {
  const there = areasOf(new DOMParser().parseFromString(text, "text/html"));
  const here = areasOf(document);
  for (const name of names) here.get(name)?.replaceChildren(...(there.get(name)?.childNodes ?? []));
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<Response>} the page that a browser would show next
 */
function sent(form) {
  const typed = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") typed.append(name, value);
  if (form.method === "post") return ask(form.action, { method: "post", body: typed });
  return ask(`${form.action}?${typed}`);
}

/** @param {HTMLFormElement} form */
async function send(form) {
  form.setAttribute("aria-busy", "true");
  try {
    const response = await sent(form);
    if (!response.ok) throw new Error(response.statusText);
    put(await response.text(), (form.dataset.learn ?? "").split(" "));
    history.replaceState(null, "", response.url);
  } catch {
    form.submit();
    return;
  }
  form.removeAttribute("aria-busy");
  // What was pressed may be gone, as Undo is after the last one.
  const first = document.querySelector("[data-learn-first]");
  if (document.activeElement === document.body && first instanceof HTMLElement) first.focus();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.learn === undefined) return;
  event.preventDefault();
  if (!form.hasAttribute("aria-busy")) void send(form);
});

// The chapters are wider than a phone.
document.querySelector(".learn-chapters [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
