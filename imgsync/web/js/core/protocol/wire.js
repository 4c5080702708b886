/**
 * The vocabulary of both wires, as PROTOCOL.md has it, and strict readers for what comes in.
 *
 * @typedef {"evaluator" | "client"} Role
 * @typedef {{urls: string | string[], username?: string, credential?: string}} IceServer
 * @typedef {{userId: string, name: string, state: "available" | "busy" | "offline"}} Presence
 *
 * What the relay says in a session's end, and what a peer finds by itself:
 * @typedef {"ended" | "replaced" | "peer_gone" | "claimed_elsewhere" | "relay_shutdown"
 *   | "connection_lost" | "connect_timeout" | "negotiation_failed" | "signalling_lost"} EndReason
 *
 * @typedef {{candidate: string | null, sdpMid?: string | null, sdpMLineIndex?: number | null,
 *   usernameFragment?: string | null}} CandidateSignal `candidate` is null at the end of them
 * @typedef {{type: "offer" | "answer", sdp: string}} DescriptionSignal
 * @typedef {DescriptionSignal | {type: "request_offer" | "unknown"} | CandidateSignal} Signal
 *
 * On the data channel:
 * @typedef {{imageUrl: string, signedUrl: string}} ImageSource
 * @typedef {ImageSource & {imageIndex: number, sentAt: number}} Image
 * @typedef {"fetched" | "shown" | "hidden" | "failed"} StageName
 * @typedef {{type: "stage", imageIndex: number, sentAt: number, stage: StageName, at: number,
 *   reason?: string}} Stage
 * @typedef {{type: "ready", features: string[]}} Ready
 * @typedef {{type: "ack", sentAt: number, receivedAt: number, imageIndex?: number}} Ack
 * @typedef {{type: "preload", images: ImageSource[]}} Preload
 * @typedef {{type: "ping", id: number | string, t0: number}} Ping
 * @typedef {{type: "pong", id: number | string, t0: number, t1: number, t2: number}} Pong
 * @typedef {Image | Ready | Ack | Stage | Preload | Ping | Pong} ChannelMessage
 */

export const CHANNEL_LABEL = "image-sync";

/** @type {readonly IceServer[]} */
export const DEFAULT_ICE_SERVERS = [{ urls: "stun:stun.l.google.com:19302" }];

/** Bytes of a message on the channel. */
export const MAX_MESSAGE = 64 * 1024;

/** @type {(value: unknown) => value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {value is number} */
function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** @param {unknown} value @returns {value is string} */
function isText(value) {
  return typeof value === "string";
}

/** @param {unknown} value @returns {value is number} */
function isIndex(value) {
  return isNumber(value) && Number.isInteger(value) && value >= 0;
}

/** @param {unknown} value */
function isId(value) {
  return isText(value) || (isNumber(value) && Number.isInteger(value));
}

/** @param {unknown} value @returns {value is ImageSource} */
function isSource(value) {
  return isObject(value) && isText(value.imageUrl) && isText(value.signedUrl);
}

/** @param {string} text @returns {Record<string, unknown> | null} */
function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** By type, what a message has to have. @type {Record<string, (m: Record<string, any>) => boolean>} */
const IS_SOUND = {
  ready: () => true,
  ack: (m) => isNumber(m.sentAt) && isNumber(m.receivedAt),
  stage: (m) => isIndex(m.imageIndex) && isNumber(m.sentAt) && isText(m.stage) && isNumber(m.at),
  preload: (m) => Array.isArray(m.images) && m.images.every(isSource),
  ping: (m) => isId(m.id) && isNumber(m.t0),
  pong: (m) => isId(m.id) && isNumber(m.t0) && isNumber(m.t1) && isNumber(m.t2),
};

/**
 * @param {unknown} data of a message event
 * @returns {ChannelMessage | null} null for what is no message, or of a type that is not known
 */
export function decodeMessage(data) {
  if (typeof data !== "string" || data.length > MAX_MESSAGE) return null;
  const message = parseObject(data);
  if (message === null) return null;
  if (message.type === undefined) {
    const { imageIndex, sentAt } = message;
    const isImage = isIndex(imageIndex) && isNumber(sentAt) && isSource(message);
    return isImage ? /** @type {any} */ (message) : null;
  }
  const type = String(message.type);
  if (!Object.hasOwn(IS_SOUND, type) || !IS_SOUND[type]?.(message)) return null;
  if (type === "ready") {
    const named = Array.isArray(message.features) ? message.features.filter(isText) : [];
    return { type: "ready", features: named };
  }
  return /** @type {any} */ (message);
}

/**
 * @param {ChannelMessage} message
 * @returns {string}
 * @throws {RangeError} for one that the other side would refuse
 */
export function encodeMessage(message) {
  const text = JSON.stringify(message);
  const size = new TextEncoder().encode(text).length;
  if (size > MAX_MESSAGE) throw new RangeError(`a message of ${size} bytes; at most ${MAX_MESSAGE}`);
  return text;
}

/**
 * @param {unknown} data of a message event
 * @returns {{event: string, data: Record<string, any>} | null} null for what is no event
 */
export function decodeEvent(data) {
  const frame = typeof data === "string" ? parseObject(data) : null;
  if (frame === null || !isText(frame.event) || !isObject(frame.data)) return null;
  return { event: frame.event, data: frame.data };
}

/**
 * @param {unknown} value the `signal` of a `webrtc_signal`
 * @returns {Signal | null} null for what is none
 */
export function decodeSignal(value) {
  if (value === null) return { candidate: null };
  if (!isObject(value)) return null;
  if (value.type === "request_offer") return { type: "request_offer" };
  if (value.type === "offer" || value.type === "answer") {
    return isText(value.sdp) ? { type: value.type, sdp: value.sdp } : null;
  }
  if (isText(value.type)) return { type: "unknown" }; // not ours to know
  if (value.candidate !== null && !isText(value.candidate)) return null;
  return {
    candidate: value.candidate || null,
    sdpMid: isText(value.sdpMid) ? value.sdpMid : null,
    sdpMLineIndex: isIndex(value.sdpMLineIndex) ? value.sdpMLineIndex : null,
    usernameFragment: isText(value.usernameFragment) ? value.usernameFragment : null,
  };
}
