/**
 * A peer's place at the relay, for either role: registered, and registered again whenever the relay
 * was lost; sessions are told, and decide for themselves what it means to them. An evaluator has
 * the relay take its sessions up again, which a relay that was restarted has forgotten.
 *
 * @import { IceServer, Presence, Role } from "../core/protocol/wire.js"
 * @import { SocketState } from "./socket.js"
 *
 * @typedef {object} SignallingListener
 * @property {(state: SocketState, code: number) => void} [changed] see `RelaySocket`; `refused` is
 *   for good, and all others come and go
 * @property {(route: Route) => void} [invited] an evaluator has started a session with us
 * @property {(clients: ReadonlyMap<string, Presence>) => void} [present] for evaluators: who is
 *   online, at each change
 */

import { PASSING_ERRORS, START_DEADLINE } from "../core/protocol/numbers.js";
import { DEFAULT_ICE_SERVERS, decodeSignal } from "../core/protocol/wire.js";
import { Route } from "./route.js";
import { RelaySocket } from "./socket.js";

/** The relay refuses something, or is not there; `message` says what to do. */
export class RelayError extends Error {
  /** @param {string} code the relay's own, or `no_relay` or `timeout` @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  /** Whether another try may be answered otherwise. */
  get mayPass() {
    return [...PASSING_ERRORS, "no_relay", "timeout"].includes(this.code);
  }
}

/**
 * @typedef {object} Start a start_session that waits for its answer
 * @property {string} clientId
 * @property {string | null} sessionId of one that is to be taken up; null for a new one
 * @property {(route: Route) => void} resolve
 * @property {(error: RelayError) => void} reject
 */

export class Signalling {
  /** What the relay says to use. @type {readonly IceServer[]} */
  iceServers = DEFAULT_ICE_SERVERS;
  /** For clients: where recordings are posted; null for nowhere. @type {string | null} */
  recordingUrl = null;
  /** Who is online, as evaluators are told. @type {Map<string, Presence>} */
  clients = new Map();
  #role;
  #listener;
  #socket;
  /** @type {Map<string, Route>} */
  #routes = new Map();
  /** How often we were registered. */
  #registrations = 0;
  /** Sessions that the relay may have forgotten. @type {Set<string>} */
  #forgotten = new Set();
  /** Sessions that are over without the relay's having been told. @type {Set<string>} */
  #untold = new Set();
  /** The relay's errors don't name the client, so one start is under way at a time. */
  #starts = Promise.resolve();
  /** @type {Start | null} */
  #start = null;
  /** What sessions get to speak to the relay. */
  #doors = {
    post: (/** @type {string} */ event, /** @type {object} */ data) =>
      this.#socket.post(event, data),
    end: (/** @type {string} */ id) => this.#end(id),
    takeUp: (/** @type {string} */ id) => this.#askToTakeUp(id),
    probe: () => this.#socket.probe(),
    forget: (/** @type {string} */ id) => void this.#routes.delete(id),
  };

  /**
   * @param {{url: string, userId: string, role: Role, name?: string, token?: string}} options
   * @param {SignallingListener} listener
   */
  constructor({ url, userId, role, name, token }, listener) {
    this.#role = role;
    this.#listener = listener;
    this.#socket = new RelaySocket(
      url,
      { userId, role, package: "webrtc", name, token },
      {
        changed: (state, code) => this.#changed(state, code),
        received: (event, data) => this.#received(event, data),
      },
    );
  }

  get state() {
    return this.#socket.state;
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
   * @throws {RelayError} `unknown_client`, `client_busy`; `no_relay` and `timeout` are our own
   */
  startSession(clientId, sessionId = null) {
    return this.#queueStart(clientId, sessionId);
  }

  // ── starting and taking up ─────────────────────────────────────────────────────────────────────

  /** @param {string} clientId @param {string | null} sessionId @returns {Promise<Route>} */
  #queueStart(clientId, sessionId) {
    const result = this.#starts.then(() => this.#startNow(clientId, sessionId));
    this.#starts = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** @param {string} clientId @param {string | null} sessionId @returns {Promise<Route>} */
  #startNow(clientId, sessionId) {
    /** @type {number | undefined} */
    let timer;
    /** @type {Promise<Route>} */
    const answer = new Promise((resolve, reject) => {
      this.#start = { clientId, sessionId, resolve, reject };
      const wanted = sessionId === null ? {} : { sessionId };
      if (!this.#socket.post("start_session", { clientId, ...wanted })) {
        reject(new RelayError("no_relay", "The relay can't be reached at this moment; try again."));
      }
      const late = new RelayError("timeout", "The relay does not answer; try again.");
      timer = setTimeout(reject, START_DEADLINE * 1000, late);
    });
    return answer.finally(() => {
      clearTimeout(timer);
      this.#start = null;
    });
  }

  /** @param {string} sessionId */
  #askToTakeUp(sessionId) {
    this.#forgotten.add(sessionId);
    this.#takeUpForgotten();
  }

  #takeUpForgotten() {
    if (this.state !== "up") return;
    const forgotten = [...this.#forgotten];
    this.#forgotten.clear();
    for (const sessionId of forgotten) {
      const route = this.#routes.get(sessionId);
      if (route !== undefined) this.#takeUp(route);
    }
  }

  /** @param {Route} route */
  async #takeUp(route) {
    try {
      await this.#queueStart(route.peerId, route.sessionId);
    } catch (error) {
      // What may pass is tried again when it has: presence tells of it.
      if (/** @type {RelayError} */ (error).mayPass) this.#forgotten.add(route.sessionId);
      else route.put({ kind: "ended", reason: "peer_gone" });
    }
  }

  // ── what the relay says ────────────────────────────────────────────────────────────────────────

  /** @param {SocketState} state @param {number} code */
  #changed(state, code) {
    if (state === "up") {
      this.#takeUpForgotten();
    } else if (state !== "connecting") {
      this.#start?.reject(new RelayError("no_relay", "The relay was lost; try again."));
      for (const [sessionId, route] of this.#routes) {
        if (this.#role === "evaluator") this.#forgotten.add(sessionId);
        route.put({ kind: "relayLost" });
      }
    }
    this.#listener.changed?.(state, code);
  }

  /** @param {string} event @param {Record<string, any>} data */
  #received(event, data) {
    const route = this.#routes.get(data.sessionId);
    switch (event) {
      case "registered":
        this.#registrations += 1;
        this.iceServers = data.iceServers ?? DEFAULT_ICE_SERVERS;
        this.recordingUrl = data.recordingUrl ?? null;
        this.clients = new Map((data.clients ?? []).map((/** @type {Presence} */ c) => [c.userId, c]));
        this.#listener.present?.(this.clients);
        break;
      case "session_started":
        this.#sessionStarted(data);
        break;
      case "webrtc_signal":
        this.#find(data)?.put({ kind: "signal", signal: decodeSignal(data.signal) });
        break;
      case "session_ended":
        route?.put({ kind: "ended", reason: data.reason });
        break;
      case "peer_away":
      case "peer_back":
        route?.put({ kind: event === "peer_away" ? "peerAway" : "peerBack" });
        break;
      case "presence":
        this.#presence(/** @type {Presence} */ (data));
        break;
      case "error":
        if (data.event === "start_session") {
          this.#start?.reject(new RelayError(String(data.code), String(data.message)));
        }
        break;
      default: // An event that is not known is ignored.
    }
  }

  /** @param {Presence} presence */
  #presence(presence) {
    if (presence.state === "offline") this.clients.delete(presence.userId);
    else this.clients.set(presence.userId, presence);
    if (presence.state !== "offline") this.#takeUpForgotten();
    this.#listener.present?.(this.clients);
  }

  /** @param {Record<string, any>} data */
  #sessionStarted({ sessionId, evaluatorId, evaluatorName, clientId, resumed = false }) {
    const known = this.#routes.get(sessionId);
    if (known !== undefined) {
      this.#forgotten.delete(sessionId);
      known.put({ kind: "relayBack" });
      if (this.#start?.sessionId === sessionId) this.#start?.resolve(known);
      return;
    }
    const offers = this.#role === "evaluator";
    const peerId = offers ? clientId : evaluatorId;
    const isAwaited = this.#start?.clientId === peerId;
    if (this.#untold.has(sessionId) || (offers && !isAwaited && !resumed)) {
      this.#end(sessionId); // nobody waits for it any more
      return;
    }
    // Of a page before this one, or of another one of the same user: not ours to touch.
    if (offers && resumed && this.#start?.sessionId !== sessionId) return;
    const peerName = evaluatorName ?? peerId;
    // A page that was here before and is not in it was passed over when it began.
    const isDisputed = resumed && this.#registrations > 1;
    const about = { sessionId, peerId, peerName, resumed, isDisputed };
    const route = new Route(about, this.#doors);
    this.#routes.set(sessionId, route);
    if (offers) this.#start?.resolve(route);
    else this.#listener.invited?.(route);
  }

  /** Tell the relay; where it is lost, it is told when it takes the session up. @param {string} id */
  #end(id) {
    this.#untold.add(id);
    if (this.#socket.post("end_session", { sessionId: id })) this.#untold.delete(id);
  }

  /** The session of a signal. @param {Record<string, any>} signal */
  #find({ sessionId, fromUserId }) {
    if (sessionId !== undefined) return this.#routes.get(sessionId);
    // A relay need not name it: then it is the last one with the sender.
    return [...this.#routes.values()].filter((route) => route.peerId === fromUserId).at(-1);
  }
}
