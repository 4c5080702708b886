/**
 * What the page says of recording, in plain words.
 *
 * @typedef {"camera" | "microphone"} Kind of device
 *
 * @typedef {object} Devices
 * @property {readonly Kind[]} open those that are on
 * @property {string} trouble what can't be recorded, and why, in words; empty where all is well
 * @property {boolean} isFull whether this device has no room for more
 * @property {boolean} isLive whether a session goes on
 *
 * @typedef {object} Left recordings on this device
 * @property {number} unsent those that a server takes
 * @property {readonly {isSaved: boolean}[]} kept those that nobody gets
 * @property {number} failures of sending, in a row
 * @property {boolean} isLive whether a session goes on
 * @property {string} folder in which some were saved; empty for none
 */

/** @param {readonly Kind[]} kinds @param {"and" | "or"} [word] */
export function listed(kinds, word = "and") {
  return kinds.join(` ${word} `);
}

const FULL =
  "There is no room left for recordings on this device: nothing more is recorded until some have been sent or saved.";

/** @param {Devices} devices @returns {string} whether something is recorded */
export function describeNow({ open, trouble, isFull, isLive }) {
  if (isFull) return FULL;
  if (open.length === 0) return trouble;
  const verb = open.length === 1 ? "is" : "are";
  const when = isLive ? "" : ", until the end of the session";
  const now = `Your ${listed(open)} ${verb} on. You are recorded while an image is shown${when}.`;
  return `${trouble} ${now}`.trim();
}

/** @param {Left} left @returns {{text: string, hint: string}} what is left to be done */
export function describeLeft({ unsent, kept, failures, isLive, folder }) {
  if (unsent + kept.length === 0) {
    return { text: folder === "" ? "" : `What you saved is in the folder “${folder}”.`, hint: "" };
  }
  const parts = [];
  if (unsent > 0) parts.push(describeUnsent(unsent, failures));
  if (kept.length > 0) parts.push(describeKept(kept, isLive, unsent > 0));
  return {
    text: parts.map(({ text }) => text).join(" "),
    hint: parts.map(({ hint }) => hint).join(" "),
  };
}

/** @param {number} unsent @param {number} failures */
function describeUnsent(unsent, failures) {
  const trying = "The server does not take them at this moment; this page tries again by itself.";
  return {
    text: `${count(unsent)} still to be sent.`,
    hint: failures > 0 ? trying : "Please keep this page open.",
  };
}

/** @param {readonly {isSaved: boolean}[]} kept @param {boolean} isLive @param {boolean} areOthersSent */
function describeKept(kept, isLive, areOthersSent) {
  const left = kept.filter(({ isSaved }) => !isSaved).length;
  if (isLive) {
    return { text: `${count(left)} on this device.`, hint: "You can save them after the session." };
  }
  if (left === 0) {
    const text = `You have saved ${areOthersSent ? "the others" : "all recordings"}.`;
    return { text, hint: "Please look whether they are in your downloads before you close this page." };
  }
  const those = areOthersSent ? "Those to be saved" : "They";
  return {
    text: `${count(left)} still to be saved.`,
    hint: `${those} are on this device only, until you save them.`,
  };
}

/** @param {number} recordings */
function count(recordings) {
  return recordings === 1 ? "1 recording" : `${recordings} recordings`;
}

/** @param {number} bytes */
export function formatSize(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
