/**
 * Where the handshake of one peer stands, and what it asks of whoever drives it.
 *
 * @import { CandidateSignal, EndReason, Signal } from "../protocol/wire.js"
 *
 * @typedef {"idle" | "negotiating" | "connected" | "interrupted" | "ended"} Phase
 * @typedef {{kind: "makeOffer", attempt: number, leads: boolean}
 *   | {kind: "makeAnswer", attempt: number, sdp: string}
 *   | {kind: "applyAnswer", attempt: number, sdp: string}
 *   | {kind: "addCandidate", attempt: number, candidate: CandidateSignal}
 *   | {kind: "say", signal: Signal}
 *   | {kind: "takeUp"}
 *   | {kind: "discard", attempt: number}
 *   | {kind: "connected", attempt: number}
 *   | {kind: "interrupted", reason: EndReason, detail: string}
 *   | {kind: "ended", reason: EndReason, detail: string}
 *   | {kind: "note", text: string}} Output
 *   `makeOffer`, `makeAnswer`: open a peer connection and describe it, and answer with `described`;
 *   `leads`: whether to ask to be the side that begins with DTLS, where a stack leaves the choice;
 *   `takeUp`: have the relay take the session up again, which it has forgotten; `discard`: close an
 *   attempt's connection, which has been replaced, or is dead.
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
