/**
 * The vocabulary of both wires, and strict readers for what comes in: they take what those of the
 * Python peers take, and nothing else. What a reader does not know is left out.
 *
 * @typedef {"evaluator" | "client"} Role
 * @typedef {{urls: string | string[], username?: string, credential?: string}} IceServer
 * @typedef {"available" | "waiting" | "busy" | "offline"} PresenceState
 * @typedef {"waiting" | "entered"} DoorState on which side of its door the page of a client is
 * @typedef {{userId: string, name?: string, state: PresenceState,
 *   features: string[]}} Presence `features`: what the client speaks on the channel
 *
 * What the relay says in a session's end, and what a peer finds by itself:
 * @typedef {"ended" | "replaced" | "peer_gone" | "claimed_elsewhere" | "relay_shutdown"
 *   | "token_expired" | "connection_lost" | "connect_timeout" | "negotiation_failed" | "unsupported"
 *   | "signalling_lost"} EndReason
 *
 * What a peer says of a session's end; without a reason it is `ended`:
 * @typedef {{sessionId: string, reason?: EndReason, detail?: string}} EndSession
 *
 * @typedef {{candidate: string | null, sdpMid?: string | null, sdpMLineIndex?: number | null,
 *   usernameFragment?: string | null}} CandidateSignal `candidate` is null at the end of them
 * @typedef {{type: "offer" | "answer", sdp: string}} DescriptionSignal
 * @typedef {DescriptionSignal | {type: "request_offer" | "bad_candidate" | "unknown"} | CandidateSignal} Signal
 *
 * On the data channel:
 * @typedef {{imageUrl: string, signedUrl: string | null}} UpcomingImage `signedUrl`: null for what comes over
 *   the connection itself, on a channel of its own
 * @typedef {{keys?: string[], taps?: boolean, ends?: boolean}} Respond which answers count: keys by their names, taps;
 *   `ends`: the first one takes the image away
 * @typedef {{showFor?: number, frames?: number, respond?: Respond, text?: string, sizeMm?: number, sizeDeg?: number,
 *   scale?: "1:1"}} Trial what is asked of a client beside showing an image: for how many milliseconds or refreshes of
 *   the screen, which answers, a text in place of a picture; `sizeMm`, `sizeDeg`: of its longer side, in millimetres or
 *   degrees of visual angle; `scale`: one pixel of it on each of the screen
 * @typedef {UpcomingImage & {imageIndex: number, sentAt: number} & Trial} Image
 * @typedef {UpcomingImage & {own?: object, trial?: Trial}} ImageSource an image that can be shown; `own`: what is known
 *   of one whose bytes are the evaluator's to send
 * @typedef {"fetched" | "shown" | "hidden" | "failed"} StageName
 * @typedef {"presented" | "frame"} Timing what the time of a `shown` is
 * @typedef {{type: "stage", imageIndex: number, sentAt: number, stage: StageName, at: number,
 *   reason?: string, timing?: Timing, within?: number, detail?: string, frames?: number, dropped?: number,
 *   drawn?: Drawn}} Stage
 *   `within`: milliseconds that `at` is off by at most; `frames`: of what is hidden, for how many refreshes of the screen
 *   it was up; `dropped`: how many of these the page missed
 * @typedef {{widthPx: number, heightPx: number, widthMm?: number, heightMm?: number, fitted?: string}} Drawn how large an
 *   image is on the screen, in CSS pixels and, where that is calibrated, millimetres; `fitted`: why it is as large as the
 *   window lets it be although a size was asked
 * @typedef {"key" | "tap" | "button" | "too_many"} ResponseKind
 * @typedef {{type: "response", imageIndex: number, sentAt: number, number: number, at: number, kind: ResponseKind,
 *   value: string, reactionTime?: number, within?: number, x?: number, y?: number}} Response `number`: from 1, of all
 *   answers of this page; `at`: the event's own time; `reactionTime`: milliseconds since the onset, where that is known;
 *   `x`, `y`: of a tap on the picture, in its own pixels
 * @typedef {{type: "response_ack", imageIndex: number, sentAt: number, number: number}} ResponseAck
 * @typedef {{type: "display", at: number, checkedAt?: number, checkFound?: string[], screenWidth?: number, screenHeight?: number, windowWidth?: number,
 *   windowHeight?: number, pixelRatio?: number, zoom?: number, refreshRate?: number, isolated?: boolean,
 *   resolution?: number, browser?: string, system?: string, languages?: string[], pointer?: "fine" | "coarse" | "none",
 *   keyboard?: boolean} & Calibration} Display what the client shows images on since `at`; sizes in CSS pixels, `refreshRate` in Hz,
 *   `resolution`: milliseconds from one step of its clock to the next
 * @typedef {{pxPerMm?: number, calibratedBy?: string, distanceMm?: number, distanceBy?: string,
 *   distanceWithinMm?: number}} Calibration `pxPerMm`: CSS pixels; `distanceMm`: from the screen to the eyes;
 *   `distanceWithinMm`: how far single measurements of it were from that, at most
 * @typedef {{type: "identity", imageIndex: number, sentAt: number, sha256: string, contentType: string,
 *   bytes: number, width?: number, height?: number}} Identity what a client that fetched a picture by its URL has
 *   got; `width`, `height`: in pixels, where it has a size of its own
 * @typedef {{type: "preloaded", announced: number, there: number, failed: number, full?: boolean}} Preloaded
 *   how many of the images that were announced, and not shown yet, are at the client; `full`: it has no
 *   room for more of them until some were shown
 * @typedef {{type: "recording", devices: string[], troubles: string[], at: number}} Recording
 * @typedef {{type: "ready", features: string[]}} Ready
 * @typedef {{type: "ack", sentAt: number, receivedAt: number, imageIndex?: number}} Ack
 * @typedef {{type: "preload", images: UpcomingImage[]}} Preload
 * @typedef {{type: "ping", id: number | string, t0: number}} Ping
 * @typedef {{type: "pong", id: number | string, t0: number, t1: number, t2: number}} Pong
 * @typedef {Image | Preload | Ready | Ack | Stage | Response | ResponseAck | Identity | Preloaded | Recording
 *   | Display} TalkMessage what evaluator and client say to each other
 * @typedef {TalkMessage | Ping | Pong} ChannelMessage
 *
 * @import { Test } from "./values.js"
 */

import {
  DEFAULT_STUN,
  END_REASONS,
  ERROR_CODES,
  MAX_CHANNEL_MESSAGE,
  MAX_MEMBERS,
  POINTERS,
  PRESENCE_STATES,
  RESPONSE_KINDS,
  SCALES,
  ROLES,
  STAGES,
  TIMINGS,
} from "./numbers.js";
import {
  isBoolean,
  isCount,
  isDetail,
  isDuration,
  isFeatures,
  isFrames,
  isId,
  isKeys,
  isMediaType,
  isName,
  isNumber,
  isObject,
  isOrdinal,
  isPositive,
  isPrintable,
  isReason,
  isRef,
  isScreenText,
  isSha256,
  isShowFor,
  isSizeDeg,
  isSizeMm,
  isText,
  isValue,
  isWhole,
  listOf,
  oneOf,
} from "./values.js";

/** @type {readonly IceServer[]} */
export const DEFAULT_ICE_SERVERS = [{ urls: DEFAULT_STUN }];

/** @param {unknown} value */
function isPingId(value) {
  return isWhole(value) || isName(value);
}

/** @param {unknown} value */
function isTextOrTexts(value) {
  return isText(value) || listOf(isText)(value);
}

// ── objects ──────────────────────────────────────────────────────────────────────────────────────

/**
 * How a field is read: by a test of its value, or as an object or a list of objects of its own.
 *
 * @typedef {{test: Test, isOptional?: boolean, absent?: unknown, of?: Fields, isUnread?: boolean}} Field
 *   `isOptional`: it may be missing, and null is as good as that; `absent`: what a missing one is;
 *   `isUnread`: no peer goes by it, so that one of the wrong type is as good as null
 * @typedef {Record<string, Field>} Fields
 */

/** @param {Test} test @returns {Field} */
export function must(test) {
  return { test };
}

/** @param {Test} test @returns {Field} */
export function may(test) {
  return { test, isOptional: true };
}

/** It may be missing, and then is that. @param {Test} test @param {unknown} absent @returns {Field} */
export function or(test, absent) {
  return { test, isOptional: true, absent };
}

/** What is in it matters to nobody. @param {Field} field @returns {Field} */
function unread(field) {
  return { ...field, isUnread: true };
}

/** @param {Fields} of @returns {Field} */
function list(of) {
  return { test: Array.isArray, of };
}

/** It may be missing. @param {Fields} of @returns {Field} */
function mayBe(of) {
  return { test: isObject, isOptional: true, of };
}

/**
 * @param {unknown} value
 * @param {Fields} fields
 * @returns {Record<string, any> | null} the fields that are known; null where one is missing or of
 *   the wrong type
 */
export function read(value, fields) {
  if (!isObject(value)) return null;
  /** @type {Record<string, any>} */
  const found = {};
  for (const [name, field] of Object.entries(fields)) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given === undefined || (given === null && field.isOptional)) {
      if (field.absent !== undefined) found[name] = field.absent;
      else if (!field.isOptional) return null;
      continue;
    }
    if (!field.test(given)) {
      if (!field.isUnread) return null;
      continue;
    }
    if (field.of === undefined) {
      found[name] = given;
      continue;
    }
    const { of } = field;
    const items = Array.isArray(given) ? given : [given];
    const inside = items.map((item) => read(item, of));
    if (inside.includes(null)) return null;
    found[name] = Array.isArray(given) ? inside : inside[0];
  }
  return found;
}

/** @param {string} text @returns {Record<string, unknown> | null} */
export function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

// ── data channel ─────────────────────────────────────────────────────────────────────────────────

/** @type {Fields} */
const SOURCE = { imageUrl: must(isPrintable), signedUrl: or(isPrintable, null) };
/** @type {Fields} */
const RESPOND = { keys: or(isKeys, []), taps: or(isBoolean, false), ends: or(isBoolean, false) };
/** @type {Fields} */
const TRIAL = {
  showFor: may(isShowFor),
  frames: may(isFrames),
  respond: mayBe(RESPOND),
  text: may(isScreenText),
  sizeMm: may(isSizeMm),
  sizeDeg: may(isSizeDeg),
  scale: may(oneOf(SCALES)),
};
/** @type {Fields} */
const DRAWN = {
  widthPx: must(isPositive),
  heightPx: must(isPositive),
  widthMm: may(isPositive),
  heightMm: may(isPositive),
  fitted: may(isReason),
};
/** @type {Fields} */
const IMAGE = { imageIndex: must(isWhole), ...SOURCE, sentAt: must(isNumber), ...TRIAL };

/** By type. @type {Record<string, Fields>} */
const MESSAGES = {
  ready: { features: or(listOf(isText), []) },
  ack: { sentAt: must(isNumber), receivedAt: must(isNumber), imageIndex: may(isWhole) },
  stage: {
    imageIndex: must(isWhole),
    sentAt: must(isNumber),
    stage: must(oneOf(STAGES)),
    at: must(isNumber),
    reason: may(isReason),
    timing: may(oneOf(TIMINGS)),
    within: may(isDuration),
    detail: may(isDetail),
    frames: may(isCount),
    dropped: may(isCount),
    drawn: mayBe(DRAWN),
  },
  response: {
    imageIndex: must(isWhole),
    sentAt: must(isNumber),
    number: must(isOrdinal),
    at: must(isNumber),
    kind: must(oneOf(RESPONSE_KINDS)),
    value: must(isValue),
    reactionTime: may(isNumber),
    within: may(isDuration),
    x: may(isNumber),
    y: may(isNumber),
  },
  response_ack: { imageIndex: must(isWhole), sentAt: must(isNumber), number: must(isOrdinal) },
  identity: {
    imageIndex: must(isWhole),
    sentAt: must(isNumber),
    sha256: must(isSha256),
    contentType: must(isMediaType),
    bytes: must(isCount),
    width: may(isCount),
    height: may(isCount),
  },
  preloaded: {
    announced: must(isCount),
    there: must(isCount),
    failed: must(isCount),
    full: may(isBoolean),
  },
  recording: { devices: must(isFeatures), troubles: must(isFeatures), at: must(isNumber) },
  display: {
    at: must(isNumber),
    screenWidth: may(isCount),
    screenHeight: may(isCount),
    windowWidth: may(isCount),
    windowHeight: may(isCount),
    pixelRatio: may(isPositive),
    zoom: may(isPositive),
    refreshRate: may(isPositive),
    isolated: may(isBoolean),
    resolution: may(isDuration),
    browser: may(isName),
    system: may(isName),
    languages: or(isFeatures, []),
    pointer: may(oneOf(POINTERS)),
    checkedAt: may(isNumber),
    checkFound: or(isFeatures, []),
    keyboard: may(isBoolean),
    pxPerMm: may(isPositive),
    calibratedBy: may(isReason),
    distanceMm: may(isPositive),
    distanceBy: may(isReason),
    distanceWithinMm: may(isDuration),
  },
  preload: { images: list(SOURCE) },
  ping: { id: must(isPingId), t0: must(isNumber) },
  pong: { id: must(isPingId), t0: must(isNumber), t1: must(isNumber), t2: must(isNumber) },
};

/** @template {Trial} T @param {T | null} asked @returns {T | null} null for a time and a number of frames, or two sizes */
function orContrary(asked) {
  if (asked?.showFor !== undefined && asked.frames !== undefined) return null;
  const sizes = [asked?.sizeMm, asked?.sizeDeg, asked?.scale].filter((size) => size !== undefined);
  return sizes.length > 1 ? null : asked;
}

/** @param {Record<string, unknown>} message @returns {Image | null} */
function readImage(message) {
  return orContrary(/** @type {Image | null} */ (read(message, IMAGE)));
}

/** @param {unknown} value @returns {value is Drawn} */
export function isDrawn(value) {
  return read(value, DRAWN) !== null;
}

/** @param {unknown} value @returns {value is Trial} */
export function isTrial(value) {
  return orContrary(/** @type {Trial | null} */ (read(value, TRIAL))) !== null;
}

/**
 * @param {unknown} data of a message event
 * @returns {ChannelMessage | null} null for what is no message, or of a type that is not known
 */
export function decodeMessage(data) {
  // Characters are counted, as everywhere, and not the halves of surrogate pairs.
  if (typeof data !== "string" || data.length > 2 * MAX_CHANNEL_MESSAGE) return null;
  if (data.length > MAX_CHANNEL_MESSAGE && [...data].length > MAX_CHANNEL_MESSAGE) return null;
  const message = parseObject(data);
  if (message === null) return null;
  const type = Object.hasOwn(message, "type") ? message.type : null;
  if (type === null) return readImage(message);
  if (typeof type !== "string" || !Object.hasOwn(MESSAGES, type)) return null;
  const found = read(message, /** @type {Fields} */ (MESSAGES[type]));
  return found && /** @type {any} */ ({ type, ...found });
}

/**
 * @param {ChannelMessage} message
 * @param {number} [limit] bytes that the other side takes, where that is less than ours
 * @returns {string}
 * @throws {RangeError} for one that the other side would refuse
 */
export function encodeMessage(message, limit = MAX_CHANNEL_MESSAGE) {
  const text = encodeText(JSON.stringify(message));
  const most = Math.min(limit, MAX_CHANNEL_MESSAGE);
  if (text.length > most) throw new RangeError(`a message of ${text.length} bytes; at most ${most}`);
  return text;
}

/** JSON in ASCII, as the Python peers write it, so that both count as many bytes. @param {string} json */
export function encodeText(json) {
  return json.replace(/[^ -~]/g, escapeUnit);
}

/** @param {string} unit of UTF-16 */
function escapeUnit(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

// ── signalling ───────────────────────────────────────────────────────────────────────────────────

/** @type {Fields} */
const ICE_SERVER = { urls: must(isTextOrTexts), username: may(isText), credential: may(isText) };
/** What a client or the relay speaks of the extensions. @type {Field} */
const SPOKEN = or(isFeatures, []);
/** @type {Fields} */
const PRESENCE = {
  userId: must(isId),
  state: must(oneOf(PRESENCE_STATES)),
  name: may(isName),
  features: SPOKEN,
};
/** @type {Fields} */
const OF_PEER = { sessionId: must(isId), userId: unread(must(isId)) };

/** What the relay says, by event. @type {Record<string, Fields>} */
const EVENTS = {
  registered: {
    userId: unread(must(isId)),
    role: unread(must(oneOf(ROLES))),
    name: unread(may(isName)),
    iceServers: { ...list(ICE_SERVER), isOptional: true },
    clients: { ...list(PRESENCE), isOptional: true },
    recordingUrl: may(isPrintable),
    features: SPOKEN,
  },
  ice_servers: { iceServers: list(ICE_SERVER) },
  session_started: {
    sessionId: must(isId),
    evaluatorId: may(isId),
    evaluatorName: may(isName),
    clientId: may(isId),
    resumed: or(isBoolean, false),
    features: SPOKEN,
    ref: may(isRef),
  },
  webrtc_signal: { fromUserId: must(isId), signal: must(() => true), sessionId: may(isId) },
  presence: PRESENCE,
  presences: { clients: list(PRESENCE) },
  waiting: { others: must(oneOf(PRESENCE_STATES)), again: or(isBoolean, false) },
  peer_away: OF_PEER,
  peer_back: OF_PEER,
  session_ended: {
    sessionId: must(isId),
    reason: must(oneOf(END_REASONS)),
    byUserId: unread(may(isId)),
    detail: may(isDetail),
  },
  error: { code: must(oneOf(ERROR_CODES)), message: must(isText), event: may(isText), ref: may(isRef) },
  pong: { id: must(isWhole) },
};

/** @param {unknown} value how many it has, if it is an object */
function membersOf(value) {
  return isObject(value) ? Object.keys(value).length : 0;
}

/**
 * @param {unknown} data of a message event
 * @returns {{event: string, data: Record<string, any>} | null} null for what is no event of the relay
 */
export function decodeEvent(data) {
  const frame = typeof data === "string" ? parseObject(data) : null;
  if (frame === null || typeof frame.event !== "string") return null;
  if (membersOf(frame) + membersOf(frame.data) > MAX_MEMBERS) return null;
  const { event } = frame;
  if (!Object.hasOwn(EVENTS, event)) return null;
  const found = read(frame.data, /** @type {Fields} */ (EVENTS[event]));
  return found && { event, data: found };
}

/** @type {Fields} */
const DESCRIPTION = { sdp: must(isText) };
/** @type {Fields} */
const CANDIDATE = {
  candidate: or(isText, null),
  sdpMid: unread(may(isText)),
  sdpMLineIndex: unread(may(isWhole)),
  usernameFragment: may(isText),
};

/**
 * @param {unknown} value the `signal` of a `webrtc_signal`
 * @returns {Signal | null} null for what can't be read
 */
export function decodeSignal(value) {
  if (value === null) return { candidate: null };
  if (!isObject(value)) return null;
  const type = Object.hasOwn(value, "type") ? value.type : undefined;
  if ((type ?? null) === null && Object.hasOwn(value, "candidate")) {
    const found = read(value, CANDIDATE);
    if (found === null) return { type: "bad_candidate" };
    const text = (found.candidate ?? "").replace(/^a=/, "").replace(/^candidate:/, "");
    const line = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
    return /** @type {any} */ ({ ...found, candidate: line === "" ? null : `candidate:${line}` });
  }
  switch (type) {
    case undefined:
      return null; // neither a type nor a candidate
    case "request_offer":
      return { type: "request_offer" };
    case "offer":
    case "answer": {
      const found = read(value, DESCRIPTION);
      return found && { type, sdp: found.sdp };
    }
    default:
      return { type: "unknown" }; // not ours to know
  }
}
