/**
 * What lets a client in whom the evaluator invites: a token that the relay makes, as the console has
 * no secret. It asks with its own token in a header, so that nothing secret is in a URL.
 *
 * @typedef {{token: string | null, expiresAt: number | null}} Grant null where the relay asks for no
 *   tokens; `expiresAt`: milliseconds since the epoch
 */

import { isObject } from "../core/protocol/values.js";
import { NO_ANSWER } from "../words/console_invitation.js";

const ANSWER_MS = 10_000;

/** The relay does not grant it; the message is what a person reads. */
export class Refused extends Error {}

/**
 * @param {string | undefined} token the evaluator's own
 * @param {string} userId @param {number} seconds for how long
 * @returns {Promise<Grant>}
 * @throws {Refused}
 */
export async function askForToken(token, userId, seconds) {
  const url = new URL("invite", location.href);
  url.search = new URLSearchParams({ user: userId, seconds: String(seconds) }).toString();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ANSWER_MS);
  /** @type {HeadersInit} */
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, { headers, cache: "no-store", signal: stop.signal });
    if (!response.ok) throw new Refused((await response.text()).trim());
    return readGrant(await response.json());
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(NO_ANSWER);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {unknown} value @returns {Grant} */
function readGrant(value) {
  const { token, expiresAt } = isObject(value) ? value : {};
  if (typeof token === "string" && typeof expiresAt === "number") return { token, expiresAt };
  if (token === null) return { token: null, expiresAt: null };
  throw new Refused(NO_ANSWER);
}
