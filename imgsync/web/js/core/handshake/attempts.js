/**
 * The attempts of one side, one after the other: when each begins, and how long it has.
 *
 * The connection of the attempt before is discarded once both sides know of the new one: by the
 * answerer when the offer comes, by the offerer when the answer does. Candidates of the other side
 * that come before their description wait for it, in order. What is known of one attempt, and of
 * one interruption, is thrown away whole.
 */

/**
 * @import { CandidateSignal, EndReason } from "../protocol/wire.js"
 * @import { Output, Phase } from "./outputs.js"
 * @import { Description } from "./sdp.js"
 */

import { ABSENCE_DEADLINE, Cause, MAX_CANDIDATES, REPAIR_DEADLINE } from "../protocol/numbers.js";
import { Causes } from "./causes.js";
import { discard, note, say } from "./outputs.js";
import { Patience, pauseAfter } from "./patience.js";
import { Reach } from "./reach.js";
import { bare, parseCandidate, parseDescription } from "./sdp.js";

/** Characters of a candidate that is told of in a log. */
const QUOTED = 120;

/** Of one attempt, their end included. */
export class RemoteCandidates {
  /** Those that wait. @type {CandidateSignal[]} */
  #early;
  #count;

  /** @param {RemoteCandidates | null} early of the attempt before: those that may be of the description that comes */
  constructor(early = null) {
    this.#early = early === null ? [] : early.#early;
    this.#count = this.#early.length;
  }

  /**
   * One came in. Those of no use don't count, and one too many is of no use.
   *
   * @param {CandidateSignal} signal
   * @returns {string | null} why it is not taken
   */
  refusalOf({ candidate }) {
    const { problem } = candidate === null ? { problem: "" } : parseCandidate(bare(candidate));
    if (problem !== "") return problem;
    this.#count += 1;
    return this.#count > MAX_CANDIDATES ? `it is one more than the ${MAX_CANDIDATES} that are taken` : null;
  }

  /**
   * One is taken.
   *
   * @param {CandidateSignal} signal
   * @param {Description | null} current
   * @returns {CandidateSignal[]} what is to be applied now
   */
  sort(signal, current) {
    if (current !== null && isOf(signal, current)) return [signal];
    this.#early.push(signal);
    return [];
  }

  /**
   * Their description is there.
   *
   * @param {Description} remote
   * @returns {CandidateSignal[]} those that waited for it; the browser finds those inside
   */
  described(remote) {
    const waiting = this.#early.filter((signal) => isOf(signal, remote));
    this.#early = this.#early.filter((signal) => !isOf(signal, remote));
    return waiting;
  }
}

/** @param {CandidateSignal} signal @param {Description} description */
function isOf({ usernameFragment }, { ufrag }) {
  return (usernameFragment ?? ufrag) === ufrag;
}

/** One peer connection; number 0 stands for none, before the first. */
export class Attempt {
  /** When it is too late for the other side's word on what we have said. */
  answerDue = Infinity;
  /** Our description, once it is made. @type {Description | null} */
  local = null;
  /** Theirs, once it came. @type {Description | null} */
  remote = null;
  /** What waits for our description to go out. @type {(string | null)[]} */
  #gathered = [];

  /**
   * @param {number} number
   * @param {number} deadline when it has come to nothing
   * @param {RemoteCandidates} candidates
   */
  constructor(number = 0, deadline = Infinity, candidates = new RemoteCandidates()) {
    this.number = number;
    this.deadline = deadline;
    this.candidates = candidates;
  }

  /** The first of its deadlines. */
  get due() {
    return Math.min(this.deadline, this.answerDue);
  }

  /** The other side can answer from now on. @param {Patience} patience @param {number} now */
  wait(patience, now) {
    this.deadline = patience.attemptDue(now);
    if (this.local !== null) this.answerDue = patience.answerDue(now);
  }

  /** It is connected, or given up. */
  stopWaiting() {
    this.deadline = this.answerDue = Infinity;
  }

  /**
   * Our description is made: it goes out, and what was found meanwhile behind it.
   *
   * @param {"offer" | "answer"} type
   * @param {string} sdp
   * @returns {Output[]}
   */
  describe(type, sdp) {
    const local = (this.local = parseDescription(sdp));
    const waiting = this.#gathered.splice(0);
    return [say({ type, sdp }), ...waiting.map((line) => say(signalOf(local, line)))];
  }

  /**
   * Our side found one more candidate of its own, or (null) has found them all.
   *
   * @param {string | null} line
   * @returns {Output[]}
   */
  gather(line) {
    if (this.local !== null) return [say(signalOf(this.local, line))];
    this.#gathered.push(line);
    return [];
  }

  /** A signal that says nothing new shows the relay in which page the session is. @returns {Output[]} */
  claim() {
    return this.local === null ? [] : [say(signalOf(this.local, ""))];
  }

  /** Their description came. @param {Description} remote @returns {Output[]} */
  setRemote(remote) {
    this.remote = remote;
    this.answerDue = Infinity;
    return this.#add(this.candidates.described(remote));
  }

  /** A candidate of theirs came. @param {CandidateSignal} signal @returns {Output[]} */
  addCandidate(signal) {
    const refusal = this.candidates.refusalOf(signal);
    if (refusal === null) return this.#add(this.candidates.sort(signal, this.remote));
    return [note(`ignored the candidate "${signal.candidate?.slice(0, QUOTED) ?? ""}": ${refusal}`)];
  }

  /** @param {CandidateSignal[]} candidates @returns {Output[]} */
  #add(candidates) {
    return candidates.map((candidate) => ({ kind: "addCandidate", attempt: this.number, candidate }));
  }
}

/** From the loss of a connection to the next one. */
export class Interruption {
  /** When the pause after a failure is over. */
  retryDue = Infinity;
  /** When whoever closed the connection has had its time to lose the relay, too. */
  absenceDue = Infinity;
  /** What has come to nothing since, or since a return to the relay. */
  failures = 0;
  /** Whether the channel was closed, and by what is not known. */
  isBare = false;

  /** @param {number} giveUpDue when it has lasted for too long */
  constructor(giveUpDue) {
    this.giveUpDue = giveUpDue;
  }

  /** The first of its deadlines. */
  get due() {
    return Math.min(this.retryDue, this.absenceDue, this.giveUpDue);
  }

  /** Whether a connection may still fail, which would tell that nobody has closed it. */
  get isInDoubt() {
    return this.isBare && this.absenceDue < Infinity;
  }

  /** What it is if whoever closed the connection is still there when it has had its time. */
  get verdict() {
    return this.isBare ? "the other side closed the channel" : "the other side has left";
  }

  /** Something happens: neither a retry nor a verdict is waited for. */
  stopWaiting() {
    this.retryDue = this.absenceDue = Infinity;
  }
}

/** @param {Description} local @param {string | null} candidate @returns {CandidateSignal} */
function signalOf({ mid, ufrag, index }, candidate) {
  return { candidate, sdpMid: mid, sdpMLineIndex: index, usernameFragment: ufrag };
}

/** See the module; `offers` and `chance` as of the Handshake, which says what happens. */
export class Attempts {
  /** @type {Phase} */
  phase = "idle";
  current = new Attempt();
  /** Of the other side's descriptions in attempts before. @type {Set<string>} */
  spentUfrags = new Set();
  /** The media identification of an answer that was to none of them, where one came. */
  misnamed = "";
  reach = new Reach();
  causes = new Causes();
  /** While there is a connection, and before the first, nothing in it is due. */
  interruption = new Interruption(Infinity);
  /** Earlier attempts whose connections are still there. @type {number[]} */
  #replaced = [];
  #chance;
  #leads = false; // whether our offers ask to be the side that begins with DTLS; see `hindered`
  /** @param {{offers: boolean, chance: () => number}} options */
  constructor({ offers, chance }) {
    this.offers = offers;
    this.patience = new Patience(offers);
    this.#chance = chance;
  }

  /** The first deadline of all. */
  get due() {
    return Math.min(this.current.due, this.interruption.due);
  }

  // ── what is tried ──────────────────────────────────────────────────────────────────────────────

  /** Begin the next attempt with an offer of ours. @param {number} now @returns {Output[]} */
  offer(now) {
    this.beginNext(now);
    return [{ kind: "makeOffer", attempt: this.current.number, leads: this.#leads }];
  }

  /** Instead of an offer that led nowhere. @param {number} now @returns {Output[]} */
  offerAgain(now) {
    return [discard(this.current.number), ...this.offer(now)];
  }

  /** Ask the evaluator for one. @param {number} now @returns {Output[]} */
  requestOffer(now) {
    this.current.answerDue = this.patience.answerDue(now);
    return [say({ type: "request_offer" })];
  }

  /**
   * Do what can be done now; where it takes somebody else first, that one is waited for.
   *
   * @param {number} now
   * @returns {Output[]}
   */
  repair(now) {
    this.patience.repairing();
    if (!this.reach.hasRelay) return [];
    if (!this.reach.isKnown) return this.offers ? [{ kind: "takeUp" }] : [];
    if (!this.reach.hasPeer) return [];
    if (this.offers) return this.offer(now);
    // The evaluator offers by itself, where it has noticed; only later it is asked to.
    this.interruption.failures += 1;
    this.#pause(this.interruption.failures, now);
    return this.interruption.failures > 1 ? [say({ type: "request_offer" })] : [];
  }

  /**
   * Both sides are at the relay: signals that were lost meanwhile are made up for.
   *
   * @param {number} now
   * @returns {Output[]}
   */
  beginAnew(now) {
    this.interruption.failures = 0;
    this.patience.begin(now);
    if (this.reach.hasRelay && this.offers && this.phase === "negotiating") return this.offer(now);
    return this.phase === "interrupted" ? this.repair(now) : [];
  }

  // ── what becomes of it ─────────────────────────────────────────────────────────────────────────

  /** The data channel is open. @returns {Output[]} */
  connected() {
    this.phase = "connected";
    this.current.stopWaiting();
    this.interruption = new Interruption(Infinity);
    this.patience.connected();
    return [{ kind: "connected", attempt: this.current.number }];
  }

  /** An attempt to repair has come to nothing. @param {number} now @returns {Output[]} */
  failed(now) {
    this.phase = "interrupted";
    this.current.stopWaiting();
    this.#pause(this.interruption.failures, now);
    this.interruption.failures += 1;
    return [discard(this.current.number)];
  }

  /**
   * The connection that was there is not.
   *
   * @param {string} detail
   * @param {number} now
   * @returns {Output[]}
   */
  lost(detail, now) {
    const interrupted = this.#interrupt(detail, now);
    return [...interrupted, discard(this.current.number), ...this.repair(now)];
  }

  /**
   * The other side has closed the connection, as a page does that is closed or loaded again.
   *
   * @param {number} now
   * @param {boolean} [isBare] all that is known is that the channel is closed
   * @returns {Output[]}
   */
  left(now, isBare = false) {
    const what = isBare ? "channel" : "connection";
    const interrupted = this.#interrupt(`the other side has closed the ${what}`, now);
    this.interruption.absenceDue = now + ABSENCE_DEADLINE;
    this.interruption.isBare = isBare;
    return isBare ? interrupted : [...interrupted, discard(this.current.number)];
  }

  /** What was in doubt is a connection that has failed. @param {number} now @returns {Output[]} */
  absent(now) {
    this.interruption.absenceDue = Infinity;
    return [discard(this.current.number), ...this.repair(now)];
  }

  /** The session is over; nothing follows. @param {EndReason} reason @returns {Output[]} */
  end(reason, detail = "") {
    this.phase = "ended";
    return [{ kind: "ended", reason, detail }];
  }

  /**
   * Something is in the way of this attempt, or of one before, on our side. Where DTLS gets no answer,
   * the first packet of a browser may be too large: the other side is offered to answer with DTLS.
   * @type {(number: number, cause: string, now: number) => Output[]}
   */
  hindered(number, cause, now) {
    this.causes.add(cause);
    const isCurrent = this.phase === "negotiating" && number === this.current.number;
    if (isCurrent && cause === Cause.PATH_MTU && this.offers && !this.#leads) {
      this.#leads = true;
      return this.reach.canSignal ? this.offerAgain(now) : [];
    }
    const isFirst = this.phase === "negotiating" && !this.patience.isRepair;
    if (isFirst && !this.offers && this.causes.known.length > 0) {
      this.patience.canExplain = true;
      this.current.deadline = this.patience.attemptDue(now);
    }
    return [];
  }

  /**
   * The other side wants another connection; it has no use for the one that we have.
   *
   * @param {number} now
   * @returns {Output[]}
   */
  interruptByPeer(now) {
    if (this.phase !== "connected") return [];
    return this.#interrupt("the other side connects anew", now);
  }

  // ── shared ─────────────────────────────────────────────────────────────────────────────────────

  /** Begin the next one; nothing is left of the one before but the name of its fragment. @param {number} now */
  beginNext(now) {
    const before = this.current;
    if (this.phase !== "idle") this.#replaced.push(before.number);
    if (before.remote !== null) this.spentUfrags.add(before.remote.ufrag);
    this.phase = "negotiating";
    this.interruption.stopWaiting();
    // What came for the offer before; a candidate can't come before the answer's own offer.
    const candidates = new RemoteCandidates(this.offers ? null : before.candidates);
    this.current = new Attempt(before.number + 1, this.patience.attemptDue(now), candidates);
  }

  /** Both sides know of the current one. @returns {Output[]} */
  discardReplaced() {
    return this.#replaced.splice(0).map(discard);
  }

  /** @param {string} detail @param {number} now @returns {Output[]} */
  #interrupt(detail, now) {
    this.phase = "interrupted";
    this.causes = this.causes.ofPath;
    this.interruption = new Interruption(now + REPAIR_DEADLINE);
    return [{ kind: "interrupted", reason: "connection_lost", detail: this.causes.explain(detail) }];
  }

  /** @param {number} failures @param {number} now */
  #pause(failures, now) {
    this.interruption.retryDue = now + pauseAfter(failures, this.#chance());
  }
}
