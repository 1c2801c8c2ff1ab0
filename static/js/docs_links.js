// Addresses within the API reference.

/**
 * Opens what an address names. The original takes `_` for a space too, and complains of it.
 *
 * @param {Function} _original
 * @param {{ layoutActions: any, layoutSelectors: any }} system
 */
const parseDeepLinkHash = (_original, { layoutActions, layoutSelectors }) => /** @param {string} hash */ (hash) => {
  const names = hash.replace(/^#!?\/?/, "").split("/");
  if (!names[0]) return;
  const key = layoutSelectors.isShownKeyFromUrlHashArray(names);
  if (names.length > 1) layoutActions.show(layoutSelectors.isShownKeyFromUrlHashArray(names.slice(0, 1)), true);
  layoutActions.show(key, true);
  layoutActions.scrollTo(key);
};

/** Once the letters are there, which move what is below them, and not under the bar. */
const scrollToElement = () => /** @param {Element} place */ (place) =>
  document.fonts.ready.then(() => place.firstElementChild?.scrollIntoView());

export const links = { statePlugins: { layout: { wrapActions: { parseDeepLinkHash, scrollToElement } } } };
