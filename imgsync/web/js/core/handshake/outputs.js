/**
 * What the handshake of one peer asks of whoever drives it.
 *
 * @import { CandidateSignal, EndReason, Signal } from "../protocol/wire.js"
 *
 * @typedef {"timedOut" | "unanswered" | "retryDue" | "absenceDue" | "gaveUp"} Timer the input that it calls for
 * @typedef {{kind: "makeOffer", attempt: number}
 *   | {kind: "makeAnswer", attempt: number, sdp: string}
 *   | {kind: "applyAnswer", attempt: number, sdp: string}
 *   | {kind: "addCandidate", attempt: number, candidate: CandidateSignal}
 *   | {kind: "say", signal: Signal}
 *   | {kind: "timer", timer: Timer, number: number, seconds: number | null, failures: number}
 *   | {kind: "takeUp"}
 *   | {kind: "discard", attempt: number}
 *   | {kind: "connected"}
 *   | {kind: "interrupted", reason: EndReason, detail: string}
 *   | {kind: "ended", reason: EndReason, detail: string}
 *   | {kind: "note", text: string}} Output
 *   A timer without seconds waits by the backoff for so many failures. `takeUp`: have the relay
 *   take the session up again, which it has forgotten. `discard`: close an attempt's connection.
 */

/** @param {Signal} signal @returns {Output} */
export function say(signal) {
  return { kind: "say", signal };
}

/** @param {string} text for the log @returns {Output} */
export function note(text) {
  return { kind: "note", text };
}

/** @param {number} attempt @returns {Output} */
export function discard(attempt) {
  return { kind: "discard", attempt };
}

/** @param {number} attempt @param {CandidateSignal} candidate @returns {Output} */
export function addCandidate(attempt, candidate) {
  return { kind: "addCandidate", attempt, candidate };
}

/** @param {Timer} name @param {number} number @param {number} seconds @returns {Output} */
export function timer(name, number, seconds) {
  return { kind: "timer", timer: name, number, seconds, failures: 0 };
}

/** @param {number} pause @param {number} failures @returns {Output} */
export function retry(pause, failures) {
  return { kind: "timer", timer: "retryDue", number: pause, seconds: null, failures };
}
