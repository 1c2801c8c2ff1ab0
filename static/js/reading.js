// While a tensor is being read: how far it is, and the page anew once it is there.

import { ask } from "./ask.js";

const AGAIN_MS = 1000;

/** @returns {Promise<Response | null>} */
async function pageNow() {
  try {
    return await ask(location.href);
  } catch {
    return null;
  }
}

async function look() {
  const response = await pageNow();
  if (response && response.status !== 202) {
    location.reload();
    return;
  }
  const page = response && new DOMParser().parseFromString(await response.text(), "text/html");
  const there = page?.querySelector("[data-reading]");
  if (there) document.querySelector("[data-reading]")?.replaceWith(document.adoptNode(there));
  setTimeout(() => void look(), AGAIN_MS);
}

setTimeout(() => void look(), AGAIN_MS);
