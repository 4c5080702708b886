/**
 * Camera and microphone: opened for a session, closed at its end, and what is told where they can't
 * be opened.
 *
 * @import { Kind } from "../words/recording.js"
 *
 * @typedef {object} DevicesListener
 * @property {(stream: MediaStream) => void} opened
 * @property {(error: NoDevice) => void} failed
 * @property {(kind: Kind) => void} gone one that was open; they are still to be closed
 */

import {
  CANT_RECORD,
  NOT_SECURE,
  describeForbidden,
  describeMissing,
  describeUnusable,
} from "../words/recording.js";

/** Small, as the machine has images to show meanwhile. */
const VIDEO = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
const VIDEO_BITS_PER_S = 1_000_000;
/** What is done to voices in calls would change what is recorded, and when. */
const AUDIO = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** What this browser records in, the first that it can; VP8 takes the least of the machine. */
const VIDEO_TYPES = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];
const AUDIO_TYPES = ["audio/webm;codecs=opus", "audio/webm", "audio/mp4"];

/**
 * @param {string} record as a link has it: `camera`, `microphone`, or both with a comma
 * @returns {Kind[] | null} null for anything else
 */
export function parseKinds(record) {
  const names = record.split(",").map((name) => name.trim());
  const kinds = /** @type {Kind[]} */ (["camera", "microphone"]).filter((kind) => names.includes(kind));
  return kinds.length === new Set(names).size ? kinds : null;
}

/** Nothing can be recorded; the message tells the participant why. */
export class NoDevice extends Error {}

/**
 * @param {readonly Kind[]} wanted
 * @returns {Promise<MediaStream>} of those of them that there are
 * @throws {NoDevice}
 */
async function openDevices(wanted) {
  if (navigator.mediaDevices === undefined || globalThis.MediaRecorder === undefined) {
    throw new NoDevice(isSecureContext ? CANT_RECORD : NOT_SECURE);
  }
  try {
    return await openAll(wanted);
  } catch (error) {
    if (!isMissing(error) || wanted.length === 1) throw explain(error, wanted);
  }
  // One of them is missing: the browser does not say which.
  for (const kind of wanted) {
    try {
      return await openAll([kind]);
    } catch (error) {
      if (!isMissing(error)) throw explain(error, [kind]);
    }
  }
  throw new NoDevice(describeMissing(wanted, "or"));
}

/** @param {readonly Kind[]} kinds */
function openAll(kinds) {
  return navigator.mediaDevices.getUserMedia({
    video: kinds.includes("camera") && VIDEO,
    audio: kinds.includes("microphone") && AUDIO,
  });
}

/** @param {unknown} error */
function isMissing(error) {
  return error instanceof DOMException && error.name === "NotFoundError";
}

/** @param {unknown} error @param {readonly Kind[]} kinds @returns {NoDevice} */
function explain(error, kinds) {
  if (isMissing(error)) return new NoDevice(describeMissing(kinds));
  const isForbidden = error instanceof DOMException && error.name === "NotAllowedError";
  return new NoDevice(isForbidden ? describeForbidden(kinds) : describeUnusable(kinds));
}

/** @param {MediaStream} stream @returns {Kind[]} what it is of */
export function kindsOf(stream) {
  /** @type {Kind[]} */
  const kinds = [];
  if (stream.getVideoTracks().length > 0) kinds.push("camera");
  if (stream.getAudioTracks().length > 0) kinds.push("microphone");
  return kinds;
}

/** @param {MediaStream} stream @returns {MediaRecorder} that has not been started */
export function makeRecorder(stream) {
  const types = stream.getVideoTracks().length > 0 ? VIDEO_TYPES : AUDIO_TYPES;
  const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type));
  return new MediaRecorder(stream, { mimeType, videoBitsPerSecond: VIDEO_BITS_PER_S });
}

/** @param {MediaStream} stream */
function closeDevices(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Those that a link asks for. */
export class Devices {
  #wanted;
  #listener;
  /** Those that are on. @type {MediaStream | null} */
  #stream = null;
  /**
   * Asked for and not there yet; aborted where they are not wanted any more.
   *
   * @type {{done: Promise<void>, control: AbortController} | null}
   */
  #opening = null;

  /** @param {readonly Kind[]} wanted @param {DevicesListener} listener */
  constructor(wanted, listener) {
    this.#wanted = wanted;
    this.#listener = listener;
  }

  get areOpen() {
    return this.#stream !== null;
  }

  /** @returns {Promise<void>} once they are on, or can't be */
  open() {
    if (this.#opening === null) {
      const control = new AbortController();
      const done = this.#ask(control.signal).finally(() => {
        if (this.#opening?.done === done) this.#opening = null;
      });
      this.#opening = { done, control };
    }
    return this.#opening.done;
  }

  /** @param {Promise<unknown>} captured when what is being recorded needs them no more */
  close(captured) {
    this.#opening?.control.abort();
    this.#opening = null;
    const stream = this.#stream;
    this.#stream = null;
    if (stream !== null) void captured.then(() => closeDevices(stream));
  }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    let stream;
    try {
      stream = await openDevices(this.#wanted);
    } catch (error) {
      if (!(error instanceof NoDevice)) throw error;
      if (!signal.aborted) this.#listener.failed(error);
      return;
    }
    if (signal.aborted) {
      closeDevices(stream);
      return;
    }
    this.#stream = stream;
    for (const track of stream.getTracks()) {
      const kind = track.kind === "video" ? "camera" : "microphone";
      track.addEventListener("ended", () => {
        if (stream === this.#stream) this.#listener.gone(kind);
      });
    }
    this.#listener.opened(stream);
  }
}
