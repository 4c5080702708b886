/**
 * Where a recording may go: to the host that the consent named under which it was made, and nowhere
 * else, whatever the relay names later.
 *
 * @import { Row } from "./store.js"
 */

/** @param {string | null} url where recordings are posted; null for nowhere @returns {string | null} as the consent names it */
export function hostOf(url) {
  return url === null ? null : new URL(url).host;
}

/** @param {Row} row @param {string | null} host that takes recordings now */
export function mayGoTo({ destination }, host) {
  return host !== null && destination === host;
}

/** Tries after which a participant may save what the server does not take. */
const PATIENCE = 3;

/**
 * @param {object} situation
 * @param {boolean} situation.isLive whether a session goes on
 * @param {string | null} situation.host that takes recordings now
 * @param {number} situation.failures of sending, in a row
 * @param {readonly Row[]} situation.rows recordings that are on this device
 * @returns {readonly Row[]} those that are up to the participant to save
 */
export function rowsToSave({ isLive, host, failures, rows }) {
  if (isLive) return [];
  return failures >= PATIENCE ? rows : rows.filter((row) => !mayGoTo(row, host));
}
