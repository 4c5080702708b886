/**
 * The socket to the relay: opened, and opened again whenever it is lost.
 *
 *     connecting ── registered ──▶ up ── lost ──▶ waiting ── backoff, or `wake` ──▶ connecting ...
 *                └─ unauthorized ──▶ refused
 *
 * A browser answers the relay's pings by itself, but can't send any, nor see them. Whether a socket
 * is still alive is asked with an event that the relay does not know: the contract has it answered.
 *
 * @import { Registrant } from "./opening.js"
 *
 * @typedef {"connecting" | "up" | "waiting" | "refused" | "stopped"} SocketState
 *
 * @typedef {object} SocketListener
 * @property {(state: SocketState, code: number) => void} changed with the close code of a socket
 *   that is gone, else 0
 * @property {(event: string, data: Record<string, any>) => void} received
 */

import { CloseCode, PROBE_DEADLINE, REGISTER_DEADLINE } from "../core/protocol/numbers.js";
import { decodeEvent } from "../core/protocol/wire.js";
import { backoff } from "./backoff.js";
import { Opening } from "./opening.js";

export class RelaySocket {
  /** @type {SocketState} */
  state = "waiting";
  #url;
  #registrant;
  #listener;
  /** That the page has begun with. @type {Opening | null} */
  #first;
  /** @type {Opening | null} */
  #socket = null;
  #failures = 0;
  /** Of the next try, or of what the socket has to do in time. @type {number | undefined} */
  #timer;
  /** @type {number | undefined} */
  #probing;

  /**
   * @param {string} url ws:// or wss://
   * @param {Registrant} registrant
   * @param {SocketListener} listener
   * @param {Opening | null} first a socket that is being opened already
   */
  constructor(url, registrant, listener, first = null) {
    this.#url = url;
    this.#registrant = registrant;
    this.#listener = listener;
    this.#first = first;
  }

  start() {
    this.#connect();
  }

  /** For good. */
  stop() {
    this.#drop();
    this.#change("stopped", 0);
  }

  /** The network or the page has come back: don't wait for the next try. */
  wake() {
    if (this.state !== "waiting") return;
    this.#failures = 0;
    this.#connect();
  }

  /** Look whether the relay is still there; if not, it is lost, and tried again at once. */
  probe() {
    if (this.state !== "up" || this.#probing !== undefined) return;
    this.post("probe", {});
    this.#probing = setTimeout(() => this.renew(), PROBE_DEADLINE * 1000);
  }

  /** Register again, on a socket of its own: sessions survive that. */
  renew() {
    if (this.state !== "up") return;
    this.#drop();
    this.#change("waiting", 0);
    this.wake();
  }

  /** @param {string} event @param {object} data @returns {boolean} whether there is a relay */
  post(event, data) {
    if (this.state !== "up" || !this.#socket?.isOpen) return false;
    this.#socket.send(JSON.stringify({ event, data }));
    return true;
  }

  #connect() {
    clearTimeout(this.#timer);
    const opened = () => new Opening({ socket: new WebSocket(this.#url), heard: [], code: null });
    const socket = (this.#socket = this.#first ?? opened());
    this.#first = null;
    this.#change("connecting", 0);
    this.#timer = setTimeout(() => this.#lost(0), REGISTER_DEADLINE * 1000);
    socket.register(this.#registrant);
    socket.listen((data) => this.#receive(data), (code) => this.#lost(code));
  }

  /** @param {unknown} data */
  #receive(data) {
    clearTimeout(this.#probing);
    this.#probing = undefined;
    const frame = decodeEvent(data);
    if (frame === null) return;
    if (frame.event === "registered" && this.state === "connecting") {
      clearTimeout(this.#timer);
      this.#failures = 0;
      this.#listener.received(frame.event, frame.data);
      this.#change("up", 0);
    } else {
      this.#listener.received(frame.event, frame.data);
    }
  }

  /** @param {number} code */
  #lost(code) {
    this.#drop();
    if (code === CloseCode.UNAUTHORIZED) {
      this.#change("refused", code);
      return;
    }
    this.#timer = setTimeout(() => this.#connect(), backoff(this.#failures) * 1000);
    this.#failures += 1;
    this.#change("waiting", code);
  }

  #drop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#probing);
    this.#probing = undefined;
    this.#socket?.drop();
    this.#socket = null;
  }

  /** @param {SocketState} state @param {number} code */
  #change(state, code) {
    this.state = state;
    this.#listener.changed(state, code);
  }
}
