/**
 * What the console says of those whom the evaluator invites, and of who comes in.
 *
 * @import { Presence } from "../core/protocol/wire.js"
 */

import { describeClient } from "./console.js";

export const NO_ANSWER = "The server does not answer; try again.";

export const NO_ID = "Type a name or a number for whom you invite: up to 128 characters on one line.";

export const TOO_LONG = "The link is too long for a QR code: take a shorter name, or send the link itself.";

/** What a link is good for: seconds and in words. @type {readonly (readonly [number, string])[]} */
export const TIMES = [
  [2 * 3600, "2 hours"],
  [12 * 3600, "12 hours"],
  [86_400, "1 day"],
  [3 * 86_400, "3 days"],
  [7 * 86_400, "7 days"],
  [30 * 86_400, "30 days"],
];

export const LANGUAGE_OF_BROWSER = "Whatever their browser has";

export const COPIED = "Copied.";

export const NOT_COPIED = "This browser does not copy; press and hold the text, and copy it yourself.";

/** @param {string} userId */
export function titleInvitation(userId) {
  return `Link for ${userId}`;
}

/** @param {string} userId */
export function labelCode(userId) {
  return `QR code of the link for ${userId}`;
}

/** @param {string} link */
export function warnOfLink(link) {
  const { protocol, hostname } = new URL(link);
  if (hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname)) {
    return "This link leads to this very machine, and opens nowhere else: open the console by the address that others reach.";
  }
  if (protocol === "https:") return "";
  return "This link is not https: others on the way can read it, and browsers give such a page no camera, no microphone and no screen that stays on.";
}

/** @param {number | null} expiresAt milliseconds since the epoch @param {number} asked seconds @param {number} now */
export function describeEndOfLink(expiresAt, asked, now) {
  if (expiresAt === null) return "This server asks nobody for a token: the link has no end, and so has any other.";
  const end = `It lets one person in until ${writeTime(expiresAt, "en")}; give it to nobody else.`;
  // Within what the answer took.
  const isLess = expiresAt < now + 1000 * (asked - 60);
  return isLess ? `${end} Your own link lets you invite for no longer.` : end;
}

/**
 * @param {number} at milliseconds since the epoch
 * @param {string} language its tag
 */
export function writeTime(at, language) {
  /** @type {Intl.DateTimeFormatOptions} */
  const parts = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
  const time = { hour: "numeric", minute: "2-digit", timeZoneName: "short" };
  return new Intl.DateTimeFormat(language, /** @type {Intl.DateTimeFormatOptions} */ ({ ...parts, ...time })).format(at);
}

/** Of whom the link is for. @param {string} userId @param {Presence["state"] | null} state null where nobody is */
export function describeInvited(userId, state) {
  switch (state) {
    case null:
      return `${userId} has not come in yet.`;
    case "waiting":
      return `${userId} is at the door.`;
    case "busy":
      return `${userId} is in a session.`;
    default:
      return `${userId} has come in.`;
  }
}

/** @param {Presence} presence of somebody new @param {number} at milliseconds since the epoch */
export function describeArrival({ userId, name, state }, at) {
  const who = describeClient(userId, name);
  const time = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit" }).format(at);
  return state === "waiting" ? `${who} came to the door at ${time}.` : `${who} came in at ${time}.`;
}
