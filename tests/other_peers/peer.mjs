/**
 * Two peers of the imgsync wire contract that share no code with the Python package: written from
 * the contract alone, for libwebrtc, in Node or in a browser page.
 *
 * They speak the original protocol and leave every extension out, but for two: what the relay says
 * of the session's end is read, and the evaluator sends `end_session`. What libwebrtc or the
 * contract takes offence at, but a session can survive, is reported in the result's `complaints`.
 */

/**
 * @typedef {"empty" | "null-candidate" | "null" | "none"} EndSpelling
 *
 * @typedef {object} Options
 * @property {typeof globalThis.WebSocket} WebSocket
 * @property {typeof globalThis.RTCPeerConnection} RTCPeerConnection
 * @property {string} relayUrl
 * @property {string} userId
 * @property {string} [clientId] whom the evaluator starts a session with
 * @property {Image[]} [images] what the evaluator shows
 * @property {(event: string, details: object) => void} [log] hears `registered` and each step
 * @property {boolean} [trickle] false: all candidates go inside the description, and no end signal
 * @property {EndSpelling} [endSpelling] how the end of the candidates is said
 * @property {RTCIceTransportPolicy} [iceTransportPolicy] "relay": through a TURN server alone
 * @property {boolean} [offersMedia] offer to take sound and pictures, too, before the channel
 * @property {number} [deadlineMs] for the whole run
 *
 * @typedef {{imageUrl: string, signedUrl: string}} Image
 * @typedef {Image & {imageIndex: number, sentAt: number}} ImageMessage
 * @typedef {{imageIndex: number, sentAt: number, receivedAt: number, roundTripMs: number}} Ack
 * @typedef {{candidate: string | null, sdpMid?: string | null, sdpMLineIndex?: number | null,
 *   usernameFragment?: string | null}} CandidateSignal
 * @typedef {{type: string, sdp: string}} DescriptionSignal
 * @typedef {CandidateSignal | DescriptionSignal | null} Signal
 *
 * @typedef {object} Connectivity
 * @property {string[]} localCandidates the candidate lines that were gathered here
 * @property {number} remoteCandidates how many candidates came as signals
 * @property {number} remoteEnds how often the other side said that its candidates end
 *
 * @typedef {object} EvaluatorRun
 * @property {"evaluator"} role
 * @property {string} sessionId
 * @property {Ack[]} acks the first ack of each image, in order
 * @property {number} extraAcks acks of resent copies
 * @property {number} readies
 * @property {boolean} channelClosed whether the other side closed its half of the channel in time
 * @property {string} endReason
 * @property {string[]} complaints
 * @typedef {EvaluatorRun & Connectivity} EvaluatorResult
 *
 * @typedef {object} ClientRun
 * @property {"client"} role
 * @property {string} sessionId
 * @property {string} evaluatorId
 * @property {Array<ImageMessage & {receivedAt: number}>} showings distinct ones, in order
 * @property {number} copies image messages that came, resent ones included
 * @property {string} endedBy
 * @property {string[]} complaints
 * @typedef {ClientRun & Connectivity} ClientResult
 */

export { runClient } from "./client.mjs";
export { makeImages, runEvaluator } from "./evaluator.mjs";
export { isEndSpelling } from "./handshake.mjs";
