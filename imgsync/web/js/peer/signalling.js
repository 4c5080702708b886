/**
 * A peer's place at the relay, for either role: registered, and registered again whenever the relay
 * was lost; sessions are told, and decide for themselves what it means to them. An evaluator has
 * the relay take its sessions up again, which a relay that was restarted has forgotten.
 *
 * @import { IceServer, Presence, Role } from "../core/protocol/wire.js"
 * @import { SessionStarted } from "../core/handshake/sessions.js"
 * @import { Route } from "./route.js"
 * @import { SocketState } from "./socket.js"
 *
 * @typedef {object} SignallingListener
 * @property {(state: SocketState, code: number) => void} [changed] see `RelaySocket`; `refused` is
 *   for good, and all others come and go
 * @property {(route: Route) => void} [invited] an evaluator has started a session with us
 * @property {(clients: ReadonlyMap<string, Presence>) => void} [present] for evaluators: who is
 *   online, at each change
 */

import { DEFAULT_ICE_SERVERS, decodeSignal } from "../core/protocol/wire.js";
import { Online } from "./online.js";
import { Routes } from "./routes.js";
import { RelaySocket } from "./socket.js";
import { RelayError } from "./starting.js";

export class Signalling {
  /** What the relay says to use. @type {readonly IceServer[]} */
  iceServers = DEFAULT_ICE_SERVERS;
  /** For clients: where recordings are posted; null for nowhere. @type {string | null} */
  recordingUrl = null;
  #listener;
  #socket;
  #routes;
  #online;

  /**
   * @param {{url: string, userId: string, role: Role, name?: string, token?: string}} options
   * @param {SignallingListener} listener
   */
  constructor({ url, userId, role, name, token }, listener) {
    this.#listener = listener;
    const socket = (this.#socket = new RelaySocket(
      url,
      { userId, role, package: "webrtc", name, token },
      {
        changed: (state, code) => this.#changed(state, code),
        received: (event, data) => this.#received(event, data),
      },
    ));
    this.#online = new Online((clients) => listener.present?.(clients));
    this.#routes = new Routes(
      role === "evaluator",
      { post: (event, data) => socket.post(event, data), probe: () => socket.probe() },
      (route) => listener.invited?.(route),
    );
  }

  get state() {
    return this.#socket.state;
  }

  /** Who is online, as evaluators are told. */
  get clients() {
    return this.#online.clients;
  }

  start() {
    this.#socket.start();
  }

  /** For good. */
  stop() {
    this.#socket.stop();
  }

  /** The page or the network has come back. */
  wake() {
    this.#socket.wake();
    this.#socket.probe();
  }

  /**
   * For evaluators.
   *
   * @param {string} clientId
   * @param {string | null} [sessionId] of a session that a page before this one had, to take it up
   * @returns {Promise<Route>} to make a `Session` of
   * @throws {RelayError} `unknown_client`, `client_busy`, or a code of our own
   */
  startSession(clientId, sessionId = null) {
    return this.#routes.startSession(clientId, sessionId);
  }

  // ── what the relay says ────────────────────────────────────────────────────────────────────────

  /** @param {SocketState} state @param {number} code */
  #changed(state, code) {
    if (state === "up") this.#routes.registered();
    else if (state !== "connecting") this.#routes.relayLost(new RelayError("relay_lost"));
    this.#listener.changed?.(state, code);
  }

  /** @param {string} event @param {Record<string, any>} data */
  #received(event, data) {
    const routes = this.#routes;
    switch (event) {
      case "registered":
        if (this.state !== "up") this.#registered(data);
        break;
      case "session_started":
        routes.started(/** @type {SessionStarted} */ (data));
        break;
      case "webrtc_signal": {
        const signal = decodeSignal(data.signal);
        routes.signalCame(data.sessionId ?? null, data.fromUserId, { kind: "signal", signal });
        break;
      }
      case "session_ended":
        routes.put(data.sessionId, { kind: "ended", reason: data.reason });
        break;
      case "peer_away":
        routes.put(data.sessionId, { kind: "peerAway" });
        break;
      case "peer_back":
        routes.put(data.sessionId, { kind: "peerBack" });
        break;
      case "presence":
        this.#presence(/** @type {Presence} */ (data));
        break;
      case "error":
        if (data.event === "start_session") routes.refused(new RelayError(data.code, data.message));
        break;
      default: // An event that is not known is ignored.
    }
  }

  /** @param {Record<string, any>} data */
  #registered({ iceServers, recordingUrl, clients }) {
    this.iceServers = iceServers ?? DEFAULT_ICE_SERVERS;
    this.recordingUrl = recordingUrl ?? null;
    this.#online.registered(clients ?? []);
  }

  /** @param {Presence} presence */
  #presence(presence) {
    if (presence.state !== "offline") this.#routes.mayAsk();
    this.#online.changed(presence);
  }
}
