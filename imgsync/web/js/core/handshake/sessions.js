/**
 * @import { EndReason, EndSession } from "../protocol/wire.js"
 *
 * The sessions of one peer: what `session_started` means to it, and which it has to ask for again.
 *
 *     session_started is of ...              to an evaluator               to a client
 *     one that is over for us only           end it                        end it
 *     one that is known                      it is back                    it is back
 *     one that is known, but with somebody else                            say with whom it is
 *     what was asked for                     it begins
 *     another than was to be taken up        end it, the first is gone
 *     an old one that was not asked for      leave it alone
 *     any other                              end it                        it begins, others are gone
 *
 * After a restart the relay knows no session, and believes whoever names one first. A client that is
 * in it with another evaluator stays in that, and says so; until the relay says so, too, all that it
 * says of a session of this id is of the other one.
 *
 * What a client speaks on the channel is as the relay has said last, of it or of the session.
 *
 * What is over here may be begun by the relay meanwhile, whose word was under way: the channel that
 * told of the end is faster. It is over until the relay says the same.
 *
 * A relay that was lost may have forgotten the sessions of an evaluator. Each is asked for again,
 * when the relay may have another answer than before, until it is back, refused for good, or
 * forgotten here.
 *
 * @typedef {{sessionId: string, evaluatorId?: string, evaluatorName?: string, clientId?: string,
 *   resumed: boolean, features: string[], ref?: string}} SessionStarted
 *
 * @typedef {{sessionId: string, peerId: string, peerName: string, resumed: boolean,
 *   ownerUnknown: boolean, features: string[]}} Beginning
 *
 * @typedef {{ref: string, sessionId: string, features: string[], saysAgain: boolean, isOver: boolean}} Naming
 *   `saysAgain`: its signals went to nobody until now; `isOver`: it is over here already
 *
 * @typedef {{kind: "begin", about: Beginning}
 *   | {kind: "named", about: Naming}
 *   | {kind: "invited", sessionId: string}
 *   | {kind: "answered", sessionId: string | null}
 *   | {kind: "back", sessionId: string, features: string[]}
 *   | {kind: "speaks", sessionId: string, features: string[]}
 *   | {kind: "gone", sessionId: string, reason: EndReason}
 *   | {kind: "taken", sessionId: string}
 *   | {kind: "end", message: EndSession}
 *   | {kind: "disown", message: {targetUserId: string, signal: null, sessionId: string}}
 *   | {kind: "leave", sessionId: string}} SessionsOutput
 *   `begin`: make a route of it, which is disputed where another page may be in it; `named`: the one that
 *   goes by this ref has this id, and its client speaks this; `invited`: an
 *   evaluator has begun it with us; `answered`: what was asked for has led to it, or to none that
 *   is still wanted; `back`: the relay has us in it again; `speaks`: so its
 *   client does from now on, as far as the relay knows; `gone`: the relay has it no more, and
 *   why; `taken`: the relay has its client in one with another evaluator; `end`: tell the relay that
 *   it is over here; `disown`: tell it that a session is with this peer, and not with whom it says;
 *   `leave`: a page before this one had it, or another of the same user
 *
 * @typedef {object} Asked a start_session that waits for its answer
 * @property {string} clientId
 * @property {string | null} sessionId
 * @property {boolean} takesUp whether it is for a session that is known here
 * @property {string | null} ref its name, where the offer goes out right behind it
 *
 * @typedef {object} Known a session that somebody here has use for
 * @property {string} peerId
 * @property {boolean} isForgotten the relay may have forgotten it
 * @property {boolean} isDue the relay is to be asked for it now
 * @property {boolean} isAnothers what the relay has under its id is a session of somebody else
 */

import { FEATURE_EARLY_OFFER, MAX_UNTOLD } from "../protocol/numbers.js";
import { EarlyOffers } from "./early_offers.js";

/** Those that somebody here has use for, by their ids, the oldest first. @extends {Map<string, Known>} */
class KnownSessions extends Map {
  /** @param {string} sessionId @param {string} peerId */
  add(sessionId, peerId) {
    this.set(sessionId, { peerId, isForgotten: false, isDue: false, isAnothers: false });
  }

  /** Whether what the relay says of a session of this id is of the one that is known here. @param {string} sessionId */
  hears(sessionId) {
    const known = this.get(sessionId);
    return known !== undefined && !known.isAnothers;
  }

  /**
   * The session of a signal that does not name it, as a relay need not: by the sender.
   *
   * @param {string} peerId
   * @returns {string | null}
   */
  lastWith(peerId) {
    return [...this].filter(([, known]) => known.peerId === peerId).at(-1)?.[0] ?? null;
  }
}

/** Those that are over here, and not yet as the relay has it. */
class Untold {
  /** The oldest first. @type {Map<string, EndSession>} */
  #messages = new Map();

  /** It is over here; until the relay says so, it is told whenever it asks. @param {EndSession} message */
  over(message) {
    this.#messages.set(message.sessionId, message);
    if (this.#messages.size <= MAX_UNTOLD) return;
    // It never asks about one that it has ended by itself meanwhile.
    for (const oldest of this.#messages.keys()) {
      this.#messages.delete(oldest);
      return;
    }
  }

  /** What the relay is to be told, if it asks. @param {string} sessionId */
  find(sessionId) {
    return this.#messages.get(sessionId);
  }

  /** To tell the relay of all. @returns {SessionsOutput[]} */
  ends() {
    return [...this.#messages.values()].map((message) => ({ kind: "end", message }));
  }

  /** The relay says that it is over, or somebody wants it again. @param {string} sessionId */
  forget(sessionId) {
    this.#messages.delete(sessionId);
  }
}

export class Sessions {
  #starts;
  known = new KnownSessions();
  untold = new Untold();
  /**
   * Most of the relay's errors don't name the question, so that only one is under way at a time.
   * @type {Asked | null}
   */
  #asked = null;
  /** Those whose offer does not wait for session_started. */
  early = new EarlyOffers();
  #registrations = 0;

  /** @param {boolean} starts whether it is an evaluator */
  constructor(starts) {
    this.#starts = starts;
  }

  // ── the relay ──────────────────────────────────────────────────────────────────────────────────

  /**
   * The relay is there, or there again; it speaks this, and so do the clients.
   *
   * @param {readonly string[]} [features]
   * @param {Iterable<readonly [string, readonly string[]]>} [clients]
   */
  registered(features = [], clients = []) {
    this.#registrations += 1;
    this.early.registered(features, clients);
    this.mayAsk();
  }

  /** What the relay knows of an evaluator's sessions may be lost with it. */
  relayLost() {
    this.early.relayLost();
    if (!this.#starts) return;
    for (const known of this.known.values()) known.isForgotten = true;
  }

  /** The relay says that we are in a session. @param {SessionStarted} message @returns {SessionsOutput[]} */
  started(message) {
    const { sessionId } = message;
    const untold = this.untold.find(sessionId);
    if (untold !== undefined) return [{ kind: "end", message: untold }, ...this.#answerIf(sessionId, null)];
    const known = this.known.get(sessionId);
    if (known !== undefined) return this.#back(known, message);
    return this.#starts ? this.#startedOurs(message) : this.#invited(message);
  }

  /** @param {Known} known @param {SessionStarted} message @returns {SessionsOutput[]} */
  #back(known, { sessionId, evaluatorId, features }) {
    const { peerId } = known;
    known.isAnothers = !this.#starts && !["", evaluatorId || peerId].includes(peerId);
    // It says no more than in which session, and to whom.
    if (known.isAnothers) return [{ kind: "disown", message: { targetUserId: peerId, signal: null, sessionId } }];
    known.isForgotten = known.isDue = false;
    return [{ kind: "back", sessionId, features }, ...this.#answerIf(sessionId, sessionId)];
  }

  /** @param {SessionStarted} message @returns {SessionsOutput[]} */
  #startedOurs(message) {
    const { sessionId, clientId, features } = message;
    const [ref, asked] = [message.ref ?? null, this.#asked];
    const isNamed = asked?.sessionId === sessionId;
    const words = this.early.answered(ref);
    /** @type {SessionsOutput} */
    const end = { kind: "end", message: { ...words, sessionId } };
    if (message.resumed && !isNamed) return [{ kind: "leave", sessionId }];
    if (asked?.ref !== ref || !(isNamed || asked.clientId === clientId)) return [end];
    this.#asked = null;
    if (ref !== null) {
      const isOver = words !== null;
      const saysAgain = !isOver && !features.includes(FEATURE_EARLY_OFFER);
      const about = { ref, sessionId, features, saysAgain, isOver };
      if (isOver) return [{ kind: "named", about }, end, { kind: "answered", sessionId: null }];
      this.known.add(sessionId, asked.clientId);
      return [{ kind: "named", about }, { kind: "answered", sessionId }];
    }
    if (!asked.takesUp) return [this.#begin(message, clientId), { kind: "answered", sessionId }];
    // What was to be taken up is over meanwhile, or the relay has begun another one instead.
    return [end, { kind: "answered", sessionId: null }, ...this.refused(asked, false)];
  }

  /** @param {SessionStarted} message @returns {SessionsOutput[]} */
  #invited(message) {
    const { sessionId, evaluatorId } = message;
    // A client is in one session at most: those before are none of the relay's any more.
    const before = [...this.known.keys()];
    return [
      ...before.map((id) => /** @type {SessionsOutput} */ ({ kind: "gone", sessionId: id, reason: "replaced" })),
      this.#begin(message, evaluatorId),
      { kind: "invited", sessionId },
    ];
  }

  /** @param {SessionStarted} message @param {string} [peerId] @returns {SessionsOutput} */
  #begin({ sessionId, evaluatorName, resumed, features }, peerId = "") {
    this.known.add(sessionId, peerId);
    // A page that was here before and is not in it was passed over when it began.
    const ownerUnknown = resumed && this.#registrations > 1;
    const peerName = evaluatorName || peerId;
    const about = { sessionId, peerId, peerName, resumed, ownerUnknown, features };
    return { kind: "begin", about };
  }

  /** @param {string} named @param {string | null} answer @returns {SessionsOutput[]} */
  #answerIf(named, answer) {
    if (this.#asked?.sessionId !== named) return [];
    this.#asked = null;
    return [{ kind: "answered", sessionId: answer }];
  }

  /**
   * The relay says what a client speaks, such as one that was started again.
   *
   * @param {string} clientId
   * @param {string[]} features
   * @returns {SessionsOutput[]}
   */
  speaks(clientId, features) {
    this.early.speaks(clientId, features);
    const ofClient = [...this.known].filter(([, known]) => known.peerId === clientId);
    return ofClient.map(([sessionId]) => ({ kind: "speaks", sessionId, features }));
  }

  // ── what is asked for ──────────────────────────────────────────────────────────────────────────

  /**
   * Somebody wants a session, or one that a page before this one had.
   *
   * @param {string} clientId
   * @param {string | null} sessionId
   * @returns {Asked}
   */
  ask(clientId, sessionId) {
    if (sessionId !== null) this.untold.forget(sessionId);
    const ref = sessionId === null ? this.early.ask(clientId) : null;
    return (this.#asked = { clientId, sessionId, takesUp: false, ref });
  }

  /** The relay may have another answer than before: ask for all that it may have forgotten. */
  mayAsk() {
    for (const known of this.known.values()) known.isDue = known.isForgotten;
  }

  /** The relay could not carry out something, of whichever session. @returns {SessionsOutput[]} */
  sayAgain() {
    this.mayAsk();
    return this.untold.ends();
  }

  /** The relay has forgotten this one, as its session has found out. @param {string} sessionId */
  takeUp(sessionId) {
    const known = this.known.get(sessionId);
    if (known !== undefined) known.isForgotten = true;
    this.mayAsk();
  }

  /** The next one that the relay is to be asked for now. @returns {Asked | null} */
  takeUpNext() {
    for (const [sessionId, known] of this.known) {
      if (!known.isDue) continue;
      known.isDue = false;
      return (this.#asked = { clientId: known.peerId, sessionId, takesUp: true, ref: null });
    }
    return null;
  }

  /** What was asked for is answered, or is not waited for any more. */
  askNoMore() {
    this.#asked = null;
  }

  /** Whether an error that answers this, where it says so, is of what is asked. @param {string | null} ref */
  isRefusal(ref) {
    this.early.answered(ref);
    return this.#asked !== null && (ref === null || ref === this.#asked.ref);
  }

  /**
   * The relay does not take a session up. What may pass is asked for again when it has.
   *
   * @param {Asked} asked
   * @param {boolean} mayPass
   * @param {boolean} [isTaken]
   * @returns {SessionsOutput[]}
   */
  refused({ sessionId }, mayPass, isTaken = false) {
    const known = sessionId === null ? undefined : this.known.get(sessionId);
    if (sessionId === null || known === undefined) return [];
    if (mayPass) return isTaken ? [{ kind: "taken", sessionId }] : [];
    known.isForgotten = known.isDue = false;
    return [{ kind: "gone", sessionId, reason: "peer_gone" }];
  }

  /** Nothing more is wanted of a session. @param {string} sessionId */
  forget(sessionId) {
    this.known.delete(sessionId);
  }
}
