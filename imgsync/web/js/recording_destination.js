/**
 * Where a recording may go: to the host that the consent named under which it was made, and nowhere
 * else, whatever the relay names later.
 *
 * @import { Row } from "./recording_store.js"
 */

/** @param {string | null} url where recordings are posted; null for nowhere @returns {string | null} as the consent names it */
export function hostOf(url) {
  return url === null ? null : new URL(url).host;
}

/** @param {Row} row @param {string | null} host that takes recordings now */
export function mayGoTo({ destination }, host) {
  return host !== null && destination === host;
}
