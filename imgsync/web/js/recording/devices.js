/**
 * Camera and microphone: opened, and what is said where they can't be.
 *
 * @import { Kind } from "../words/recording.js"
 */

import { listed } from "../words/recording.js";

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
export async function openDevices(wanted) {
  if (navigator.mediaDevices === undefined || globalThis.MediaRecorder === undefined) {
    throw new NoDevice(
      isSecureContext
        ? "This browser can’t record."
        : "A page can record only where its address begins with https.",
    );
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
  throw new NoDevice(`No ${listed(wanted, "or")} was found.`);
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
  const those = listed(kinds);
  if (isMissing(error)) return new NoDevice(`No ${those} was found.`);
  if (error instanceof DOMException && error.name === "NotAllowedError") {
    return new NoDevice(`The browser does not let this page use your ${those}.`);
  }
  return new NoDevice(`Your ${those} can’t be used; perhaps another program does.`);
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
export function closeDevices(stream) {
  for (const track of stream.getTracks()) track.stop();
}
