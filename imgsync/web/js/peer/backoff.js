/** How long to wait after failures in a row. */

const FIRST_S = 0.3;
const MAX_S = 7;

/**
 * Doubling, with half of it left to chance: all peers of a relay that restarts come back at once.
 *
 * @param {number} failures in a row
 * @returns {number} seconds
 */
export function backoff(failures) {
  const limit = Math.min(MAX_S, FIRST_S * 2 ** Math.min(failures, 10));
  return limit * (0.5 + Math.random() / 2);
}
