/** How long to wait after failures in a row. */

import { FIRST_BACKOFF, MAX_BACKOFF } from "../core/protocol/numbers.js";

/**
 * Doubling, with half of it left to chance: all peers of a relay that restarts come back at once.
 *
 * @param {number} failures in a row
 * @returns {number} seconds
 */
export function backoff(failures) {
  const limit = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(failures, 10));
  return limit * (0.5 + Math.random() / 2);
}
