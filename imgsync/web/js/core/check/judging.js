/**
 * What is to be thought of what was measured: facts go in, findings come out.
 *
 * Only a participant's own way into a session counts as wrong: a browser that can't, a server or a link
 * that does not let them in, no connection. All else may give trouble, and the session goes on with it.
 *
 * @import { Obstacle } from "../protocol/obstacles.js"
 * @import { Interval } from "./clock.js"
 * @import { Finding, Level } from "./findings.js"
 *
 * @typedef {{trip: number, rate: number | null}} Measured a connection that came about: milliseconds there and
 *   back, and Mbit/s, where that was looked at
 * @typedef {object} Ways
 * @property {Measured | null} direct past no server, or by what a STUN server says of us; null for none
 * @property {boolean} hasStun whether a STUN server was asked
 * @property {boolean} isSeen whether it has said where it sees us: UDP leaves this network, and comes back
 * @property {number} turns TURN servers that were asked
 * @property {Measured | null} relayed through one of these
 * @property {readonly string[]} causes what was in the way of that, of `Cause`
 *
 * @typedef {"ok" | "missing" | "in_use" | "denied" | "policy" | "system" | "muted" | "ended" | "not_secure" | "silent"}
 *   DeviceFound
 */

import { Cause, LOW_REFRESH, ZOOM_TOLERANCE } from "../protocol/numbers.js";
import { isOff, middleOf } from "./clock.js";
import { finding } from "./findings.js";

/** From which versions on browsers have all that the page needs; docs/pages.md says so. @type {Record<string, number>} */
export const OLDEST = {
  Chrome: 100,
  Edge: 100,
  Opera: 86,
  Firefox: 97,
  Safari: 15.4,
  "Samsung Internet": 19,
};

/** There and back, by a TURN server: with more, answers of the evaluator come late for a talk. */
const LONG_TRIP_MS = 400;
/** Mbit/s: with less, a picture of half a megabyte is on its way for more than four seconds. */
const LOW_RATE = 1;
/** Bytes: an hour of camera and microphone, as they are recorded, has some 300 MB. */
const LITTLE = 300e6;

/**
 * @param {string | undefined} browser as `describeAgent` calls it
 * @param {boolean} isAble whether it has WebRTC
 * @returns {Finding}
 */
export function judgeBrowser(browser, isAble) {
  const [, name = "", version = ""] = /^(.*) ([\d.]+)$/.exec(browser ?? "") ?? [];
  const values = { browser: browser ?? "" };
  if (!isAble) return finding("browser", "without_webrtc", "wrong", values);
  const oldest = OLDEST[name];
  if (oldest === undefined) return finding("browser", "unknown", "careful", values);
  return Number(version) < oldest
    ? finding("browser", "old", "careful", { ...values, oldest: `${name} ${oldest}` })
    : finding("browser", "ok", "ok", values);
}

/**
 * @param {"server" | "socket"} subject
 * @param {Obstacle | "closed" | null} obstacle null where there is none
 * @param {number} ms until it was there
 * @returns {Finding}
 */
export function judgeReach(subject, obstacle, ms) {
  return obstacle === null
    ? finding(subject, "ok", "ok", { ms: Math.round(ms) })
    : finding(subject, obstacle, "wrong");
}

/**
 * @param {string} userId empty where the link names nobody
 * @param {"registered" | "refused" | "unanswered"} answer of the server
 * @returns {Finding}
 */
export function judgeLink(userId, answer) {
  if (userId === "") return finding("link", "incomplete", "wrong");
  if (answer === "registered") return finding("link", "ok", "ok", { name: userId });
  return finding("link", answer, "wrong");
}

/** One way is enough: without the other one there may be trouble. @param {Ways} ways @returns {Finding[]} */
export function judgeWays(ways) {
  const { direct, hasStun, isSeen, turns, relayed, causes } = ways;
  const without = (/** @type {Measured | null} */ other) => /** @type {Level} */ (other === null ? "wrong" : "careful");
  const found = [];
  if (direct === null) found.push(finding("direct", "failed", without(relayed)));
  else if (hasStun && !isSeen && relayed === null) found.push(finding("direct", "no_way_out", "careful"));
  else found.push(finding("direct", "ok", "ok", { ms: oneDigit(direct.trip) }));
  if (turns === 0) found.push(finding("turn", "none", "skipped"));
  else if (relayed === null) found.push(finding("turn", whyNotRelayed(causes), without(direct)));
  else found.push(judgeRelayed(relayed));
  return found;
}

/** @param {readonly string[]} causes */
function whyNotRelayed(causes) {
  if (causes.includes(Cause.TURN_UNAUTHORIZED)) return "refused";
  return causes.includes(Cause.TURN_SILENT) ? "silent" : "failed";
}

/** @param {Measured} measured */
function judgeRelayed({ trip, rate }) {
  const isSlow = trip > LONG_TRIP_MS || (rate !== null && rate < LOW_RATE);
  const values = { ms: Math.round(trip), rate: rate === null ? 0 : oneDigit(rate) };
  return isSlow ? finding("turn", "slow", "careful", values) : finding("turn", "ok", "ok", values);
}

/** @param {number} value */
function oneDigit(value) {
  return Number(value.toFixed(1));
}

/**
 * @param {Interval | null} offset of the server's clock from this one's; null where it does not tell
 * @param {boolean} isSecure whether the page came by https; browsers that can isolate it do so then, and its clock has
 *   small steps. Of others, such as Safari, nobody who takes part can change that
 * @returns {Finding}
 */
export function judgeClock(offset, isSecure) {
  if (offset !== null && isOff(offset)) {
    return finding("clock", "off", "careful", { count: Math.round(Math.abs(middleOf(offset))) });
  }
  if (!isSecure) return finding("clock", "coarse", "careful");
  return finding("clock", "ok", "ok");
}

/**
 * @param {number | null} rate Hz; null where no frames came
 * @param {number | null} zoom 1 for none; null where that is not known
 * @returns {Finding}
 */
export function judgeScreen(rate, zoom) {
  if (rate === null) return finding("screen", "unknown", "careful");
  const values = { rate: Math.round(rate), percent: Math.round(100 * (zoom ?? 1)) };
  if (rate < LOW_REFRESH) return finding("screen", "slow", "careful", values);
  if (zoom !== null && Math.abs(zoom - 1) > ZOOM_TOLERANCE) return finding("screen", "zoomed", "careful", values);
  return finding("screen", "ok", "ok", values);
}

/**
 * @param {boolean} isKept whether what the page writes is there when it is read
 * @param {number | null} left bytes; null where the browser does not tell
 * @param {boolean} isRecorded whether recordings are to be kept until they are sent
 * @returns {Finding}
 */
export function judgeStorage(isKept, left, isRecorded) {
  if (!isKept) return finding("storage", "none", "careful");
  const values = { megabytes: left === null ? 0 : Math.round(left / 1e6) };
  if (isRecorded && left !== null && left < LITTLE) return finding("storage", "little", "careful", values);
  return finding("storage", "ok", "ok", values);
}

/** Where it can't, as on an iPhone, there is nothing to be done. @param {boolean} canFill @returns {Finding} */
export function judgeFilling(canFill) {
  return canFill ? finding("filling", "ok", "ok") : finding("filling", "none", "skipped");
}

/** @param {boolean} isHeld whether the browser keeps the screen on for the page @returns {Finding} */
export function judgeWaking(isHeld) {
  return isHeld ? finding("waking", "ok", "ok") : finding("waking", "missing", "careful");
}

/** @param {"camera" | "microphone"} kind @param {DeviceFound} found @returns {Finding} */
export function judgeDevice(kind, found) {
  return finding(kind, found, found === "ok" ? "ok" : "careful");
}
