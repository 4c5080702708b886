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

/**
 * Browsers let no page of `https` post to an address of `http`, but on the device itself.
 *
 * @param {string} url
 * @param {string} page its own address
 */
export function isBlocked(url, page) {
  const { protocol, hostname } = new URL(url);
  const isHere = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return new URL(page).protocol === "https:" && protocol === "http:" && !isHere;
}

/** Tries after which a participant may save what the server does not take. */
const PATIENCE = 3;

/**
 * @typedef {object} Sent how it goes with sending
 * @property {string | null} host that takes recordings now
 * @property {number} failures in a row
 * @property {ReadonlyMap<number, string>} refused by the key of what is sent no more: why
 * @property {boolean} isUnreadable whether none is, as this page can't read what the server answers
 */

/**
 * @param {object} situation
 * @param {readonly Row[]} situation.rows recordings that are on this device
 * @param {Sent} situation.sent
 * @returns {{unsent: Row[], refused: Row[], kept: Row[]}} those that a server takes; those that it does
 *   not; those that nobody gets
 */
export function sortRows({ rows, sent: { host, refused } }) {
  const kept = rows.filter((row) => !mayGoTo(row, host));
  const mine = rows.filter((row) => mayGoTo(row, host));
  return {
    unsent: mine.filter(({ key }) => !refused.has(key)),
    refused: mine.filter(({ key }) => refused.has(key)),
    kept,
  };
}

/**
 * @param {object} situation
 * @param {boolean} situation.isLive whether a session goes on
 * @param {readonly Row[]} situation.rows recordings that are on this device
 * @param {Sent} situation.sent
 * @returns {readonly Row[]} those that are up to the participant to save
 */
export function rowsToSave({ isLive, rows, sent }) {
  if (isLive) return [];
  if (sent.isUnreadable || sent.failures >= PATIENCE) return rows;
  const { unsent } = sortRows({ rows, sent });
  return rows.filter((row) => !unsent.includes(row));
}
