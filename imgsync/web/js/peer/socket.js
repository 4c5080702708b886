/**
 * The socket to the relay: opened, and opened again whenever it is lost.
 *
 *     connecting ── registered ──▶ up ── lost ──▶ waiting ── backoff, or `wake` ──▶ connecting ...
 *                └─ unauthorized ──▶ refused
 *
 * Whether a socket is still alive is asked by its `Keepalive`.
 *
 * @import { KeepaliveOutput } from "../core/handshake/keepalive.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Registrant } from "./opening.js"
 *
 * @typedef {"connecting" | "up" | "waiting" | "refused" | "stopped"} SocketState
 *
 * @typedef {object} SocketListener
 * @property {(state: SocketState, obstacle: Obstacle | null) => void} changed with what is in the way
 *   of a socket, as far as that is known; told anew when it becomes known
 * @property {(event: string, data: Record<string, any>) => void} received
 */

import { Keepalive } from "../core/handshake/keepalive.js";
import { CloseCode, FEATURE_PING, REGISTER_DEADLINE } from "../core/protocol/numbers.js";
import { obstacleOfClose, obstacleOfError } from "../core/protocol/obstacles.js";
import { decodeEvent } from "../core/protocol/wire.js";
import { backoff } from "./backoff.js";
import { seconds, Timer } from "./clock.js";
import { Lookout } from "./lookout.js";
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
  /** Why the relay does not register us now. @type {Obstacle | null} */
  #refusal = null;
  /** Of the next try, or of what the socket has to do in time. @type {number | undefined} */
  #timer;
  #lookout;
  #keepalive = new Keepalive();
  #beat = new Timer(() => this.#perform(this.#keepalive.tick(seconds())));

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
    this.#lookout = new Lookout(url, () => this.#change(this.state));
  }

  start() {
    this.#connect();
  }

  /** For good. */
  stop() {
    this.#drop();
    this.#change("stopped");
  }

  /** The network or the page has come back: don't wait for the next try. */
  wake() {
    if (this.state !== "waiting") return;
    this.#failures = 0;
    this.#connect();
  }

  /** Tell the relay that somebody is before this page: at once, or with what it is told when it is there. */
  enter() {
    if (this.#registrant.door?.state === "entered") this.post("enter", {});
  }

  /** Look whether the relay is still there; if not, it is lost, and tried again at once. */
  probe() {
    if (this.state === "up") this.#perform(this.#keepalive.ask(seconds()));
  }

  /** The relay does not answer. */
  reconnect() {
    if (this.state !== "up") return;
    this.#lookout.know("unreachable");
    this.renew();
  }

  /** Register again, on a socket of its own: sessions survive that. */
  renew() {
    if (this.state !== "up") return;
    this.#drop();
    this.#change("waiting");
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
    this.#change("connecting");
    this.#timer = setTimeout(() => this.#lost(CloseCode.ABNORMAL), REGISTER_DEADLINE * 1000);
    socket.register(this.#registrant);
    socket.listen((data) => this.#receive(data), (code) => this.#lost(code));
  }

  /** @param {unknown} data */
  #receive(data) {
    const frame = decodeEvent(data);
    if (frame === null) return;
    if (frame.event === "registered" && this.state === "connecting") {
      clearTimeout(this.#timer);
      this.#failures = 0;
      if (frame.data.features.includes(FEATURE_PING)) this.#keepalive.begin(seconds());
      this.#perform([]);
      this.#lookout.isThere();
      this.#listener.received(frame.event, frame.data);
      this.#change("up");
      // It was touched meanwhile.
      if (this.#socket?.state === "waiting") this.enter();
    } else if (frame.event === "pong") {
      this.#keepalive.answer(frame.data.id, seconds());
      this.#perform([]);
    } else {
      if (frame.event === "error" && this.state === "connecting") this.#refusal = obstacleOfError(frame.data.code);
      this.#listener.received(frame.event, frame.data);
    }
  }

  /** @param {number} code */
  #lost(code) {
    const wasUp = this.state === "up";
    this.#drop();
    if (code === CloseCode.UNAUTHORIZED) {
      this.#change("refused");
      return;
    }
    const said = this.#refusal ?? obstacleOfClose(code);
    this.#refusal = null;
    if (said !== null || wasUp) this.#lookout.know(said ?? "unreachable");
    this.#timer = setTimeout(() => this.#connect(), backoff(this.#failures) * 1000);
    this.#failures += 1;
    this.#change("waiting");
    if (said === null && !wasUp) void this.#lookout.look();
  }

  /** @param {KeepaliveOutput[]} outputs */
  #perform(outputs) {
    this.#beat.set(this.#keepalive.due);
    for (const output of outputs) {
      if (output.kind === "ping") this.post("ping", { id: output.id });
      else this.reconnect();
    }
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#keepalive = new Keepalive();
    this.#perform([]);
    this.#socket?.drop();
    this.#socket = null;
  }

  /** @param {SocketState} state */
  #change(state) {
    this.state = state;
    this.#listener.changed(state, this.#lookout.obstacle);
  }
}
