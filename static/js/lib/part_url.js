// Where a part of the inspector is fetched: the module by its row at a revision, the tab and what it asks for.

/** What of the page's own address the inspector's part needs. */
const KEPT = ["tab", "tensor", "fn", "input", "dtype"];

/**
 * @param {string} base
 * @param {string} search of the page
 * @param {number[]} selection rows, the primary one last
 * @param {number} revision that the rows are counted at
 * @param {Record<string, string>} [more] "" leaves an argument out
 * @returns {string}
 */
export function partUrl(base, search, selection, revision, more = {}) {
  const page = new URLSearchParams(search);
  const query = new URLSearchParams({ row: String(selection.at(-1) ?? 0), revision: String(revision) });
  for (const row of selection.slice(0, -1)) query.append("with", String(row));
  for (const name of KEPT) if (page.get(name)) query.set(name, page.get(name) ?? "");
  for (const [name, value] of Object.entries(more)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  return `${base}?${query}`;
}

/**
 * @param {string | null} tab
 * @param {number} numSelected
 * @returns {string} the tab that a selection of so many modules is shown on: one alone has none to be compared with
 */
export function tabFor(tab, numSelected) {
  return tab === "compare" && numSelected < 2 ? "" : (tab ?? "");
}
