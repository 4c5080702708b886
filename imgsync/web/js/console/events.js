/**
 * The vocabulary of the record, schema version 1: what a line of an evaluator can tell. Those who
 * read records (`imgsync report`) pass over a line that lacks one of these fields, or has something
 * else in it; so it is none of the record's.
 *
 * @typedef {{event: string, at: number} & Record<string, any>} Told an event with exactly its fields
 * @typedef {(value: any) => boolean} Check
 */

/** The version of the vocabulary, which the record shares with the other peers. */
export const SCHEMA = 1;

/** Whole numbers up to here are the same in every language. */
const MAX_NUMBER = 2 ** 53;
/** Characters of an id or a name. */
const MAX_ID = 128;

/** @type {Check} */
const isNumber = (value) => typeof value === "number" && Math.abs(value) <= MAX_NUMBER;
/** @type {Check} */
const isWhole = (value) => Number.isInteger(value) && isNumber(value);
/** @type {Check} */
const isBoolean = (value) => typeof value === "boolean";
/** Without half a surrogate pair, which UTF-8 can't write. @type {Check} */
const isText = (value) => typeof value === "string" && !/\p{Cs}/u.test(value);
/** No control characters, and no white space but the space itself. @type {Check} */
const isPrintable = (value) => typeof value === "string" && !/(?! )[\p{C}\p{Z}]/u.test(value);
/** @type {Check} */
const isName = (value) => isPrintable(value) && [...value].length <= MAX_ID;
/** @type {Check} */
const isId = (value) => isName(value) && value !== "";
/** @param {...string} words @returns {Check} */
const oneOf = (...words) => (value) => words.includes(value);
/** @param {Check} isSound @returns {Check} */
const orNull = (isSound) => (value) => value === null || isSound(value);
/** @type {Check} */
const isVersions = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isText);

const isState = oneOf("connecting", "connected", "suspect", "interrupted", "resumed", "ended");
const isEndReason = oneOf(
  "ended",
  "replaced",
  "peer_gone",
  "claimed_elsewhere",
  "relay_shutdown",
  "connection_lost",
  "connect_timeout",
  "negotiation_failed",
  "signalling_lost",
);

const SHOWING = { sessionId: isId, imageIndex: isWhole, sentAt: isNumber };

/** The fields of each event, in the order of a line, after `event` and `at`. @type {Record<string, Record<string, Check>>} */
export const EVENTS = {
  header: {
    schema: (value) => value === SCHEMA,
    role: oneOf("evaluator"),
    userId: isId,
    version: isText,
    python: isText,
    system: isText,
    libraries: isVersions,
    wallClock: isNumber,
    monotonicClock: isNumber,
  },
  session: { sessionId: isId, peerId: isId, resumed: isBoolean },
  state: { sessionId: isId, state: isState, reason: orNull(isEndReason), detail: isText },
  probe: { sessionId: isId, t0: isNumber, t1: isNumber, t2: isNumber, t3: isNumber },
  clock_step: { sessionId: orNull(isId), by: isNumber, whose: oneOf("ours", "theirs") },
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
  stage: {
    ...SHOWING,
    stage: oneOf("fetched", "shown", "hidden", "failed"),
    stageAt: isNumber,
    reason: orNull(isName),
  },
};

/**
 * @param {{event: string, at: number} & Record<string, unknown>} event
 * @returns {Told | null} the event as a line of the record has it; null for what is none
 */
export function tell(event) {
  const fields = Object.hasOwn(EVENTS, event.event) ? EVENTS[event.event] : undefined;
  if (fields === undefined || !isNumber(event.at)) return null;
  /** @type {Told} */
  const told = { event: event.event, at: unsigned(event.at) };
  for (const [name, isSound] of Object.entries(fields)) {
    if (!isSound(event[name])) return null;
    told[name] = unsigned(event[name]);
  }
  return told;
}

/** JSON as JavaScript writes it has no negative zero. @template T @param {T} value @returns {T} */
function unsigned(value) {
  return Object.is(value, -0) ? /** @type {any} */ (0) : value;
}
