/**
 * The sessions of one peer: carries out what `core/handshake/sessions.js` decides of them.
 *
 * @import { Beginning, SessionStarted, SessionsOutput } from "../core/handshake/sessions.js"
 * @import { RouteInput } from "./route.js"
 * @import { RelayError } from "./starting.js"
 *
 * @typedef {object} Relay the way to it
 * @property {(event: string, data: object) => boolean} post whether it is there
 * @property {() => void} probe looks whether it is
 */

import { MAX_INCOMING } from "../core/protocol/numbers.js";
import { Sessions } from "../core/handshake/sessions.js";
import { Route } from "./route.js";
import { Starting } from "./starting.js";

/** One for each session that somebody here has use for. */
export class Routes {
  #relay;
  #invited;
  #sessions;
  #starting;
  /** @type {Map<string, Route>} */
  #routes = new Map();

  /**
   * @param {boolean} starts whether this is an evaluator, who asks for sessions
   * @param {Relay} relay
   * @param {(route: Route) => void} invited an evaluator has started a session with us
   */
  constructor(starts, relay, invited) {
    this.#relay = relay;
    this.#invited = invited;
    this.#sessions = new Sessions(starts);
    this.#starting = new Starting(this.#sessions, relay.post, (outputs) => this.#perform(outputs));
  }

  /** See `Starting`. @param {string} clientId @param {string | null} sessionId */
  startSession(clientId, sessionId) {
    return this.#starting.startSession(clientId, sessionId);
  }

  // ── what the relay says ────────────────────────────────────────────────────────────────────────

  /** The relay is there, or there again. */
  registered() {
    this.#sessions.registered();
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

  /** No session is started. @param {RelayError} error */
  refused(error) {
    this.#starting.fail(error);
  }

  /** What was refused before may be taken up by now. */
  mayAsk() {
    this.#sessions.mayAsk();
    this.#starting.ask();
  }

  /**
   * @param {string | null} sessionId where the relay says it
   * @param {string} fromUserId
   * @param {RouteInput} input a signal of the other side
   */
  signalCame(sessionId, fromUserId, input) {
    const found = this.#sessions.find(sessionId, fromUserId);
    if (found !== null) this.put(found, input);
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
        case "invited":
          this.#offer(/** @type {Route} */ (this.#routes.get(output.sessionId)));
          break;
        case "answered":
          this.#starting.answer(this.#routes.get(output.sessionId ?? "") ?? null);
          break;
        case "back":
          this.put(output.sessionId, { kind: "relayBack" });
          break;
        case "gone":
          this.put(output.sessionId, { kind: "ended", reason: "peer_gone" });
          break;
        case "end":
          this.#end(output.sessionId);
          break;
        case "leave": // nothing is to be done
      }
    }
  }

  /** @param {Beginning} about */
  #makeRoute(about) {
    return new Route(about, {
      ...this.#relay,
      end: (id) => this.#end(id),
      takeUp: (id) => this.#takeUp(id),
      forget: (id) => this.#forget(id),
    });
  }

  /** @param {Route} route */
  #offer(route) {
    if (this.#routes.size <= MAX_INCOMING) {
      this.#invited(route);
      return;
    }
    // None of those before was taken, or left.
    route.end();
    route.close();
  }

  /** Tell the relay; where it is lost, it is told when it takes the session up. @param {string} id */
  #end(id) {
    this.#sessions.over(id);
    if (this.#relay.post("end_session", { sessionId: id })) this.#sessions.told(id);
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
