// What is known of an upload before and while it is sent.

import { exact, numBytes } from "./numbers.js";
import { _, ngettext } from "./words.js";

/**
 * @param {{ name: string, size: number }[]} files
 * @param {number} most bytes in all that the server takes
 * @returns {string} why these cannot be sent, "" where they can
 */
export function unfit(files, most) {
  if (files.length === 0) return _("Choose a checkpoint, or an index with all its shards.");
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (total <= most) return "";
  return ngettext(
    "%(name)s has %(bytes)s bytes; this server takes at most %(most)s.",
    "These %(num)s files have %(bytes)s bytes; this server takes at most %(most)s.",
    files.length,
    { num: exact(files.length), name: files[0]?.name ?? "", bytes: exact(total), most: exact(most) },
  );
}

/**
 * @param {number} sent bytes
 * @param {number} total bytes
 * @returns {string} how far an upload is
 */
export function progressOf(sent, total) {
  if (sent >= total) return _("All sent; its headers are being read.");
  return _("%(sent)s of %(total)s", { sent: numBytes(sent), total: numBytes(total) });
}
