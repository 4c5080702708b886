/**
 * A peer's place at the relay, for either role: registered, and registered again whenever the relay
 * was lost; sessions are told, and decide for themselves what it means to them. An evaluator has
 * the relay take its sessions up again, which a relay that was restarted has forgotten.
 *
 * @import { EndSession, IceServer, Presence, PresenceState, Role } from "../core/protocol/wire.js"
 * @import { RouteInput } from "../core/handshake/inputs.js"
 * @import { Beginning, SessionStarted, SessionsOutput } from "../core/handshake/sessions.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Opening, Registrant } from "./opening.js"
 * @import { SocketState } from "./socket.js"
 * @import { BeginOn, Relay } from "./starting.js"
 *
 * @typedef {object} SignallingListener
 * @property {(state: SocketState, obstacle: Obstacle | null) => void} [changed] see `RelaySocket`; `refused` is
 *   for good, and all others come and go
 * @property {(route: Route) => void} [invited] an evaluator has started a session with us
 * @property {(others: PresenceState, isSentBack: boolean) => void} [waiting] for clients that have a door:
 *   where their user stands by other windows, and whether one of them was touched in place of this one
 * @property {(clients: ReadonlyMap<string, Presence>) => void} [present] for evaluators: who is
 *   online, at each change
 */

import { asksAnew } from "../core/handshake/causes.js";
import { Sessions } from "../core/handshake/sessions.js";
import { MAX_INCOMING, OUTAGE_ERRORS } from "../core/protocol/numbers.js";
import { DEFAULT_ICE_SERVERS, decodeSignal } from "../core/protocol/wire.js";
import { Again } from "./again.js";
import { Route } from "./route.js";
import { RelaySocket } from "./socket.js";
import { RelayError, Starting } from "./starting.js";

/** Who is online, as the relay tells evaluators. */
class Online {
  /** @type {Map<string, Presence>} */
  clients = new Map();
  #changed;

  /** @param {(clients: ReadonlyMap<string, Presence>) => void} changed told at each change */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The relay is there, and says who else is. @param {readonly Presence[]} entries */
  registered(entries) {
    this.clients = new Map(entries.map((entry) => [entry.userId, entry]));
    this.#changed(this.clients);
  }

  /** Clients came, went, became busy or free again. @param {readonly Presence[]} clients */
  changed(clients) {
    for (const client of clients) {
      if (client.state === "offline") this.clients.delete(client.userId);
      else this.clients.set(client.userId, client);
    }
    this.#changed(this.clients);
  }
}

/** @param {Iterable<Presence>} clients @returns {[string, string[]][]} */
function spokenBy(clients) {
  return [...clients].map(({ userId, features }) => [userId, features]);
}

/** One for each session that somebody here has use for. */
export class Routes {
  #relay;
  #invited;
  #sessions;
  #starting;
  #routes = /** @type {Map<string, Route>} */ (new Map());

  /**
   * @param {boolean} starts whether this is an evaluator, who asks for sessions
   * @param {Relay} relay
   * @param {(route: Route) => void} invited an evaluator has started a session with us
   */
  constructor(starts, relay, invited) {
    this.#relay = relay;
    this.#invited = invited;
    this.#sessions = new Sessions(starts);
    this.#starting = new Starting(
      this.#sessions,
      relay,
      (outputs) => this.#perform(outputs),
      (ref, clientId) => this.#makeEarly(ref, clientId),
    );
  }

  /** See `Starting`. @param {string} clientId @param {string | null} sessionId @param {BeginOn} [begin] */
  startSession(clientId, sessionId, begin) {
    return this.#starting.startSession(clientId, sessionId, begin);
  }

  // ── what the relay says ────────────────────────────────────────────────────────────────────────

  /**
   * The relay is there, or there again.
   *
   * @param {readonly string[]} features what it speaks
   * @param {readonly (readonly [string, readonly string[]])[]} clients what they speak
   */
  registered(features, clients) {
    this.#sessions.registered(features, clients);
    this.#starting.registered();
    this.#starting.ask();
  }

  /** There is no relay, until it is registered at again. @param {RelayError} error */
  relayLost(error) {
    this.#sessions.relayLost();
    this.#starting.fail(error);
    for (const route of this.#routes.values()) route.put({ kind: "relayLost" });
  }

  /** We are in a session. @param {SessionStarted} message */
  started(message) {
    this.#perform(this.#sessions.started(message));
  }

  /** No session is started, of the question of this name. @param {RelayError} error @param {string | null} ref */
  refused(error, ref) {
    if (this.#sessions.isRefusal(ref)) this.#starting.fail(error);
  }

  /** What a client speaks, which may have been started again. @param {string} clientId @param {string[]} features */
  clientSpeaks(clientId, features) {
    this.#perform(this.#sessions.speaks(clientId, features));
  }

  /** A client is not there; who comes in its place may speak something else. @param {string} clientId */
  clientWent(clientId) {
    this.#sessions.early.speaks(clientId, []);
  }

  /** What was refused before may be taken up by now. */
  mayAsk() {
    this.#sessions.mayAsk();
    this.#starting.ask();
  }

  /** What the relay could not carry out may be possible by now. */
  sayAgain() {
    this.#starting.sayAgain();
  }

  /**
   * @param {string | null} sessionId where the relay says it
   * @param {string} fromUserId
   * @param {RouteInput} input a signal of the other side
   */
  signalCame(sessionId, fromUserId, input) {
    this.heard(sessionId ?? this.#sessions.known.lastWith(fromUserId) ?? "", input);
  }

  /** The relay has ended one. @param {string} sessionId @param {RouteInput} end */
  ended(sessionId, end) {
    this.#sessions.untold.forget(sessionId);
    this.heard(sessionId, end);
  }

  /** The relay says something of one, if it means the one that is known. @param {string} id @param {RouteInput} input */
  heard(id, input) {
    if (this.#sessions.known.hears(id)) this.put(id, input);
  }

  /** Hand it to a session, if that is known. @param {string} sessionId @param {RouteInput} input */
  put(sessionId, input) {
    this.#routes.get(sessionId)?.put(input);
  }

  // ── what is decided ────────────────────────────────────────────────────────────────────────────

  /** @param {SessionsOutput[]} outputs */
  #perform(outputs) {
    for (const output of outputs) {
      switch (output.kind) {
        case "begin":
          this.#routes.set(output.about.sessionId, this.#makeRoute(output.about));
          break;
        case "named": {
          const route = this.#starting.name(output.about);
          if (route !== null && !output.about.isOver) this.#routes.set(route.sessionId, route);
          break;
        }
        case "invited":
          this.#offer(/** @type {Route} */ (this.#routes.get(output.sessionId)));
          break;
        case "answered":
          this.#starting.answer(this.#routes.get(output.sessionId ?? "") ?? null);
          break;
        case "back":
          this.#speaks(output);
          this.put(output.sessionId, { kind: "relayBack" });
          break;
        case "speaks":
          this.#speaks(output);
          break;
        case "gone":
          this.put(output.sessionId, { kind: "endCame", reason: output.reason });
          break;
        case "taken":
          this.put(output.sessionId, { kind: "peerTaken" });
          break;
        case "end":
          this.#end(output.message);
          break;
        case "disown":
          this.#relay.post("webrtc_signal", output.message);
          break;
        case "leave": // nothing is to be done
      }
    }
  }

  /** @param {{sessionId: string, features: string[]}} what of its client */
  #speaks({ sessionId, features }) {
    /** @type {Route} */ (this.#routes.get(sessionId)).features = features;
  }

  /** @param {Beginning & {ref?: string}} about @param {(message: EndSession) => void} [end] */
  #makeRoute(about, end = (message) => this.#end(message)) {
    return new Route(about, {
      ...this.#relay,
      end,
      takeUp: (id) => this.#takeUp(id),
      forget: (id) => this.#forget(id),
    });
  }

  /** Of a session whose id is not known: the question's name stands for it. @param {string} ref @param {string} clientId */
  #makeEarly(ref, clientId) {
    const about = { sessionId: "", peerId: clientId, peerName: clientId, resumed: false, ownerUnknown: false };
    return this.#makeRoute({ ...about, features: [], ref }, (message) => {
      if (message.sessionId === "") this.#sessions.early.over(ref, message);
      else this.#end(message);
    });
  }

  /** @param {Route} route */
  #offer(route) {
    if (this.#routes.size <= MAX_INCOMING) return this.#invited(route);
    // None of those before was taken, or left.
    route.end();
    route.close();
  }

  /** Tell the relay; it may ask about the session until it says the same. @param {EndSession} message */
  #end(message) {
    this.#sessions.untold.over(message);
    this.#relay.post("end_session", message);
  }

  /** @param {string} id */
  #takeUp(id) {
    this.#sessions.takeUp(id);
    this.#starting.ask();
  }

  /** @param {string} id */
  #forget(id) {
    this.#sessions.forget(id);
    this.#routes.delete(id);
  }
}

export class Signalling {
  /** What the relay says to use. @type {readonly IceServer[]} */
  iceServers = DEFAULT_ICE_SERVERS;
  /** When it has said so, by the wall clock, which goes on while a machine sleeps. */
  #toldAt = -Infinity;
  /** For clients: where recordings are posted; null for nowhere. @type {string | null} */
  recordingUrl = null;
  #listener;
  #socket;
  #routes;
  #online;
  #again = new Again(() => this.#sayAgain());
  /** What the relay speaks, as it has said last. @type {readonly string[]} */
  #features = [];

  /**
   * @param {{url: string, userId: string, role: Role, name?: string, token?: string,
   *   first?: Opening | null, door?: Registrant["door"]}} options `first`: a socket that is being opened already
   * @param {SignallingListener} listener
   */
  constructor({ url, userId, role, name, token, first, door }, listener) {
    this.#listener = listener;
    const socket = (this.#socket = new RelaySocket(
      url,
      { userId, role, name, token, door },
      {
        changed: (state, obstacle) => this.#changed(state, obstacle),
        received: (event, data) => this.#received(event, data),
      },
      first,
    ));
    this.#online = new Online((clients) => listener.present?.(clients));
    this.#routes = new Routes(
      role === "evaluator",
      {
        post: (event, data) => socket.post(event, data),
        probe: () => socket.probe(),
        hindered: (cause) => this.#hindered(cause),
        reconnect: () => socket.reconnect(),
      },
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

  /** For clients that have a door: somebody has touched this page. */
  enter() {
    this.#socket.enter();
  }

  /** The network may have gone. */
  probe() {
    this.#socket.probe();
  }

  /**
   * For evaluators.
   *
   * @param {string} clientId
   * @param {string | null} [sessionId] of a session that a page before this one had, to take it up
   * @param {BeginOn} [begin] where it may begin before the relay has answered; closed if that comes to
   *   nothing, and called again if the relay is asked again
   * @returns {Promise<Route>} to make a `Session` of
   * @throws {RelayError} `unknown_client`, `client_busy`, `unavailable`, or a code of our own
   */
  startSession(clientId, sessionId = null, begin) {
    return this.#routes.startSession(clientId, sessionId, begin);
  }

  // ── what the relay says ────────────────────────────────────────────────────────────────────────

  /** @param {SocketState} state @param {Obstacle | null} obstacle */
  #changed(state, obstacle) {
    if (state === "up") this.#routes.registered(this.#features, spokenBy(this.clients.values()));
    else if (state !== "connecting") this.#routes.relayLost(new RelayError("relay_lost"));
    this.#listener.changed?.(state, obstacle);
  }

  /** @param {string} event @param {Record<string, any>} data */
  #received(event, data) {
    const routes = this.#routes;
    switch (event) {
      case "registered":
        if (this.state !== "up") this.#registered(data);
        break;
      case "ice_servers":
        this.#nameServers(data.iceServers);
        break;
      case "session_started":
        routes.started(/** @type {SessionStarted} */ (data));
        break;
      case "webrtc_signal": {
        const signal = decodeSignal(data.signal);
        routes.signalCame(data.sessionId ?? null, data.fromUserId, { kind: "signalCame", signal });
        break;
      }
      case "session_ended":
        routes.ended(data.sessionId, { kind: "endCame", reason: data.reason, detail: data.detail });
        break;
      case "peer_away":
        routes.heard(data.sessionId, { kind: "peerWent" });
        break;
      case "peer_back":
        routes.heard(data.sessionId, { kind: "peerCame" });
        break;
      case "waiting":
        this.#listener.waiting?.(data.others, data.again);
        break;
      case "presence":
        this.#presence([/** @type {Presence} */ (data)]);
        break;
      case "presences":
        this.#presence(data.clients);
        break;
      case "error":
        if (OUTAGE_ERRORS.includes(data.code) && this.state === "up") this.#again.later();
        if (data.event === "start_session") routes.refused(new RelayError(data.code, data.message), data.ref ?? null);
        break;
      default: // An event that is not known is ignored.
    }
  }

  #sayAgain() {
    this.#routes.sayAgain();
    this.#socket.enter();
    // Whoever waits for a client looks again whether it may be asked for.
    if (this.state === "up") this.#online.changed([]);
  }

  /** @param {Record<string, any>} data */
  #registered({ iceServers, recordingUrl, clients, features }) {
    this.#features = features;
    this.#nameServers(iceServers ?? DEFAULT_ICE_SERVERS);
    this.recordingUrl = recordingUrl ?? null;
    this.#online.registered(clients ?? []);
  }

  /** @param {readonly IceServer[]} servers */
  #nameServers(servers) {
    this.iceServers = servers;
    this.#toldAt = Date.now() / 1000;
  }

  /** @param {string} cause */
  #hindered(cause) {
    if (asksAnew(cause, Date.now() / 1000 - this.#toldAt)) this.#socket.renew();
  }

  /** @param {readonly Presence[]} clients */
  #presence(clients) {
    for (const { state, userId, features } of clients) {
      if (state === "offline") {
        this.#routes.clientWent(userId);
        continue;
      }
      this.#routes.clientSpeaks(userId, features);
      this.#routes.mayAsk();
    }
    this.#online.changed(clients);
  }
}
