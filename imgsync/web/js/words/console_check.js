/**
 * What the console says of a check that a client's device has had: of each finding what is the matter there.
 *
 * @import { Display } from "../core/protocol/wire.js"
 */

import { CODES } from "../core/check/findings.js";
import { describeAge } from "./console.js";

/** @type {Record<string, string>} */
const DEVICES = {
  missing: "not found",
  ended: "gone",
  in_use: "in use, or not to be used",
  denied: "not allowed in the browser",
  policy: "not allowed by the website",
  system: "not allowed by the system",
  muted: "muted",
  not_secure: "not to be had, as the page is not https",
  silent: "there, but nothing came of it",
};

/** @type {Record<string, string>} */
const FOUND = {
  browser_without_webrtc: "its browser has no WebRTC",
  browser_old: "its browser is too old",
  browser_unknown: "its browser is not one that is known",
  socket_closed: "the server closed its WebSocket",
  link_incomplete: "its link does not say who it is",
  link_refused: "the server did not take its link",
  link_unanswered: "the server did not answer to its link",
  direct_failed: "no direct connection",
  direct_no_way_out: "no UDP out of its network, and no TURN server",
  turn_refused: "the TURN server refused it",
  turn_silent: "the TURN server did not answer",
  turn_failed: "no connection through TURN",
  turn_slow: "the connection through TURN is slow",
  clock_off: "its clock is wrong",
  clock_coarse: "the steps of its clock are coarse",
  screen_slow: "its screen is refreshed below 50 Hz",
  screen_unknown: "the refresh rate of its screen is not known",
  screen_zoomed: "its page is zoomed",
  storage_none: "its browser keeps nothing",
  storage_little: "little room for recordings",
  waking_missing: "its screen may turn off by itself",
};

/** @param {string} word */
function describeFound(word) {
  const [, subject = "", what = ""] = /^([a-z]+)_(.*)$/.exec(word) ?? [];
  const device = subject === "camera" || subject === "microphone" ? DEVICES[what] : undefined;
  if (device !== undefined) return `${subject} ${device}`;
  if (subject === "server") return `the server was not reached (${what.replaceAll("_", " ")})`;
  return FOUND[word] ?? word.replaceAll("_", " ");
}

/** @param {Display} display @returns {string} empty where nobody has checked it */
export function describeCheck({ at, checkedAt, checkFound = [] }) {
  if (checkedAt === undefined) return "";
  return `${checkFound.length === 0 ? "all well" : list(checkFound)}, ${describeAge(at - checkedAt)}`;
}

/** @param {Display} display @returns {string[]} what is to be noticed of it */
export function warnOfCheck(display) {
  const { at, checkedAt, checkFound = [] } = display;
  if (checkedAt === undefined || checkFound.length === 0) return [];
  return [`A check of the client’s device, ${describeAge(at - checkedAt)}, has found: ${list(checkFound)}.`];
}

/** @param {readonly string[]} found */
function list(found) {
  const code = (/** @type {string} */ word) => (CODES.has(word) ? ` (${CODES.get(word)})` : "");
  return found.map((word) => `${describeFound(word)}${code(word)}`).join("; ");
}
