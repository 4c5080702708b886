/**
 * What the page says of recording, in plain words.
 *
 * @import { Kind } from "./recording_devices.js"
 * @import { Row } from "./recording_store.js"
 *
 * @typedef {object} RecordingSituation
 * @property {readonly Kind[]} open the devices that are on
 * @property {string} trouble what can't be recorded, and why, in words; empty where all is well
 * @property {boolean} isFull whether this device has no room for more
 * @property {boolean} isLive whether a session goes on
 * @property {boolean | undefined} isSent whether recordings are sent to a server, or else saved by
 *   hand; undefined until the relay has said it
 * @property {number} failures of sending, in a row
 * @property {readonly Row[]} rows recordings that are on this device
 * @property {string} folder in which they were saved; empty for none
 */

/** Tries after which a participant may save what the server does not take. */
const PATIENCE = 3;

/** @param {readonly Kind[]} kinds @param {"and" | "or"} [word] */
export function listed(kinds, word = "and") {
  return kinds.join(` ${word} `);
}

const FULL =
  "There is no room left for recordings on this device: nothing more is recorded until some have been sent or saved.";

/** @param {RecordingSituation} situation @returns {string} whether something is recorded */
export function describeNow({ open, trouble, isFull, isLive }) {
  if (isFull) return FULL;
  if (open.length === 0) return trouble;
  const verb = open.length === 1 ? "is" : "are";
  const when = isLive ? "" : ", until the end of the session";
  const now = `Your ${listed(open)} ${verb} on. You are recorded while an image is shown${when}.`;
  return `${trouble} ${now}`.trim();
}

/** @param {RecordingSituation} situation @returns {{text: string, hint: string}} what is left to be done */
export function describeLeft(situation) {
  const { isLive, isSent, failures, rows, folder } = situation;
  const left = rows.filter(({ isSaved }) => !isSaved).length;
  const some = left === 1 ? "1 recording" : `${left} recordings`;
  if (rows.length === 0) {
    return { text: folder === "" ? "" : `All recordings are in the folder “${folder}”.`, hint: "" };
  }
  if (isSent) {
    const text = `${rows.length === 1 ? "1 recording" : `${rows.length} recordings`} still to be sent.`;
    const trying = "The server does not take them at this moment; this page tries again by itself.";
    return { text, hint: failures > 0 ? trying : "Please keep this page open." };
  }
  if (isLive) return { text: `${some} on this device.`, hint: "You can save them after the session." };
  if (left === 0) {
    const hint = "Please look whether they are in your downloads before you close this page.";
    return { text: "You have saved all recordings.", hint };
  }
  return { text: `${some} still to be saved.`, hint: "They are on this device only, until you save them." };
}

/** @param {RecordingSituation} situation @returns {boolean} whether to save them is up to the participant */
export function isToBeSaved({ isLive, isSent, failures, rows }) {
  return !isLive && rows.length > 0 && (!isSent || failures >= PATIENCE);
}

/** @param {number} bytes */
export function formatSize(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
