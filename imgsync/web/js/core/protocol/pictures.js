/**
 * The vocabulary of the data channel `image-data`, and strict readers for what comes in on it: the
 * rules of `core/protocol/pictures.py` and `core/codec/pictures.py`.
 *
 *     evaluator │◀──── want {id, imageUrl, offset, sha256} ──│ client
 *               │── picture {id, offset, length, ...} ──────▶│    what follows
 *               │── chunk: id, offset, bytes ───────────────▶│
 *               │◀───────────────────── got {id, offset} ────│    for each chunk
 *               │◀───────────────────────── stop {id} ───────│    no more of it
 *               │── refused {id, reason, detail} ───────────▶│    also in the middle
 *
 * @typedef {{type: "want", id: number, imageUrl: string, offset: number, sha256?: string}} Want
 * @typedef {{type: "got", id: number, offset: number}} Got
 * @typedef {{type: "stop", id: number}} Stop
 * @typedef {{type: "picture", id: number, offset: number, length: number, contentType: string,
 *   sha256: string}} Head
 * @typedef {{type: "refused", id: number, reason: string, detail: string}} Refused
 * @typedef {{type: "chunk", id: number, offset: number, data: Uint8Array<ArrayBuffer>}} Chunk a binary message
 * @typedef {{type: "unreadable", why: string, id: number | null}} Unreadable what is none of these; `id`:
 *   of a want that has one all the same
 */

import { LARGE_CHUNK, MAX_DATA_TEXT } from "./numbers.js";
import { isCount, isDetail, isMediaType, isPrintable, isReason, isSha256, isWantId, isWhole } from "./values.js";
import { encodeText, may, must, or, parseObject, read } from "./wire.js";

/** Of the id, which is followed by the offset; big-endian. */
const ID_SIZE = 4;
/** Bytes in front of those of the picture. */
const CHUNK_HEADER = ID_SIZE + 8;

const TO_SENDER = {
  want: { id: must(isWantId), imageUrl: must(isPrintable), offset: must(isWhole), sha256: may(isSha256) },
  got: { id: must(isWantId), offset: must(isCount) },
  stop: { id: must(isWantId) },
};

const TO_RECEIVER = {
  picture: {
    id: must(isWantId),
    offset: must(isCount),
    length: must(isCount),
    contentType: must(isMediaType),
    sha256: must(isSha256),
  },
  refused: { id: must(isWantId), reason: must(isReason), detail: or(isDetail, "") },
};

/** @param {Want | Got | Stop | Head | Refused} message @returns {string} in ASCII */
export function encodeData(message) {
  return encodeText(JSON.stringify(message));
}

/** What a client says to who has the pictures. @param {unknown} data @returns {Want | Got | Stop | Unreadable} */
export function decodeWants(data) {
  if (typeof data !== "string") return unreadable("expected a text message, got a binary one");
  return decode(data, TO_SENDER);
}

/** What an evaluator says to who wants pictures. @param {unknown} data @returns {Head | Refused | Chunk | Unreadable} */
export function decodeHeads(data) {
  if (data instanceof ArrayBuffer) return unpackChunk(data);
  if (typeof data !== "string") return unreadable("expected a text message or bytes");
  return decode(data, TO_RECEIVER);
}

/** @param {number} id @param {number} offset @param {Uint8Array} data @returns {ArrayBuffer} a binary message */
export function packChunk(id, offset, data) {
  const message = new Uint8Array(CHUNK_HEADER + data.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, id);
  view.setUint32(ID_SIZE, Math.floor(offset / 2 ** 32));
  view.setUint32(ID_SIZE + 4, offset % 2 ** 32);
  message.set(data, CHUNK_HEADER);
  return message.buffer;
}

/** @param {ArrayBuffer} message @returns {Chunk | Unreadable} its bytes are those of the message, and no copy */
function unpackChunk(message) {
  const size = message.byteLength - CHUNK_HEADER;
  if (size <= 0 || size > LARGE_CHUNK) {
    return unreadable(`a binary message of ${message.byteLength} bytes is no chunk`);
  }
  const view = new DataView(message);
  const offset = view.getUint32(ID_SIZE) * 2 ** 32 + view.getUint32(ID_SIZE + 4);
  return { type: "chunk", id: view.getUint32(0), offset, data: new Uint8Array(message, CHUNK_HEADER) };
}

/** @param {string} why @param {number | null} [id] @returns {Unreadable} */
function unreadable(why, id = null) {
  return { type: "unreadable", why, id };
}

/** @param {string} text @param {Record<string, import("./wire.js").Fields>} vocabulary @returns {any} */
function decode(text, vocabulary) {
  if (text.length > 2 * MAX_DATA_TEXT || [...text].length > MAX_DATA_TEXT) {
    return unreadable(`longer than ${MAX_DATA_TEXT} characters`);
  }
  const message = parseObject(text);
  if (message === null) return unreadable("expected a JSON object");
  const type = Object.hasOwn(message, "type") ? message.type : null;
  if (typeof type !== "string" || !Object.hasOwn(vocabulary, type)) {
    return unreadable(`type: expected one of ${Object.keys(vocabulary).join(", ")}`);
  }
  const found = read(message, /** @type {import("./wire.js").Fields} */ (vocabulary[type]));
  if (found !== null) return { type, ...found };
  const id = type === "want" && isWantId(message.id) ? Number(message.id) : null;
  return unreadable(`a ${type} with a field that is missing, or not what it has to be`, id);
}
