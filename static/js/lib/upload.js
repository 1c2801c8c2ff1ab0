// What is known of an upload before and while it is sent.

import { exact, numBytes } from "./numbers.js";

/**
 * @param {{ name: string, size: number }[]} files
 * @param {number} most bytes in all that the server takes
 * @returns {string} why these cannot be sent, "" where they can
 */
export function unfit(files, most) {
  if (files.length === 0) return "Choose a checkpoint, or an index with all its shards.";
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (total <= most) return "";
  const what = files.length === 1 ? `${files[0]?.name} has` : `These ${exact(files.length)} files have`;
  return `${what} ${exact(total)} bytes; this server takes at most ${exact(most)}.`;
}

/**
 * @param {number} sent bytes
 * @param {number} total bytes
 * @returns {string} how far an upload is
 */
export function progressOf(sent, total) {
  return sent < total ? `${numBytes(sent)} of ${numBytes(total)}` : "All sent; its headers are being read.";
}
