/**
 * What is in the way where no WebSocket to the relay comes about: by the code with which it was
 * closed, the error that came before that, or by what is answered beside it. See core/protocol/obstacles.py, which has the same rule.
 *
 * @typedef {"unreachable" | "origin" | "full" | "draining" | "too_many" | "upgrade" | "moved" | "portal"
 *   | "malformed" | "sign_in" | "barred" | "not_found" | "proxy_sign_in" | "too_large" | "no_relay"
 *   | "unavailable" | "too_late" | "broken" | "other"} Obstacle
 */

import { CloseCode, OUTAGE_ERRORS, PASSING_OBSTACLES } from "./numbers.js";

/** @type {Record<number, Obstacle>} */
const BY_STATUS = {
  400: "malformed",
  401: "sign_in",
  403: "barred",
  404: "not_found",
  407: "proxy_sign_in",
  408: "too_late",
  410: "not_found",
  413: "too_large",
  414: "too_large",
  426: "upgrade",
  429: "too_many",
  431: "too_large",
  502: "no_relay",
  503: "unavailable",
  504: "too_late",
  511: "portal",
};

/** What a relay says at `/health` that lets us in; `degraded`: it tells us more when we register. */
const THERE = ["ok", "degraded"];

/** What the relay says at `/health`, by status and word. @type {Record<string, Obstacle>} */
const WORDS = { "200 origin": "origin", "503 draining": "draining" };

/** @type {Record<number, Obstacle>} */
const BY_CODE = {
  [CloseCode.RELAY_FULL]: "full",
  [CloseCode.RATE_LIMITED]: "too_many",
};

/** @param {number} code of a socket that was closed @returns {Obstacle | null} null where it says nothing */
export function obstacleOfClose(code) {
  return BY_CODE[code] ?? null;
}

/** @param {string} code of the error that answers our register @returns {Obstacle | null} null where the close tells */
export function obstacleOfError(code) {
  return OUTAGE_ERRORS.includes(code) ? "unavailable" : null;
}

/** @param {number} status of what came in place of a WebSocket @returns {Obstacle} */
export function obstacleOf(status) {
  if (status < 300) return "portal";
  if (status < 400) return "moved";
  return BY_STATUS[status] ?? (status >= 500 ? "broken" : "other");
}

/**
 * @param {number} status
 * @param {string} text
 * @returns {Obstacle | null} null where the relay is there and lets us in
 */
export function obstacleAtHealth(status, text) {
  const word = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (status === 200 && THERE.includes(word)) return null;
  const own = `${status} ${word}`;
  return Object.hasOwn(WORDS, own) ? /** @type {Obstacle} */ (WORDS[own]) : obstacleOf(status);
}

/** Whether it is over by itself, sooner or later. @param {Obstacle} obstacle */
export function mayPass(obstacle) {
  return PASSING_OBSTACLES.includes(obstacle);
}
