/**
 * The vocabulary of the record, schema version 1: what a line of an evaluator can tell. Those who
 * read records (`imgsync report`) pass over a line that lacks one of these fields, or has something
 * else in it; so it is none of the record's.
 *
 * @import { Test } from "../core/protocol/values.js"
 *
 * @typedef {{event: string, at: number} & Record<string, any>} KnownEvent one with exactly its fields
 */

import { isExtra } from "../core/protocol/extra.js";
import {
  END_REASONS,
  POINTERS,
  RESPONSE_KINDS,
  SCHEMA,
  SESSION_STATES,
  STAGES,
  TIMINGS,
} from "../core/protocol/numbers.js";
import {
  isBoolean,
  isCount,
  isDetail,
  isDuration,
  isFeatures,
  isId,
  isName,
  isNumber,
  isObject,
  isOrdinal,
  isPositive,
  isPrintable,
  isReason,
  isSha256,
  isText,
  isWhole,
  oneOf,
} from "../core/protocol/values.js";
import { isDrawn, isTrial } from "../core/protocol/wire.js";

/** @param {Test} test @returns {Test} */
function orNull(test) {
  return (value) => value === null || test(value);
}

/** @param {unknown} value */
function isVersions(value) {
  return isObject(value) && Object.values(value).every(isText);
}

const SHOWING = { sessionId: isId, imageIndex: isWhole, sentAt: isNumber };

/** The fields of each event, in the order of a line, after `event` and `at`. @type {Record<string, Record<string, Test>>} */
export const EVENTS = {
  header: {
    schema: (value) => value === SCHEMA,
    role: oneOf(["evaluator"]),
    userId: isId,
    version: isText,
    python: isText,
    system: isText,
    libraries: isVersions,
    wallClock: isNumber,
    monotonicClock: isNumber,
  },
  session: { sessionId: isId, peerId: isId, resumed: isBoolean },
  state: { sessionId: isId, state: oneOf(SESSION_STATES), reason: orNull(oneOf(END_REASONS)), detail: isText },
  probe: { sessionId: isId, t0: isNumber, t1: isNumber, t2: isNumber, t3: isNumber },
  clock_step: { sessionId: orNull(isId), by: isNumber, whose: oneOf(["ours", "theirs"]) },
  sent: {
    sessionId: isId,
    imageIndex: isWhole,
    imageUrl: isPrintable,
    sentAt: isNumber,
    copy: isWhole,
  },
  acked: {
    ...SHOWING,
    receivedAt: isNumber,
    ackedAt: isNumber,
    roundTrip: isNumber,
    latency: orNull(isNumber),
    bound: orNull(isNumber),
  },
  superseded: SHOWING,
  recording: { sessionId: isId, devices: isFeatures, troubles: isFeatures, since: isNumber },
  stage: {
    ...SHOWING,
    stage: oneOf(STAGES),
    stageAt: isNumber,
    reason: orNull(isReason),
  },
  picture: {
    ...SHOWING,
    sha256: isSha256,
    contentType: isId,
    bytes: isCount,
    width: orNull(isCount),
    height: orNull(isCount),
  },
  study: {
    sessionId: isId,
    name: isName,
    order: oneOf(["given", "shuffled"]),
    seed: orNull(isWhole),
    trials: isCount,
  },
  response: {
    ...SHOWING,
    number: isOrdinal,
    responseAt: isNumber,
    kind: oneOf(RESPONSE_KINDS),
    value: isName,
  },
  mark: {
    sessionId: isId,
    imageIndex: orNull(isWhole),
    sentAt: orNull(isNumber),
    markAt: isNumber,
    score: orNull(isNumber),
    text: orNull(isText),
  },
  display: { sessionId: isId, since: isNumber },
};

/** Fields that are left out where nothing is known; they stand behind the others. @type {Record<string, Record<string, Test>>} */
const OPTIONAL = {
  sent: { extra: isExtra, trial: isTrial },
  stage: {
    timing: oneOf(TIMINGS),
    within: isDuration,
    detail: isDetail,
    frames: isCount,
    dropped: isCount,
    drawn: isDrawn,
  },
  response: { reactionTime: isNumber, within: isDuration, x: isNumber, y: isNumber },
  display: {
    screenWidth: isCount,
    screenHeight: isCount,
    windowWidth: isCount,
    windowHeight: isCount,
    pixelRatio: isPositive,
    zoom: isPositive,
    refreshRate: isPositive,
    isolated: isBoolean,
    resolution: isDuration,
    browser: isName,
    system: isName,
    languages: isFeatures,
    pointer: oneOf(POINTERS),
    checkedAt: isNumber,
    checkFound: isFeatures,
    keyboard: isBoolean,
    pxPerMm: isPositive,
    calibratedBy: isReason,
    distanceMm: isPositive,
    distanceBy: isReason,
    distanceWithinMm: isDuration,
  },
};

/**
 * @param {{event: string, at: number} & Record<string, unknown>} event
 * @returns {KnownEvent | null} the event as a line of the record has it; null for what is none
 */
export function recognize(event) {
  const fields = Object.hasOwn(EVENTS, event.event) ? EVENTS[event.event] : undefined;
  if (fields === undefined || !isNumber(event.at)) return null;
  /** @type {KnownEvent} */
  const known = { event: event.event, at: unsigned(event.at) };
  for (const [name, isSound] of Object.entries(fields)) {
    if (!isSound(event[name])) return null;
    known[name] = unsigned(event[name]);
  }
  for (const [name, isSound] of Object.entries(OPTIONAL[event.event] ?? {})) {
    const value = event[name] ?? null;
    if (value === null) continue;
    if (!isSound(value)) return null;
    known[name] = unsigned(value);
  }
  return known;
}

/** JSON as JavaScript writes it has no negative zero. @template T @param {T} value @returns {T} */
function unsigned(value) {
  return Object.is(value, -0) ? /** @type {any} */ (0) : value;
}
