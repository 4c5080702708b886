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
 *
 * @import { ByDevice, Key } from "../languages/en.js"
 */

import { say } from "./language.js";

/** In the order in which they are said. @type {readonly Kind[]} */
const KINDS = ["camera", "microphone"];

// ── the question ─────────────────────────────────────────────────────────────────────────────────

export const QUESTION = {
  title: say("recording.ask"),
  allow: say("recording.allow"),
  refuse: say("recording.refuse"),
  free: say("recording.free"),
};

/** One text is of one, and another of both. @param {readonly Kind[]} kinds @returns {{devices: keyof ByDevice}} */
function those(kinds) {
  return { devices: kinds.length > 1 ? "both" : (kinds[0] ?? "camera") };
}

/**
 * @param {readonly Kind[]} wanted
 * @param {string | null} destination the host that gets the recordings; null for none
 * @returns {Record<string, string>} what they agree to, by its heading
 */
export function explainRecording(wanted, destination) {
  const where =
    destination === null ? say("recording.onDevice") : say("recording.toServer", { host: destination });
  return {
    [say("recording.what")]: say("recording.whatText", those(wanted)),
    [say("recording.when")]: say("recording.whenText", those(wanted)),
    [say("recording.sign")]: say("recording.signText"),
    [say("recording.where")]: where,
  };
}

/** @param {readonly Kind[]} wanted @returns {string} what the browser may ask next */
export function announceDialog(wanted) {
  return say("recording.dialog", those(wanted));
}

// ── what can't be recorded ───────────────────────────────────────────────────────────────────────

/** @type {Record<Exclude<Obstacle, "unknown_request" | "refused">, Key>} */
const OBSTACLES = {
  cant_record: "recording.cantRecord",
  not_secure: "recording.notSecure",
  not_kept: "recording.notKept",
};

/** @type {Record<Exclude<DeviceState, "on">, Key>} */
const LOST = {
  ended: "recording.ended",
  muted: "recording.muted",
  missing: "recording.missing",
  in_use: "recording.inUse",
  denied: "recording.denied",
  policy: "recording.policy",
  system: "recording.system",
};

/** Those that are looked for again. @type {readonly DeviceState[]} */
const LOOKED_FOR = ["ended", "muted", "missing", "in_use"];

/** @param {Devices} devices @returns {string} what is not recorded, and why; empty where all is well */
function describeTrouble({ obstacle, record, states, lost }) {
  if (obstacle === "refused") return "";
  if (obstacle === "unknown_request") return withoutRecording(say("recording.unknownRequest", { record }));
  if (obstacle !== null) return withoutRecording(say(OBSTACLES[obstacle]));
  const parts = [lost];
  for (const [state, key] of Object.entries(LOST)) {
    const kinds = KINDS.filter((kind) => states.get(kind) === state);
    if (kinds.length > 0) parts.push(say(key, those(kinds)));
  }
  const all = [...states.values()];
  if (all.some((state) => LOOKED_FOR.includes(state))) parts.push(say("relay.again"));
  const text = joined(parts);
  return all.length === 0 || all.includes("on") ? text : withoutRecording(text);
}

/** @param {string} why */
function withoutRecording(why) {
  return joined([why, say("recording.without")]);
}

/** Sentences. @param {readonly string[]} parts */
function joined(parts) {
  return parts.filter((part) => part !== "").join(" ");
}

/** @param {unknown} error */
export function describeNotKept(error) {
  return say("recording.failed", { error: String(error) });
}

export const NOTHING_CAME = say("recording.nothingCame");

export const REMOVED = say("recording.removed");

/** @param {number} bytes of a recording that are left @param {number} size of all of it */
export function describeLoss(bytes, size) {
  return say("recording.loss", { left: bytes, size });
}

/** @param {Error} error */
export function describeNotSaved({ message }) {
  return say("recording.notSaved", { why: message });
}

// ── what is recorded, and what is left ───────────────────────────────────────────────────────────

export const PANEL = {
  title: say("recording.panel"),
  stop: say("recording.stop"),
  sendAgain: say("recording.sendAgain"),
  saveAll: say("recording.saveAll"),
};

/** @param {number} imageIndex from 0, as the wire has it */
export function nameRecording(imageIndex) {
  return say("recording.image", { number: imageIndex + 1 });
}

/** @param {boolean} isSaved @returns {string} the name of the button */
export function nameSaving(isSaved) {
  return say(isSaved ? "recording.saveAgain" : "recording.save");
}

/**
 * The same, to those who do not see beside what it stands.
 *
 * @param {boolean} isSaved
 * @param {number} imageIndex
 * @param {string} time
 */
export function describeSaving(isSaved, imageIndex, time) {
  const key = isSaved ? "recording.saveAgainOf" : "recording.saveOf";
  return say(key, { number: imageIndex + 1, time });
}

/** @param {Devices} devices @returns {string} whether something is recorded */
export function describeNow(devices) {
  const { states, isFull, isStoreGone, isLive } = devices;
  if (isFull) return say("recording.full");
  const trouble = describeTrouble(devices);
  const parts = [isStoreGone ? say("recording.storeGone") : "", trouble];
  const open = KINDS.filter((kind) => states.get(kind) === "on");
  if (open.length > 0) {
    parts.push(say(isLive ? "recording.isOn" : "recording.isOnUntilEnd", those(open)));
  }
  return joined(parts);
}

/** @param {Left} left @returns {{text: string, hint: string}} what is left to be done */
export function describeLeft(left) {
  const { unsent, refused, kept, failures, isUnreadable, isLive, folder } = left;
  if (unsent + refused.length + kept.length === 0) {
    return { text: folder === "" ? "" : say("recording.savedIn", { folder }), hint: "" };
  }
  const parts = [];
  if (unsent > 0) parts.push(isUnreadable ? describeUnreadable(unsent) : describeUnsent(unsent, failures));
  if (refused.length > 0) parts.push(describeRefused(refused));
  if (kept.length > 0) parts.push(describeKept(kept, isLive, unsent + refused.length > 0));
  // Nobody else can mend it.
  const isStuck = refused.length > 0 || (isUnreadable && unsent > 0);
  if (isStuck) parts.push({ text: "", hint: say(isLive ? "recording.stuckLive" : "recording.stuck") });
  return {
    text: joined(parts.map(({ text }) => text)),
    hint: joined(parts.map(({ hint }) => hint)),
  };
}

/** @param {number} count @param {number} failures */
function describeUnsent(count, failures) {
  return {
    text: say("recording.unsent", { count }),
    hint: say(failures > 0 ? "recording.notTaken" : "recording.keepOpen"),
  };
}

/** @param {number} count */
function describeUnreadable(count) {
  return { text: say("recording.unsendable", { count }), hint: say("recording.unreadable") };
}

/** @type {Record<string, Key>} */
const REFUSALS = {
  http_401: "recording.http401",
  http_403: "recording.http403",
  http_404: "recording.http404",
  http_405: "recording.http405",
  http_410: "recording.http410",
  http_413: "recording.http413",
  http_415: "recording.http415",
  redirect: "recording.redirect",
  not_https: "recording.notHttps",
  damaged: "recording.damaged",
};

/** @param {readonly string[]} reasons of each */
function describeRefused(reasons) {
  const each = [...new Set(reasons)].map((reason) => {
    const key = REFUSALS[reason];
    return key === undefined ? say("recording.refused", { code: reason.replace("http_", "") }) : say(key);
  });
  return { text: say("recording.unsendable", { count: reasons.length }), hint: joined(each) };
}

/** @param {readonly {isSaved: boolean}[]} kept @param {boolean} isLive @param {boolean} areOthersSent */
function describeKept(kept, isLive, areOthersSent) {
  const count = kept.filter(({ isSaved }) => !isSaved).length;
  if (isLive) return { text: say("recording.kept", { count }), hint: say("recording.keptHint") };
  if (count === 0) {
    const text = say(areOthersSent ? "recording.savedOthers" : "recording.savedAll");
    return { text, hint: say("recording.savedHint") };
  }
  const hint = say(areOthersSent ? "recording.toSaveOfSome" : "recording.toSaveHint");
  return { text: say("recording.toSave", { count }), hint };
}
