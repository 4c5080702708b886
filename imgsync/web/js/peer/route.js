/** One session as signalling knows it: whom it is with, what comes in of it, and the way back. */

/**
 * @import { RouteInput } from "../core/handshake/inputs.js"
 * @import { EndSession, Signal } from "../core/protocol/wire.js"
 *
 * @typedef {object} RouteDoors the way back to signalling
 * @property {(event: string, data: object) => boolean} post
 * @property {(message: EndSession) => void} end once the session has an id
 * @property {(sessionId: string) => void} takeUp
 * @property {() => void} probe
 * @property {(cause: string) => void} hindered
 * @property {(sessionId: string) => void} forget
 */

import { MAX_INPUTS } from "../core/protocol/numbers.js";

export class Route {
  /**
   * Of one that the relay had not begun when this was made: what stands for its id until then, and what
   * was said so. @type {{ref: string, said: Signal[]} | null}
   */
  #early;
  /** Whether more came before anybody listened than may wait: its end is all that is told then. */
  #isFlooded = false;
  /** @type {((input: RouteInput) => void) | null} */
  #listener = null;
  /** What came before anybody listened. @type {RouteInput[]} */
  #waiting = [];
  #doors;

  /**
   * @param {{sessionId: string, peerId: string, peerName: string, resumed: boolean,
   *   ownerUnknown: boolean, features: string[], ref?: string | null}} about
   *   `sessionId`: empty where the relay has not told it; then there is a `ref`; `resumed`: it is an old session, which this page may know nothing of; `ownerUnknown`: another
   *   page of the same user may be in it; `features`: what the client speaks, as far as the relay
   *   knows, which may change
   * @param {RouteDoors} doors
   */
  constructor({ sessionId, peerId, peerName, resumed, ownerUnknown, features, ref = null }, doors) {
    this.#early = ref === null ? null : { ref, said: [] };
    this.sessionId = sessionId;
    this.peerId = peerId;
    this.peerName = peerName;
    this.resumed = resumed;
    this.ownerUnknown = ownerUnknown;
    this.features = features;
    this.#doors = doors;
  }

  /** Whether the relay was asked for the session and had not answered when this was made. */
  get isEarly() {
    return this.#early !== null;
  }

  /** What the console of the browser calls the session. */
  get label() {
    return this.sessionId || `to come with ${this.peerId}`;
  }

  /**
   * The relay has told the id of the session.
   *
   * @param {string} sessionId
   * @param {string[]} features
   * @param {boolean} saysAgain whether nothing of what was said has come through
   */
  name(sessionId, features, saysAgain) {
    this.sessionId = sessionId;
    this.features = features;
    for (const signal of this.#early?.said.splice(0) ?? []) if (saysAgain) this.say(signal);
    this.put({ kind: "begun" });
  }

  /** @param {(input: RouteInput) => void} listener */
  listen(listener) {
    this.#listener = listener;
    for (const input of this.#waiting.splice(0)) listener(input);
  }

  /** @param {RouteInput} input */
  put(input) {
    if (this.#listener !== null) this.#listener(input);
    else if (!this.#isFlooded) this.#wait(input);
  }

  /** @param {RouteInput} input */
  #wait(input) {
    this.#waiting.push(input);
    this.#isFlooded = this.#waiting.length > MAX_INPUTS;
    if (!this.#isFlooded) return;
    const detail = "the other side sent more signals than can be handled";
    this.#waiting = [{ kind: "ownEnd", reason: "negotiation_failed", detail }];
  }

  /** @param {Signal} signal @returns {boolean} whether the relay was there */
  say(signal) {
    const isNamed = this.sessionId !== "";
    if (!isNamed) this.#early?.said.push(signal);
    const name = isNamed ? { sessionId: this.sessionId } : { ref: this.#early?.ref };
    const data = { targetUserId: this.peerId, signal, ...name };
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

  /** Something is in the way of a connection; credentials are the relay's to renew. @param {string} cause */
  hindered(cause) {
    this.#doors.hindered(cause);
  }

  /** Tell the relay that the session is over, and why. @param {EndSession} [message] */
  end(message = { sessionId: this.sessionId }) {
    this.#doors.end(message);
  }

  /** Nothing more is wanted of it. */
  close() {
    this.#doors.forget(this.sessionId);
    this.#listener = () => {};
  }
}
