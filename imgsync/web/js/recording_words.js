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
 * @property {string | null} host that takes recordings; null for none, and until the relay has said it
 * @property {number} failures of sending, in a row
 * @property {readonly Row[]} rows recordings that are on this device
 * @property {string} folder in which they were saved; empty for none
 */

import { mayGoTo } from "./recording_destination.js";

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
  const { host, rows, folder } = situation;
  if (rows.length === 0) {
    return { text: folder === "" ? "" : `What you saved is in the folder “${folder}”.`, hint: "" };
  }
  const sent = rows.filter((row) => mayGoTo(row, host));
  const kept = rows.filter((row) => !mayGoTo(row, host));
  const parts = [];
  if (sent.length > 0) parts.push(describeUnsent(sent, situation));
  if (kept.length > 0) parts.push(describeUnsaved(kept, situation));
  return {
    text: parts.map(({ text }) => text).join(" "),
    hint: parts.map(({ hint }) => hint).join(" "),
  };
}

/** @param {readonly Row[]} rows those that are sent @param {RecordingSituation} situation */
function describeUnsent(rows, { failures }) {
  const trying = "The server does not take them at this moment; this page tries again by itself.";
  return {
    text: `${count(rows)} still to be sent.`,
    hint: failures > 0 ? trying : "Please keep this page open.",
  };
}

/** @param {readonly Row[]} rows those that nobody gets @param {RecordingSituation} situation */
function describeUnsaved(rows, { isLive, rows: all }) {
  const left = rows.filter(({ isSaved }) => !isSaved);
  if (isLive) {
    return { text: `${count(left)} on this device.`, hint: "You can save them after the session." };
  }
  if (left.length === 0) {
    const text = `You have saved ${rows.length === all.length ? "all recordings" : "the others"}.`;
    return { text, hint: "Please look whether they are in your downloads before you close this page." };
  }
  const those = rows.length === all.length ? "They" : "Those to be saved";
  return {
    text: `${count(left)} still to be saved.`,
    hint: `${those} are on this device only, until you save them.`,
  };
}

/** @param {readonly Row[]} rows */
function count({ length }) {
  return length === 1 ? "1 recording" : `${length} recordings`;
}

/** @param {RecordingSituation} situation @returns {readonly Row[]} those that are up to the participant to save */
export function rowsToSave({ isLive, host, failures, rows }) {
  if (isLive) return [];
  return failures >= PATIENCE ? rows : rows.filter((row) => !mayGoTo(row, host));
}

/** @param {number} bytes */
export function formatSize(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
