/** One session as signalling knows it: whom it is with, what comes in of it, and the way back. */

/**
 * @import { EndReason, Signal } from "../core/protocol/wire.js"
 *
 * @typedef {{kind: "signal", signal: Signal | null}
 *   | {kind: "ended", reason: EndReason}
 *   | {kind: "relayLost"} | {kind: "relayBack"}
 *   | {kind: "peerAway"} | {kind: "peerBack"}} RouteInput
 *
 * @typedef {object} RouteDoors the way back to signalling
 * @property {(event: string, data: object) => boolean} post
 * @property {(sessionId: string) => void} end
 * @property {(sessionId: string) => void} takeUp
 * @property {() => void} probe
 * @property {(sessionId: string) => void} forget
 */

export class Route {
  /** @type {((input: RouteInput) => void) | null} */
  #listener = null;
  /** What came before anybody listened. @type {RouteInput[]} */
  #waiting = [];
  #doors;

  /**
   * @param {{sessionId: string, peerId: string, peerName: string, resumed: boolean,
   *   isDisputed: boolean}} about
   *   `resumed`: it is an old session, which this page may know nothing of; `isDisputed`: another
   *   page of the same user may be in it
   * @param {RouteDoors} doors
   */
  constructor({ sessionId, peerId, peerName, resumed, isDisputed }, doors) {
    this.sessionId = sessionId;
    this.peerId = peerId;
    this.peerName = peerName;
    this.resumed = resumed;
    this.isDisputed = isDisputed;
    this.#doors = doors;
  }

  /** @param {(input: RouteInput) => void} listener */
  listen(listener) {
    this.#listener = listener;
    for (const input of this.#waiting.splice(0)) listener(input);
  }

  /** @param {RouteInput} input */
  put(input) {
    if (this.#listener === null) this.#waiting.push(input);
    else this.#listener(input);
  }

  /** @param {Signal} signal @returns {boolean} whether the relay was there */
  say(signal) {
    const data = { targetUserId: this.peerId, signal, sessionId: this.sessionId };
    return this.#doors.post("webrtc_signal", data);
  }

  /** Have the relay take the session up again, which it has forgotten; `relayBack` follows. */
  takeUp() {
    this.#doors.takeUp(this.sessionId);
  }

  /** Look whether the relay is still there; `relayLost` follows if not. */
  probe() {
    this.#doors.probe();
  }

  /** Tell the relay that the session is over. */
  end() {
    this.#doors.end(this.sessionId);
  }

  /** Nothing more is wanted of it. */
  close() {
    this.#doors.forget(this.sessionId);
    this.#listener = () => {};
  }
}
