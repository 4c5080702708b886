/**
 * One row for each showing of an image: the columns of the CSV, as `imgsync/commands/report/rows.py`
 * has them.
 *
 * @import { Estimate, OffsetHistory } from "./offsets.js"
 * @import { KnownSession, Recorded, Showing, Sight } from "./sides.js"
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Timing } from "../core/protocol/wire.js"
 * @import { TrialCells } from "./trials.js"
 *
 * @typedef {[number | null, number | null]} Interval from when until when an image was on the screen;
 *   null for an end that nobody has told
 *
 * @typedef {Sight & {here: Estimate | null}} Placed with its time on our clock, where that is known
 *
 * @typedef {Timed & TrialCells & {extra: Extra}} Row all that is known of one showing; `extra`: what else is
 *   said of the image, which are columns of their own, behind all others
 *
 * @typedef {object} Timed null where nothing is known; milliseconds
 * @property {string} sessionId
 * @property {string | null} evaluatorId
 * @property {string | null} clientId
 * @property {number} imageIndex
 * @property {string | null} imageName its file's name
 * @property {string | null} imageUrl
 * @property {string | null} sha256 of the picture's bytes, as `type` (its media type) and `bytes` (how
 *   many) are; as the client has got them, and where it does not say so, as we have sent them
 * @property {string | null} type
 * @property {number | null} width its pixels, as is `height`; null as well where the picture does not say
 * @property {number | null} height
 * @property {number | null} bytes
 * @property {string} sentAtIso
 * @property {number} sentAt evaluator's clock, as is `ackedAt`
 * @property {number | null} receivedAt client's clock, as are the next ones; those that end in
 *   `Evaluator` are the same on the evaluator's clock
 * @property {number | null} ackedAt
 * @property {number | null} fetchedAt
 * @property {number | null} shownAt when it was on the screen for the first time
 * @property {number | null} hiddenAt when it was there for the last time; null while it still is
 * @property {number | null} failedAt
 * @property {string | null} failedReason
 * @property {string | null} failedDetail what else is known of that, for people
 * @property {boolean} superseded another image was shown before this one was acked, or up
 * @property {number | null} copies how often it was sent
 * @property {Interval[]} intervals when it was on the screen, client's clock
 * @property {number | null} exposureMs how long that was in all, whatever became of the client's clock
 *   meanwhile; null where an end is not known
 * @property {number | null} gaps how often it was not there in between
 * @property {string | null} hiddenReason why it went, where the client says it: short words, each once
 * @property {string | null} recordedBy the devices that recorded the participant all the time that it
 *   was there, as far as it is known how long that was; "none" for no device, null where nobody was
 *   asked to record
 * @property {string | null} recordingTroubles what was the matter with that meanwhile, in the same way
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

import { trialOf } from "./trials.js";

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
export function makeRow(session, showing) {
  const { sessionId, evaluatorId, clientId, history, recordings } = session;
  const { imageIndex, imageUrl, sentAt, receivedAt, ackedAt } = showing;
  const { fetchedAt, failedAt, failedReason, failedDetail } = showing;
  const near = ackedAt ?? sentAt;
  /** @param {number | null} at @param {number} notBefore */
  const estimate = (at, notBefore) => (at === null ? null : history.toEvaluator(at, near, notBefore));
  const received = estimate(receivedAt, sentAt);
  const arrived = received === null ? sentAt : Math.max(received.earliest, sentAt);
  const sights = inOrder(showing, history, arrived);
  const first = sights.find(({ isShown }) => isShown) ?? null;
  const last = sights.at(-1);
  const hidden = last === undefined || last.isShown ? null : last;
  const shown = first?.here ?? null;
  const pairs = pairUp(sights);
  /** @type {Interval[]} */
  const intervals = pairs.map(([begin, end]) => [begin?.at ?? null, end?.at ?? null]);
  const recorded = recordedIn(recordings, intervals);
  return {
    sessionId,
    evaluatorId,
    clientId,
    imageIndex,
    imageName: imageUrl === null ? null : fileNameOf(imageUrl),
    imageUrl,
    ...identityOf(showing),
    sentAtIso: iso(sentAt),
    sentAt,
    receivedAt,
    ackedAt,
    fetchedAt,
    shownAt: first?.at ?? null,
    hiddenAt: hidden?.at ?? null,
    failedAt,
    failedReason,
    failedDetail,
    superseded: showing.wasSuperseded || failedReason === "superseded",
    copies: showing.copies,
    intervals,
    exposureMs: exposureOf(pairs),
    gaps: intervals.length === 0 ? null : intervals.length - 1,
    hiddenReason: inWords(sights.flatMap(({ reason }) => reason || [])),
    recordedBy: devicesOf(recorded),
    recordingTroubles: inWords(recorded.flatMap(({ troubles }) => troubles)),
    roundTrip: ackedAt === null ? null : ackedAt - sentAt,
    latency: received === null ? null : received.at - sentAt,
    bound: received === null ? null : received.bound,
    onsetLatency: shown === null ? null : shown.at - sentAt,
    onsetBound: first === null || shown === null ? null : shown.bound + first.within,
    onsetTiming: first?.timing ?? null,
    receivedAtEvaluator: atOf(received),
    fetchedAtEvaluator: atOf(estimate(fetchedAt, arrived)),
    shownAtEvaluator: atOf(shown),
    hiddenAtEvaluator: atOf(hidden?.here ?? null),
    failedAtEvaluator: atOf(estimate(failedAt, arrived)),
    ...trialOf(showing, session.marksOf(showing), sights),
    extra: showing.extra ?? {},
  };
}

/** @param {Showing} showing */
function identityOf({ picture }) {
  const { sha256 = null, contentType = null, width = null, height = null, bytes = null } = picture ?? {};
  return { sha256, type: contentType, width, height, bytes };
}

/**
 * In the order in which they happened, with our clock; the client's may have been set in between, or
 * be another one since its page was loaded again.
 *
 * @param {Showing} showing
 * @param {OffsetHistory} history
 * @param {number} arrived
 * @returns {Placed[]}
 */
function inOrder({ sentAt, ackedAt, sights }, history, arrived) {
  const near = ackedAt ?? sentAt;
  const found = [...sights.values()].map((sight) => {
    return { ...sight, here: history.toEvaluator(sight.at, sight.toldAt ?? near, arrived) };
  });
  const isKnown = found.every(({ here }) => here !== null);
  /** @param {Placed} sight */
  const when = ({ at, here }) => (isKnown && here !== null ? here.at : at);
  return found.sort((one, other) => when(one) - when(other));
}

/**
 * Onsets with what ended them. A page that is loaded again may show an image that nobody has said to
 * be hidden, and the other way round: then an end is not known.
 *
 * @param {readonly Placed[]} sights
 */
function pairUp(sights) {
  /** @type {[Placed | null, Placed | null][]} */
  const pairs = [];
  for (const sight of sights) {
    const last = pairs.at(-1);
    if (sight.isShown) pairs.push([sight, null]);
    else if (last?.[1] === null) last[1] = sight;
    else if (last !== undefined) pairs.push([null, sight]);
  }
  return pairs;
}

/** All of them together; null where that is not known. @param {[Placed | null, Placed | null][]} pairs */
function exposureOf(pairs) {
  const times = pairs.flatMap(([begin, end]) => (begin === null || end === null ? [] : [durationOf(begin, end)]));
  const isKnown = times.length > 0 && times.length === pairs.length;
  return isKnown ? times.reduce((sum, time) => sum + time, 0) : null;
}

/**
 * By the client's clock, which needs no estimate; by ours if the client's was set in between, or is
 * another one since its page was loaded again.
 *
 * @param {Placed} shown @param {Placed} hidden
 */
function durationOf(shown, hidden) {
  const byClient = hidden.at - shown.at;
  if (shown.here === null || hidden.here === null) return byClient;
  const byEvaluator = hidden.here.at - shown.here.at;
  const drift = Math.max(shown.here.drift, hidden.here.drift);
  const within = shown.here.bound + hidden.here.bound + drift * Math.abs(byEvaluator);
  const isOneClock = byClient >= 0 && Math.abs(byClient - byEvaluator) <= within;
  return isOneClock ? byClient : byEvaluator;
}

/**
 * How the participant was recorded while an image was up: from its onset on, and at each change.
 *
 * @param {readonly Recorded[]} recordings
 * @param {readonly Interval[]} intervals
 */
function recordedIn(recordings, intervals) {
  const ordered = [...recordings].sort((one, other) => one.since - other.since);
  /** @type {Recorded[]} */
  const found = [];
  for (const [begin, end] of intervals) {
    if (begin === null) continue;
    found.push(...ordered.filter(({ since }) => since <= begin).slice(-1));
    // Where nobody has told the end, what follows may be of another image.
    found.push(...ordered.filter(({ since }) => end !== null && begin < since && since < end));
  }
  return found;
}

/** @param {readonly Recorded[]} recorded */
function devicesOf([first, ...rest]) {
  if (first === undefined) return null;
  return inWords(first.devices.filter((one) => rest.every(({ devices }) => devices.includes(one)))) ?? "none";
}

/** Each once, null for none. @param {readonly string[]} words */
function inWords(words) {
  return [...new Set(words)].join(" ") || null;
}

/** The file's name in a URL, to find the image again in another session. @param {string} imageUrl */
export function fileNameOf(imageUrl) {
  const last = imageUrl.slice(imageUrl.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
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
