/** The connection to the relay: for both roles. */

/**
 * @import { Options, Signal } from "./peer.mjs"
 * @import { Watch } from "./watch.mjs"
 */

import { deferred } from "./watch.mjs";

const DEFAULT_ICE_SERVERS = [{ urls: "stun:stun.l.google.com:19302" }];

/** The signalling socket: one JSON object per text frame. */
export class Relay {
  opened = deferred();
  registered = deferred();
  sessionStarted = deferred();
  sessionEnded = deferred();
  /** @type {string | undefined} */
  otherUserId;
  /** Set by the handshake. @type {(signal: Signal) => void} */
  onSignal = () => {};
  #socket;
  #onTrouble;
  /** Whether the channel isn't open yet, so that the end of the session is a failure. */
  #needed = true;

  /** @param {Options} options @param {"evaluator" | "client"} role @param {Watch} watch */
  constructor(options, role, watch) {
    this.#onTrouble = (/** @type {string} */ trouble) =>
      watch.fail(`${trouble}, while waiting for ${watch.missing}`);
    this.#socket = new options.WebSocket(options.relayUrl);
    this.#socket.onopen = () => {
      this.opened.resolve(undefined);
      this.send("register", { userId: options.userId, role, package: "webrtc" });
    };
    // A refused connection fires this alone in Node 20.
    this.#socket.onerror = () => this.#onTrouble("the relay's socket failed");
    this.#socket.onclose = ({ code }) =>
      this.#onTrouble(`the relay's socket closed with code ${code}`);
    this.#socket.onmessage = ({ data: text }) => {
      const { event, data } = JSON.parse(text);
      this.#receive(event, data);
    };
  }

  /** @param {string} event @param {object} data */
  send(event, data) {
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(JSON.stringify({ event, data }));
    }
  }

  /** @param {Signal} signal */
  sendSignal(signal) {
    this.send("webrtc_signal", { targetUserId: this.otherUserId, signal });
  }

  /**
   * From here on the data channel carries the session, and the relay's troubles don't fail it.
   *
   * @param {(trouble: string) => void} onTrouble
   */
  outlived(onTrouble) {
    this.#onTrouble = onTrouble;
    this.#needed = false;
  }

  close() {
    this.#onTrouble = () => {};
    this.#socket.close();
  }

  /** @param {string} event @param {any} data */
  #receive(event, data) {
    switch (event) {
      case "registered":
        this.registered.resolve({ iceServers: data?.iceServers ?? DEFAULT_ICE_SERVERS });
        break;
      case "session_started":
        this.sessionStarted.resolve(data);
        break;
      case "webrtc_signal":
        this.onSignal(data.signal);
        break;
      case "session_ended":
        this.#receiveEnd(data);
        break;
      case "error":
        this.#onTrouble(`the relay answered ${data.code}: ${data.message}`);
        break;
      default: // An event that this peer doesn't know is ignored.
    }
  }

  /** @param {{reason: string}} ended */
  #receiveEnd(ended) {
    if (this.#needed) this.#onTrouble(`the session ended: ${ended.reason}`);
    // Whether the other side is gone, an open channel knows better than the relay.
    else if (ended.reason !== "peer_gone") this.sessionEnded.resolve(ended);
  }
}
