/**
 * What the page says of recording, in plain words.
 *
 * @typedef {"camera" | "microphone"} Kind of device
 *
 * What has become of one:
 * @typedef {"on" | "ended" | "muted" | "missing" | "in_use" | "denied" | "policy" | "system"} DeviceState
 *   `denied`: by a person; `policy`: by the page's server, or a page around it; `system`: by the
 *   settings of the device
 *
 * Why nothing can be recorded at all:
 * @typedef {"unknown_request" | "not_secure" | "cant_record" | "not_kept" | "refused"} Obstacle
 *   `refused`: by the participant
 *
 * @typedef {object} Devices
 * @property {ReadonlyMap<Kind, DeviceState>} states of those that were asked for
 * @property {Obstacle | null} obstacle
 * @property {string} record what the link asks for
 * @property {string} lost why a recording is lost, in words; empty where none is
 * @property {boolean} isFull whether this device has no room for more
 * @property {boolean} isStoreGone whether storage can't be reached
 * @property {boolean} isLive whether a session goes on
 *
 * @typedef {object} Left recordings on this device
 * @property {number} unsent those that a server takes
 * @property {readonly string[]} refused why, of each that it does not take; a word for programs
 * @property {readonly {isSaved: boolean}[]} kept those that nobody gets
 * @property {number} failures of sending, in a row
 * @property {boolean} isUnreadable whether none is sent, as the page can't read what the server answers
 * @property {boolean} isLive whether a session goes on
 * @property {string} folder in which some were saved; empty for none
 */

/** In the order in which they are said. @type {readonly Kind[]} */
const KINDS = ["camera", "microphone"];

// ── the question ─────────────────────────────────────────────────────────────────────────────────

export const QUESTION = {
  title: "May this study record you?",
  allow: "Allow recording",
  refuse: "Take part without recording",
  free: "You may take part without it, and can stop it whenever no image is shown. Whoever leads the session is told whether you are recorded.",
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

/** @type {Record<Exclude<Obstacle, "unknown_request" | "refused">, string>} */
const OBSTACLES = {
  cant_record: "This browser can’t record.",
  not_secure: "A page can record only where its address begins with https.",
  not_kept: "This browser keeps no recordings for this page.",
};

/** Which of them, in the plural where it is said of both. @type {Record<Exclude<DeviceState, "on">, (kinds: readonly Kind[]) => string>} */
const LOST = {
  ended: (kinds) => `Your ${listed(kinds)} ${have(kinds)} gone or ${were(kinds)} switched off.`,
  muted: (kinds) => `Your ${listed(kinds)} ${are(kinds)} muted by this device, and nothing comes of it.`,
  missing: (kinds) => `No ${listed(kinds, "or")} was found.`,
  in_use: (kinds) => `Your ${listed(kinds)} can’t be used; perhaps another program does.`,
  denied: (kinds) =>
    `The browser does not let this page use your ${listed(kinds)}. You can allow it in the browser’s settings for this page.`,
  policy: (kinds) =>
    `The website does not let its page use your ${listed(kinds)}. Please tell whoever gave you the link.`,
  system: (kinds) =>
    `The settings of this device do not let the browser use your ${listed(kinds)}.`,
};

/** Those that are looked for again. @type {readonly DeviceState[]} */
const LOOKED_FOR = ["ended", "muted", "missing", "in_use"];

/** @param {Devices} devices @returns {string} what is not recorded, and why; empty where all is well */
function describeTrouble({ obstacle, record, states, lost }) {
  if (obstacle === "refused") return "";
  if (obstacle === "unknown_request") {
    const link = `This link asks to record “${record}”, which this page can’t.`;
    return withoutRecording(`${link} Please tell whoever gave it to you.`);
  }
  if (obstacle !== null) return withoutRecording(OBSTACLES[obstacle]);
  const parts = [lost];
  for (const [state, describe] of Object.entries(LOST)) {
    const kinds = KINDS.filter((kind) => states.get(kind) === state);
    if (kinds.length > 0) parts.push(describe(kinds));
  }
  const all = [...states.values()];
  if (all.some((state) => LOOKED_FOR.includes(state))) parts.push("This page tries again by itself.");
  const text = parts.filter((part) => part !== "").join(" ");
  return all.length === 0 || all.includes("on") ? text : withoutRecording(text);
}

/** @param {string} why */
function withoutRecording(why) {
  return `${why} The session goes on without recording.`;
}

/** @param {unknown} error */
export function describeNotKept(error) {
  return `A recording could not be kept on this device (${error}).`;
}

export const NOTHING_CAME =
  "Of an image there is no recording that can be played, as nothing came of your devices.";

export const REMOVED =
  "A recording was removed from this browser’s storage while it was made; what came after it is kept.";

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
  sendAgain: "Try to send again",
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

/** @param {readonly Kind[]} kinds */
function are(kinds) {
  return kinds.length === 1 ? "is" : "are";
}

/** @param {readonly Kind[]} kinds */
function were(kinds) {
  return kinds.length === 1 ? "was" : "were";
}

/** @param {readonly Kind[]} kinds */
function have(kinds) {
  return kinds.length === 1 ? "has" : "have";
}

const FULL =
  "There is no room left for recordings on this device: nothing more is recorded until some have been sent or saved.";

const STORE_GONE =
  "This browser’s storage can’t be reached at this moment. What is recorded meanwhile is held by this page alone, as far as there is room: please keep it open.";

/** @param {Devices} devices @returns {string} whether something is recorded */
export function describeNow(devices) {
  const { states, isFull, isStoreGone, isLive } = devices;
  if (isFull) return FULL;
  const trouble = describeTrouble(devices);
  const parts = [isStoreGone ? STORE_GONE : "", trouble];
  const open = KINDS.filter((kind) => states.get(kind) === "on");
  if (open.length > 0) {
    const when = isLive ? "" : ", until the end of the session";
    parts.push(`Your ${listed(open)} ${are(open)} on. You are recorded while an image is shown${when}.`);
  }
  return parts.filter((part) => part !== "").join(" ");
}

/** @param {Left} left @returns {{text: string, hint: string}} what is left to be done */
export function describeLeft(left) {
  const { unsent, refused, kept, failures, isUnreadable, isLive, folder } = left;
  if (unsent + refused.length + kept.length === 0) {
    return { text: folder === "" ? "" : `What you saved is in the folder “${folder}”.`, hint: "" };
  }
  const parts = [];
  if (unsent > 0) parts.push(isUnreadable ? describeUnreadable(unsent) : describeUnsent(unsent, failures));
  if (refused.length > 0) parts.push(describeRefused(refused));
  if (kept.length > 0) parts.push(describeKept(kept, isLive, unsent + refused.length > 0));
  // Nobody else can mend it.
  const isStuck = refused.length > 0 || (isUnreadable && unsent > 0);
  if (isStuck) parts.push({ text: "", hint: isLive ? STUCK_LIVE : STUCK });
  return {
    text: joined(parts.map(({ text }) => text)),
    hint: joined(parts.map(({ hint }) => hint)),
  };
}

const STUCK =
  "They stay on this device, and you can save them here. Please tell whoever runs the study.";
const STUCK_LIVE =
  "They stay on this device, and you can save them after the session. Please tell whoever runs the study.";

/** @param {readonly string[]} parts */
function joined(parts) {
  return parts.filter((part) => part !== "").join(" ");
}

/** @param {number} unsent @param {number} failures */
function describeUnsent(unsent, failures) {
  const trying = "The server does not take them at this moment; this page tries again by itself.";
  return {
    text: `${count(unsent)} still to be sent.`,
    hint: failures > 0 ? trying : "Please keep this page open.",
  };
}

/** @param {number} unsent */
function describeUnreadable(unsent) {
  return {
    text: `${count(unsent)} can’t be sent.`,
    hint: "The server answers, and does not let this page read its answers (it names no Access-Control-Allow-Origin, or breaks off). It may have some of them already.",
  };
}

/** @type {Record<string, string>} */
const REFUSALS = {
  http_401: "The server wants a permission that this page does not have (401).",
  http_403: "The server does not let this page send them (403).",
  http_404: "The address for recordings is not there (404).",
  http_405: "The address takes no recordings (405).",
  http_410: "The address for recordings is not there any more (410).",
  http_413: "They are too large for the server (413).",
  http_415: "The server does not take recordings of this kind (415).",
  redirect: "The address for recordings leads to another one, where this page may not send them.",
  not_https: "The address for recordings begins with http, where pages of https can’t send anything.",
  damaged: "This browser’s storage has lost a part of them.",
};

/** @param {readonly string[]} reasons of each */
function describeRefused(reasons) {
  const each = [...new Set(reasons)].map(
    (reason) => REFUSALS[reason] ?? `The server does not take them (${reason.replace("http_", "")}).`,
  );
  return { text: `${count(reasons.length)} can’t be sent.`, hint: each.join(" ") };
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
