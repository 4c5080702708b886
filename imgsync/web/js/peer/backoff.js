/** How long to wait after failures in a row, by these dice. */

import { pauseAfter } from "../core/handshake/patience.js";

/** @param {number} failures in a row @returns {number} seconds */
export function backoff(failures) {
  return pauseAfter(failures, Math.random());
}
