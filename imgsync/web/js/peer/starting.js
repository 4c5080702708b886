/**
 * What is asked of the relay: sessions, and those again that it may have forgotten. With each question
 * we look whether the relay is still there. Whoever asks for a session waits for one that is not, and
 * asks once more. Where the offer need not wait for the answer, the session is begun before there is
 * one, and closed if none comes of it.
 *
 * @import { Asked, Sessions, SessionsOutput } from "../core/handshake/sessions.js"
 * @import { Naming } from "../core/handshake/sessions.js"
 * @import { Route } from "./route.js"
 *
 * @typedef {(route: Route) => {close: () => unknown}} BeginOn begins what a session is to whoever asked
 *   for it, on the way that there is to it before the relay has answered
 *
 * @typedef {object} Relay the way to it
 * @property {(event: string, data: object) => boolean} post whether it is there
 * @property {() => void} probe looks whether it is
 * @property {() => void} reconnect it does not answer: register at it anew
 * @property {(cause: string) => void} hindered told what is in the way of a connection, one of `Cause`
 *
 * @typedef {"no_relay" | "relay_lost" | "timeout"} OwnCode what we find by ourselves: the relay is
 *   not there, was lost before it answered, does not answer
 */

import { PASSING_ERRORS, START_DEADLINE, TAKEN_ERRORS } from "../core/protocol/numbers.js";

/** @type {readonly string[]} */
const OWN_CODES = /** @type {OwnCode[]} */ (["no_relay", "relay_lost", "timeout"]);

/** The relay refuses something, or is not there. */
export class RelayError extends Error {
  /**
   * @param {string} code the relay's own, or an `OwnCode`
   * @param {string} [message] what the relay says to do
   */
  constructor(code, message = code) {
    super(message);
    this.code = code;
  }

  /** Whether another try may be answered otherwise. */
  get mayPass() {
    return PASSING_ERRORS.includes(this.code) || OWN_CODES.includes(this.code);
  }

  /** Whether the relay was asked, and has not answered. */
  get isSilence() {
    return this.code === "relay_lost" || this.code === "timeout";
  }

  /** Whether the client is known to be in a session with another evaluator. */
  get isTaken() {
    return TAKEN_ERRORS.includes(this.code);
  }
}

/**
 * @typedef {object} Start a start_session that waits for its answer
 * @property {(route: Route | null) => void} resolve with the session that came of it, if any
 * @property {(error: RelayError) => void} reject
 * @property {Route | null} early the way of an offer that does not wait for it
 */

/** One question after the other; what they are is decided by `Sessions`. */
export class Starting {
  #sessions;
  #relay;
  #perform;
  #makeEarly;
  /** Of the last question that was put: settled when the next one may be. */
  #turn = Promise.resolve();
  /** @type {Start | null} */
  #start = null;
  /** Whether what is due will be looked at, so that it need not be said. */
  #isTakingUp = false;
  /** Whom to tell that we have registered again. @type {(() => void) | null} */
  #isBack = null;

  /**
   * @param {Sessions} sessions
   * @param {Relay} relay
   * @param {(outputs: SessionsOutput[]) => void} perform carries out what is decided
   * @param {(ref: string, clientId: string) => Route} makeEarly makes the way of an offer that goes out
   *   right behind what is asked
   */
  constructor(sessions, relay, perform, makeEarly) {
    this.#makeEarly = makeEarly;
    this.#sessions = sessions;
    this.#relay = relay;
    this.#perform = perform;
  }

  /**
   * Ask for a session.
   *
   * @param {string} clientId
   * @param {string | null} sessionId
   * @param {BeginOn} [begin]
   * @returns {Promise<Route>}
   * @throws {RelayError}
   */
  async startSession(clientId, sessionId, begin) {
    const ask = () => this.#askFor(this.#sessions.ask(clientId, sessionId), begin);
    const route = await this.#inTurn(async () => {
      try {
        return await ask();
      } catch (error) {
        // Neither is it known whether it has heard that, nor does it matter: a session that it has
        // begun is replaced.
        const { isSilence } = /** @type {RelayError} */ (error);
        if (!isSilence || !(await this.#waitBack())) throw error;
        return await ask();
      }
    });
    return /** @type {Route} */ (route);
  }

  /** Ask once. @param {Asked} asked @param {BeginOn} [begin] @returns {Promise<Route | null>} */
  async #askFor(asked, begin) {
    const { ref, clientId } = asked;
    const early = ref === null ? null : this.#makeEarly(ref, clientId);
    const answered = this.#askAndWait(asked, early);
    const begun = early === null ? null : begin?.(early);
    try {
      const route = await answered;
      return early ?? route;
    } catch (error) {
      begun?.close();
      throw error;
    }
  }

  /** The session that was offered for has an id. @param {Naming} about @returns {Route | null} its way, if it is still wanted */
  name({ sessionId, features, saysAgain }) {
    const route = this.#start?.early ?? null;
    route?.name(sessionId, features, saysAgain);
    return route;
  }

  /** The relay is there, or there again. */
  registered() {
    this.#isBack?.();
  }

  /** @returns {Promise<boolean>} whether we have registered again in time */
  async #waitBack() {
    const isBack = await new Promise((resolve) => {
      this.#isBack = () => resolve(true);
      setTimeout(resolve, START_DEADLINE * 1000, false);
    });
    this.#isBack = null;
    return isBack;
  }

  /** Answer what is asked, if anything is. @param {Route | null} route */
  answer(route) {
    this.#start?.resolve(route);
  }

  /** Say why it has no answer. @param {RelayError} error */
  fail(error) {
    this.#start?.reject(error);
  }

  /** Have the relay take up what is due. */
  ask() {
    if (this.#isTakingUp) return;
    this.#isTakingUp = true;
    void this.#inTurn(() => this.#takeUpNext());
  }

  /** The relay could not carry out something some time ago. */
  sayAgain() {
    this.#perform(this.#sessions.sayAgain());
    this.ask();
  }

  async #takeUpNext() {
    const asked = this.#sessions.takeUpNext();
    if (asked !== null) await this.#takeUp(asked);
    this.#isTakingUp = false;
    if (asked !== null) this.ask();
  }

  /** @param {Asked} asked */
  async #takeUp(asked) {
    try {
      await this.#askAndWait(asked, null);
    } catch (error) {
      // What may pass is tried again when it has: presence tells of it.
      const { mayPass, isTaken } = /** @type {RelayError} */ (error);
      this.#perform(this.#sessions.refused(asked, mayPass, isTaken));
    }
  }

  /** @template T @param {() => Promise<T>} question @returns {Promise<T>} */
  #inTurn(question) {
    const result = this.#turn.then(question);
    this.#turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** @param {Asked} asked @param {Route | null} early @returns {Promise<Route | null>} */
  async #askAndWait({ clientId, sessionId, ref }, early) {
    /** @type {number | undefined} */
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        this.#start = { resolve, reject, early };
        const wanted = { ...(sessionId === null ? {} : { sessionId }), ...(ref === null ? {} : { ref }) };
        timer = setTimeout(() => {
          reject(new RelayError("timeout"));
          this.#relay.reconnect();
        }, START_DEADLINE * 1000);
        const isPut = this.#relay.post("start_session", { clientId, ...wanted });
        if (isPut) this.#relay.probe();
        else reject(new RelayError("no_relay"));
      });
    } finally {
      clearTimeout(timer);
      this.#start = null;
      this.#sessions.askNoMore();
    }
  }
}
