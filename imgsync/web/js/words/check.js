/**
 * What the page says of the device that it looks at: each finding in a sentence, and what to do.
 *
 * @import { Finding, Level, Subject, Summary } from "../core/check/findings.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Key } from "../languages/en.js"
 * @import { Kind } from "./recording.js"
 */

import { mayPass } from "../core/protocol/obstacles.js";
import { say } from "./language.js";
import { describeObstacle } from "./relay.js";

/** @type {Record<Subject, Key>} */
const SUBJECTS = {
  browser: "check.browser",
  server: "check.server",
  socket: "check.socket",
  link: "check.link",
  direct: "check.direct",
  turn: "check.turn",
  clock: "check.clock",
  screen: "check.screen",
  storage: "check.storage",
  filling: "check.filling",
  waking: "check.waking",
  camera: "check.camera",
  microphone: "check.microphone",
};

/** @type {Record<Level | "pending", Key>} */
const LEVELS = {
  ok: "check.isOk",
  careful: "check.isCareful",
  wrong: "check.isWrong",
  skipped: "check.isSkipped",
  pending: "check.isPending",
};

/** Of a camera or a microphone. @type {Record<string, [text: Key, toDo?: Key]>} */
const DEVICES = {
  ok: ["check.deviceOk"],
  missing: ["check.deviceMissing", "check.deviceMissingDo"],
  ended: ["check.deviceMissing", "check.deviceMissingDo"],
  in_use: ["check.deviceInUse", "check.deviceInUseDo"],
  denied: ["check.deviceDenied", "check.deviceDeniedDo"],
  policy: ["check.devicePolicy", "check.askSender"],
  system: ["check.deviceSystem", "check.deviceSystemDo"],
  muted: ["check.deviceMuted", "check.deviceMutedDo"],
  not_secure: ["check.deviceNotSecure", "check.askSender"],
  silent: ["check.deviceSilent", "check.deviceSilentDo"],
};

/** By the word of the finding: what it is, and what to do. @type {Record<string, [text: Key, toDo?: Key]>} */
const FINDINGS = {
  browser_ok: ["check.browserOk"],
  browser_unknown: ["check.browserUnknown", "check.browserUnknownDo"],
  browser_old: ["check.browserOld", "check.browserOldDo"],
  browser_without_webrtc: ["check.browserUnable", "check.otherBrowser"],
  server_ok: ["check.serverOk"],
  socket_ok: ["check.socketOk"],
  socket_closed: ["check.socketClosed", "check.later"],
  link_ok: ["check.linkOk"],
  link_incomplete: ["check.linkIncomplete", "check.linkIncompleteDo"],
  link_refused: ["check.linkRefused", "check.linkRefusedDo"],
  link_unanswered: ["check.linkUnanswered", "check.later"],
  direct_ok: ["check.directOk"],
  direct_failed: ["check.directFailed", "check.otherNetwork"],
  direct_no_way_out: ["check.directInside", "check.otherNetwork"],
  turn_ok: ["check.turnOk"],
  turn_none: ["check.turnNone"],
  turn_refused: ["check.turnRefused", "check.askSender"],
  turn_silent: ["check.turnSilent", "check.otherNetwork"],
  turn_failed: ["check.turnFailed", "check.otherNetwork"],
  turn_slow: ["check.turnSlow", "check.turnSlowDo"],
  clock_ok: ["check.clockOk"],
  clock_off: ["check.clockOff", "check.clockOffDo"],
  clock_coarse: ["check.clockCoarse", "check.clockCoarseDo"],
  screen_ok: ["check.screenOk"],
  screen_slow: ["check.screenSlow", "check.screenSlowDo"],
  screen_unknown: ["check.screenUnknown", "check.screenUnknownDo"],
  screen_zoomed: ["check.screenZoomed", "check.screenZoomedDo"],
  storage_ok: ["check.storageOk"],
  storage_none: ["check.storageNone", "check.storageNoneDo"],
  storage_little: ["check.storageLittle", "check.storageLittleDo"],
  filling_ok: ["check.fillingOk"],
  filling_none: ["check.fillingNone"],
  waking_ok: ["check.wakingOk"],
  waking_missing: ["check.wakingMissing", "check.wakingMissingDo"],
  camera_silent: ["check.cameraDark", "check.cameraDarkDo"],
};

/** @param {Subject} subject */
export function nameSubject(subject) {
  return say(SUBJECTS[subject]);
}

/** How it is, not by its colour alone. @param {Level | "pending"} level */
export function nameLevel(level) {
  return say(LEVELS[level]);
}

/** @param {Finding} finding @returns {{text: string, hint: string}} `hint`: what to do; empty for nothing */
export function describeFinding({ subject, word, values }) {
  const what = word.slice(subject.length + 1);
  const found = FINDINGS[word] ?? (subject === "camera" || subject === "microphone" ? DEVICES[what] : undefined);
  if (found === undefined) return describeWay(/** @type {Obstacle} */ (what));
  const [text, toDo] = found;
  return { text: say(text, values), hint: toDo === undefined ? "" : say(toDo, values) };
}

/** What is in the way passes, or somebody can do something; this page does not try again by itself. @param {Obstacle} obstacle */
function describeWay(obstacle) {
  const { text, hint } = describeObstacle(obstacle);
  return { text, hint: mayPass(obstacle) ? say("check.later") : hint };
}

/** Of a device that waits for a tap. */
export function describePending() {
  return say("check.devicePending");
}

/** @param {Summary} summary @returns {{text: string, hint: string}} */
export function describeSum({ level, codes }) {
  if (level === "ok") return { text: say("check.allWell"), hint: "" };
  const text = say(level === "wrong" ? "check.wrong" : "check.careful", { count: codes.length });
  return { text, hint: say("check.readOut", { codes: codes.join(" ") }) };
}

/** @param {readonly Kind[]} kinds @returns {string} the name of the button */
export function nameTrying(kinds) {
  if (kinds.length > 1) return say("check.tryDevices");
  return say(kinds[0] === "camera" ? "check.tryCamera" : "check.tryMicrophone");
}
