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

// ── the question ─────────────────────────────────────────────────────────────────────────────────

export const QUESTION = {
  title: "May this study record you?",
  allow: "Allow recording",
  refuse: "Take part without recording",
  free: "You may take part without it, and can stop it whenever no image is shown.",
};

const CONTENTS = {
  camera: "Your picture, by the camera of this device, without sound.",
  microphone: "Your voice, by the microphone of this device.",
  both: "Your picture and your voice, by this device’s camera and microphone.",
};

/**
 * @param {readonly Kind[]} wanted
 * @param {string | null} destination the host that gets the recordings; null for none
 * @returns {Record<string, string>} what they agree to, by its heading
 */
export function explainRecording(wanted, destination) {
  const [kind = "camera", other] = wanted;
  const where =
    destination === null
      ? "On this device. You can save them after the session; nobody gets them unless you hand them on."
      : `To the server of this study, ${destination}. Until it has them, they are kept on this device.`;
  const verb = other === undefined ? "is" : "are";
  return {
    What: CONTENTS[other === undefined ? kind : "both"],
    When: `While an image is shown, and not in between. The ${listed(wanted)} ${verb} switched off when the session ends.`,
    Sign: "None on this page while an image is shown. Your device may have a light of its own.",
    Where: where,
  };
}

/** @param {readonly Kind[]} wanted @returns {string} what the browser may ask next */
export function announceDialog(wanted) {
  return `If your browser now asks whether this page may use your ${listed(wanted)}, please allow it there.`;
}

// ── what can't be recorded ───────────────────────────────────────────────────────────────────────

export const CANT_RECORD = "This browser can’t record.";
export const NOT_SECURE = "A page can record only where its address begins with https.";

/** @param {readonly Kind[]} kinds @param {"and" | "or"} [word] */
export function describeMissing(kinds, word) {
  return `No ${listed(kinds, word)} was found.`;
}

/** @param {readonly Kind[]} kinds */
export function describeForbidden(kinds) {
  return `The browser does not let this page use your ${listed(kinds)}.`;
}

/** @param {readonly Kind[]} kinds */
export function describeUnusable(kinds) {
  return `Your ${listed(kinds)} can’t be used; perhaps another program does.`;
}

/** @param {Kind} kind */
export function describeGone(kind) {
  return `Your ${kind} has gone or was switched off.`;
}

export const NOTHING_KEPT = "This browser keeps no recordings for this page.";

/** @param {string} record what the link asks for */
export function describeUnknown(record) {
  return `This link asks to record “${record}”, which this page can’t. Please tell whoever gave it to you.`;
}

/** @param {string} why */
export function withoutRecording(why) {
  return `${why} The session goes on without recording.`;
}

/** @param {unknown} error */
export function describeNotKept(error) {
  return `A recording could not be kept on this device (${error}).`;
}

/** @param {number} bytes of a recording that are left @param {number} size of all of it */
export function describeLoss(bytes, size) {
  return `${bytes} of ${size} bytes are left`;
}

/** @param {Error} error */
export function describeNotSaved({ message }) {
  return `It was not saved: ${message}`;
}

// ── what is recorded, and what is left ───────────────────────────────────────────────────────────

export const PANEL = {
  title: "Recordings",
  stop: "Stop recording",
  saveAll: "Save all in a folder …",
};

/** @param {number} imageIndex from 0, as the wire has it */
export function nameRecording(imageIndex) {
  return `Image ${imageIndex + 1}`;
}

/** @param {boolean} isSaved @returns {string} the name of the button */
export function nameSaving(isSaved) {
  return isSaved ? "Save again" : "Save";
}

/**
 * The same, to those who do not see beside what it stands.
 *
 * @param {boolean} isSaved
 * @param {number} imageIndex
 * @param {string} time
 */
export function describeSaving(isSaved, imageIndex, time) {
  return `${nameSaving(isSaved)}: image ${imageIndex + 1}, ${time}`;
}

/** @param {readonly Kind[]} kinds @param {"and" | "or"} [word] */
function listed(kinds, word = "and") {
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
