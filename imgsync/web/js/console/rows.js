/**
 * One row for each showing of an image: the columns of the CSV, as `imgsync/commands/report/rows.py`
 * has them.
 *
 * @import { Estimate } from "./offsets.js"
 * @import { KnownSession, Showing } from "./sides.js"
 * @import { Timing } from "../core/protocol/wire.js"
 *
 * @typedef {object} Row all that is known of one showing; null where nothing is; milliseconds
 * @property {string} sessionId
 * @property {number} imageIndex
 * @property {string | null} imageUrl
 * @property {string} sentAtIso
 * @property {number} sentAt evaluator's clock, as is `ackedAt`
 * @property {number | null} receivedAt client's clock, as are the next ones; those that end in
 *   `Evaluator` are the same on the evaluator's clock
 * @property {number | null} ackedAt
 * @property {number | null} fetchedAt
 * @property {number | null} shownAt
 * @property {number | null} hiddenAt
 * @property {number | null} failedAt
 * @property {string | null} failedReason
 * @property {boolean} superseded another image was shown before this one was acked, or up
 * @property {number | null} copies how often it was sent
 * @property {number | null} roundTrip from `sentAt` to `ackedAt`
 * @property {number | null} latency from `sentAt` to when it came in at the client
 * @property {number | null} bound the true latency lies within this of it
 * @property {number | null} onsetLatency from `sentAt` to when it was on the screen
 * @property {number | null} onsetBound the true one lies within this of it
 * @property {Timing | null} onsetTiming what is known of that
 * @property {number | null} receivedAtEvaluator
 * @property {number | null} fetchedAtEvaluator
 * @property {number | null} shownAtEvaluator
 * @property {number | null} hiddenAtEvaluator
 * @property {number | null} failedAtEvaluator
 */

/**
 * Session by session, in the order in which the images were sent.
 *
 * @param {Iterable<KnownSession>} sessions
 * @returns {Row[]}
 */
export function makeRows(sessions) {
  const ordered = [...sessions].sort((one, other) => one.begin - other.begin);
  return ordered.flatMap((session) => {
    const showings = [...session.showings.values()];
    showings.sort((one, other) => one.sentAt - other.sentAt || one.imageIndex - other.imageIndex);
    return showings.map((showing) => makeRow(session, showing));
  });
}

/** @param {KnownSession} session @param {Showing} showing @returns {Row} */
export function makeRow({ sessionId, history }, showing) {
  const { imageIndex, imageUrl, sentAt, receivedAt, ackedAt } = showing;
  const { fetchedAt, shownAt, hiddenAt, failedAt, failedReason } = showing;
  const near = ackedAt ?? sentAt;
  /** @param {number | null} at @param {number} notBefore */
  const estimate = (at, notBefore) => (at === null ? null : history.toEvaluator(at, near, notBefore));
  const received = estimate(receivedAt, sentAt);
  const arrived = received === null ? sentAt : Math.max(received.earliest, sentAt);
  const shown = estimate(shownAt, arrived);
  return {
    sessionId,
    imageIndex,
    imageUrl,
    sentAtIso: iso(sentAt),
    sentAt,
    receivedAt,
    ackedAt,
    fetchedAt,
    shownAt,
    hiddenAt,
    failedAt,
    failedReason,
    superseded: showing.wasSuperseded || failedReason === "superseded",
    copies: showing.copies,
    roundTrip: ackedAt === null ? null : ackedAt - sentAt,
    latency: received === null ? null : received.at - sentAt,
    bound: received === null ? null : received.bound,
    onsetLatency: shown === null ? null : shown.at - sentAt,
    onsetBound: shown === null ? null : shown.bound + showing.shownWithin,
    onsetTiming: showing.shownTiming,
    receivedAtEvaluator: atOf(received),
    fetchedAtEvaluator: atOf(estimate(fetchedAt, arrived)),
    shownAtEvaluator: atOf(shown),
    hiddenAtEvaluator: atOf(estimate(hiddenAt, arrived)),
    failedAtEvaluator: atOf(estimate(failedAt, arrived)),
  };
}

/** @param {Estimate | null} estimate */
function atOf(estimate) {
  return estimate === null ? null : estimate.at;
}

/** ISO 8601 in UTC, to the millisecond; empty for what is no time of this era. @param {number} at */
export function iso(at) {
  // As Python's datetime: rounded to microseconds, of which the rest is cut off. Which way a half of
  // one goes is not to be seen.
  const time = at / 1000;
  const micros = Math.round((time % 1) * 1e6);
  const date = new Date(Math.trunc(time) * 1000 + Math.floor(micros / 1000));
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 ? date.toISOString().replace("Z", "+00:00") : "";
}
