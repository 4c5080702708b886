/**
 * The handshake of one peer in one session, and its repair. The evaluator offers, the client
 * answers.
 *
 *     offerer    idle ── start ──▶ negotiating ── opened ──▶ connected ── ended ──▶ ended
 *     answerer   idle ── offer ──▶ negotiating ── opened ──▶ connected ── ended ──▶ ended
 *
 *     both       connected ── lost ──▶ interrupted ── offer, retry ──▶ negotiating ── opened ──▶ ...
 *                                           ▲────────── timed out ─────────┘
 *
 * What fails before the first connection ends the session; after it, only a person does, or the
 * relay when the other side has not come back to it, or a deadline. An offer that leads nowhere is
 * followed by another one. Without the relay, or while the other side is away from it, nothing is
 * tried. The answerer can only ask for an offer, and does so where none comes by itself. Who closes
 * the connection has left, if he is at the relay still.
 *
 * Each peer connection is an attempt with a number of its own. The one before is discarded once
 * both sides know of the new one. What concerns an attempt that is no longer current is dropped:
 * inputs of our side by its number, answers by the media identification, which they repeat from their
 * offer, and other signals by their ICE user name fragment.
 *
 * Each input is one call that returns what is to be done, in order; nothing here waits.
 */

/**
 * @import { Output } from "./outputs.js"
 * @import { CandidateSignal, DescriptionSignal, EndReason, Signal } from "../protocol/wire.js"
 */

import { ABSENCE_DEADLINE, CLAIM_PAUSE, CONNECT_DEADLINE, REPAIR_DEADLINE } from "../protocol/numbers.js";
import { addCandidate, discard, note, retry, say, timer } from "./outputs.js";
import { Patience } from "./patience.js";
import { Refused, Remote, midOf, ufragOf } from "./remote.js";

/** One peer's decisions in one session. */
export class Handshake {
  /** @type {"idle" | "negotiating" | "connected" | "interrupted" | "ended"} */
  phase = "idle";
  /** Number of the current attempt; 0 before the first. */
  attempt = 0;
  wasConnected = false;
  #offers;
  #remote = new Remote();
  /** Of our description of the current attempt, once it is out. @type {{mid: string, ufrag: string} | null} */
  #local = null;
  /** What we found, while that is not out. @type {CandidateSignal[]} */
  #gathered = [];
  /** Earlier attempts whose connections are still there. @type {number[]} */
  #replaced = [];
  #patience;
  /** What has come to nothing since the last connection, or since a return to the relay. */
  #failures = 0;
  #interruption = 0;
  #pause = 0;
  /** The interruption that may mean that the other side has left; 0 for none. */
  #inDoubt = 0;
  #hasRelay = true;
  #hasPeer = true;
  /** Whether the relay knows the session. */
  #isKnown = true;
  /** Whether another page may be in the session. */
  #isDisputed = false;
  #beganDisputed = false;
  /** The offer that waits until that is known. @type {DescriptionSignal | null} */
  #held = null;

  /** @param {boolean} offers whether this is the evaluator's side */
  constructor(offers) {
    this.#offers = offers;
    this.#patience = new Patience(offers);
  }

  /** Whether it is ours to end; another page may be in one that we never took part in. */
  get isOurs() {
    return this.attempt > 0 || !this.#beganDisputed;
  }

  // ── what our side does ─────────────────────────────────────────────────────────────────────────

  /**
   * The session has begun.
   *
   * @param {boolean} resumed it is an old one, whose offer may have gone to another page
   * @param {boolean} isDisputed another page may be in it, and has time to claim it before us
   * @returns {Output[]}
   */
  start(resumed, isDisputed) {
    if (this.#offers) return this.#makeOffer();
    this.#isDisputed = this.#beganDisputed = resumed && isDisputed;
    if (this.#isDisputed) return [this.#deadline(), timer("unanswered", this.attempt, CLAIM_PAUSE)];
    return [this.#deadline(), ...(resumed ? this.#requestOffer() : [])];
  }

  /** The description that was asked for is made. @param {number} attempt @param {string} sdp */
  described(attempt, sdp) {
    if (!this.#isCurrent(attempt)) return [];
    this.#local = { mid: midOf(sdp), ufrag: ufragOf(sdp) };
    const waiting = this.#gathered.splice(0);
    const type = /** @type {"offer" | "answer"} */ (this.#offers ? "offer" : "answer");
    const told = [{ type, sdp }, ...waiting].map(say);
    return [...told, ...(this.#offers ? this.#answerDeadline() : [])];
  }

  /** We found a candidate, or the last one. @param {number} attempt @param {CandidateSignal} own */
  gathered(attempt, own) {
    if (!this.#isCurrent(attempt)) return [];
    if (this.#local !== null) return [say(own)];
    this.#gathered.push(own);
    return [];
  }

  /** The data channel is open. @param {number} attempt @returns {Output[]} */
  opened(attempt) {
    if (!this.#isCurrent(attempt) || this.phase !== "negotiating") return [];
    this.phase = "connected";
    this.wasConnected = true;
    this.#failures = 0;
    this.#patience.connected();
    return [{ kind: "connected" }];
  }

  /**
   * The connection or its channel is gone, or could not be made.
   * @param {number} attempt @param {EndReason} reason @param {string} detail @returns {Output[]} */
  lost(attempt, reason, detail) {
    if (!this.#isCurrent(attempt)) return [];
    if (reason === "ended" || !this.wasConnected) return this.#end(reason, detail);
    if (this.phase === "connected") {
      return [...this.#interrupt(reason, detail), discard(attempt), ...this.#repair()];
    }
    return this.phase === "negotiating" ? this.#fail() : [];
  }

  /** The other side has closed the connection. @param {number} attempt @returns {Output[]} */
  left(attempt) {
    if (!this.#isCurrent(attempt) || this.phase !== "connected") return [];
    const detail = "the other side has closed the connection";
    const interruption = this.#interrupt("connection_lost", detail);
    this.#inDoubt = this.#interruption;
    const absence = timer("absenceDue", this.#inDoubt, ABSENCE_DEADLINE);
    return [...interruption, discard(attempt), absence];
  }

  // ── what time says ─────────────────────────────────────────────────────────────────────────────

  /** The deadline of an attempt has passed. @param {number} attempt */
  timedOut(attempt) {
    const isOpen = this.phase === "idle" || this.phase === "negotiating";
    if (!isOpen || !this.#isCurrent(attempt)) return [];
    if (this.wasConnected) return this.#fail();
    if (this.#patience.attemptOver()) {
      return this.#canSignal ? this.#offerAgain() : [this.#deadline()];
    }
    if (!this.#hasRelay) return this.#end("signalling_lost", "");
    return this.#end("connect_timeout", `no connection within ${CONNECT_DEADLINE} s: ${this.#missing}`);
  }

  /** An offer's answer, or an offer that was asked for, has not come. @param {number} attempt */
  unanswered(attempt) {
    this.#isDisputed = false;
    if (this.#held !== null && this.#isCurrent(attempt)) return this.#receiveOffer(this.#held);
    const isOpen = this.phase === "idle" || this.phase === "negotiating";
    // Who can't signal begins anew when he can.
    if (!isOpen || this.#remote.isDescribed || !this.#isCurrent(attempt) || !this.#canSignal) {
      return [];
    }
    this.#patience.unanswered();
    return this.#offers ? this.#offerAgain() : this.#requestOffer();
  }

  /** The pause after a failure is over. @param {number} pause */
  retryDue(pause) {
    return this.phase === "interrupted" && pause === this.#pause ? this.#repair() : [];
  }

  /** The other side has had its time to be lost to the relay, too. @param {number} interruption */
  absenceDue(interruption) {
    if (this.phase !== "interrupted" || interruption !== this.#inDoubt) return [];
    return this.#canSignal ? this.#end("ended", "the other side has left") : this.#repair();
  }

  /** An interruption has lasted for too long. @param {number} interruption */
  gaveUp(interruption) {
    if (interruption !== this.#interruption || this.phase === "connected") return [];
    return this.#end("connection_lost", `the connection could not be repaired within ${REPAIR_DEADLINE} s`);
  }

  // ── what the relay says ────────────────────────────────────────────────────────────────────────

  /** The session is over; an open channel outlives the relay. @param {EndReason} reason */
  sessionEnded(reason) {
    const isOpen = this.phase === "connected";
    const isRepaired = this.wasConnected && this.phase !== "ended";
    if ((reason === "peer_gone" && isOpen) || (reason === "relay_shutdown" && isRepaired)) {
      this.#isKnown = false;
      return [note(`the relay ended the session (${reason}), which carries on`)];
    }
    return this.#end(reason, "");
  }

  /** The relay can't be reached. An open channel does not need it; all else waits. */
  signallingLost() {
    this.#hasRelay = false;
  }

  /** The relay has us in the session, again; it tells us next if the other side is away. */
  signallingBack() {
    const isNews = !(this.#hasRelay && this.#isKnown);
    this.#hasRelay = this.#hasPeer = this.#isKnown = true;
    return isNews ? [...this.#claim(), ...this.#beginAnew()] : [];
  }

  /** A signal that says nothing new shows the relay that the session is in this window. */
  #claim() {
    if (this.#offers || this.phase === "ended" || this.#local === null) return [];
    const { mid, ufrag } = this.#local;
    return [say({ candidate: "", sdpMid: mid, sdpMLineIndex: 0, usernameFragment: ufrag })];
  }

  peerAway() {
    this.#hasPeer = false;
    this.#inDoubt = 0;
  }

  peerBack() {
    this.#hasPeer = true;
    return this.#beginAnew();
  }

  // ── what the other side says ───────────────────────────────────────────────────────────────────

  /** @param {Signal | null} signal @returns {Output[]} */
  receive(signal) {
    if (this.phase === "ended") return [];
    try {
      if (signal === null) throw new Refused("it is no signal");
      if ("candidate" in signal) return this.#receiveCandidate(signal);
      if (signal.type === "offer" && !this.#offers) return this.#receiveOffer(signal);
      if (signal.type === "answer" && this.#offers) return this.#receiveAnswer(signal);
      if (signal.type === "request_offer" && this.#offers) {
        this.#patience.asked();
        return [...this.#interruptByPeer(), ...this.#makeOffer()];
      }
      return [note(`dropped a signal that is not for this side: ${signal.type}`)];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (this.wasConnected) return [note(`dropped a signal: ${error.message}`)];
      return this.#end("negotiation_failed", error.message);
    }
  }

  /** @param {DescriptionSignal} offer @returns {Output[]} */
  #receiveOffer(offer) {
    const ufrag = ufragOf(offer.sdp);
    if (this.#remote.knows(ufrag)) return [note("dropped an offer that was seen before")];
    this.#held = this.#isDisputed ? offer : null;
    if (this.#isDisputed) return [note("an offer waits, as it may be for another page")];
    this.#patience.asked();
    const interruption = this.#interruptByPeer();
    this.#nextAttempt();
    return [
      ...interruption,
      ...this.#discardReplaced(),
      this.#deadline(),
      { kind: "makeAnswer", attempt: this.attempt, sdp: offer.sdp },
      ...this.#describeRemote(ufrag),
    ];
  }

  /** @param {DescriptionSignal} answer @returns {Output[]} */
  #receiveAnswer({ sdp }) {
    const ufrag = ufragOf(sdp);
    const isOpen = !this.#remote.isDescribed && this.phase !== "connected";
    if (!isOpen || midOf(sdp) !== this.#local?.mid) return [note("dropped an answer to no open offer")];
    return [
      ...this.#discardReplaced(),
      { kind: "applyAnswer", attempt: this.attempt, sdp },
      ...this.#describeRemote(ufrag),
    ];
  }

  /** @param {CandidateSignal} signal @returns {Output[]} */
  #receiveCandidate(signal) {
    switch (this.#remote.sort(signal)) {
      case "add":
        return [addCandidate(this.attempt, signal)];
      case "wait":
        return [];
      case "drop":
        return [note("dropped a candidate of an earlier attempt")];
    }
  }

  /** @param {string} ufrag */
  #describeRemote(ufrag) {
    return this.#remote.describe(ufrag).map((waiting) => addCandidate(this.attempt, waiting));
  }

  // ── repair ─────────────────────────────────────────────────────────────────────────────────────

  /** @param {EndReason} reason @param {string} detail @returns {Output[]} */
  #interrupt(reason, detail) {
    this.phase = "interrupted";
    this.#interruption += 1;
    this.#pause += 1;
    return [
      { kind: "interrupted", reason, detail },
      timer("gaveUp", this.#interruption, REPAIR_DEADLINE),
    ];
  }

  #interruptByPeer() {
    if (this.phase !== "connected") return [];
    return this.#interrupt("connection_lost", "the other side connects anew");
  }

  /** Do what can be done now; where it takes somebody else first, he is waited for. */
  #repair() {
    this.#patience.repairing();
    if (!this.#hasRelay) return [];
    if (!this.#isKnown) return this.#offers ? [/** @type {Output} */ ({ kind: "takeUp" })] : [];
    if (!this.#hasPeer) return [];
    if (this.#offers) return this.#makeOffer();
    // The evaluator offers by itself, where it has noticed; only later it is asked to.
    this.#failures += 1;
    const pause = this.#setRetry(this.#failures + 1);
    return this.#failures > 1 ? [say({ type: "request_offer" }), pause] : [pause];
  }

  /** An attempt to repair has come to nothing. @returns {Output[]} */
  #fail() {
    this.phase = "interrupted";
    this.#failures += 1;
    return [discard(this.attempt), this.#setRetry(this.#failures)];
  }

  /** @param {number} failures */
  #setRetry(failures) {
    this.#pause += 1;
    return retry(this.#pause, failures);
  }

  /** Both sides are at the relay: signals that were lost meanwhile are made up for. */
  #beginAnew() {
    this.#failures = 0;
    this.#patience.isBack();
    if (this.#hasRelay && this.#offers && this.phase === "negotiating") return this.#makeOffer();
    return this.phase === "interrupted" ? this.#repair() : [];
  }

  // ── shared ─────────────────────────────────────────────────────────────────────────────────────

  /** @param {number} attempt */
  #isCurrent(attempt) {
    return attempt === this.attempt && this.phase !== "ended";
  }

  /** @returns {Output[]} */
  #makeOffer() {
    this.#nextAttempt();
    return [this.#deadline(), { kind: "makeOffer", attempt: this.attempt }];
  }

  #offerAgain() {
    return [discard(this.attempt), ...this.#makeOffer()];
  }

  #requestOffer() {
    return [say({ type: "request_offer" }), ...this.#answerDeadline()];
  }

  #deadline() {
    return timer("timedOut", this.attempt, this.#patience.forAttempt);
  }

  #answerDeadline() {
    const seconds = this.#patience.forAnswer;
    return seconds === null ? [] : [timer("unanswered", this.attempt, seconds)];
  }

  /** What the first connection wanted for. */
  get #missing() {
    if (this.#remote.isDescribed) return "no path between the two was found";
    return this.#offers ? "the other side's answer never came" : "no offer ever came";
  }

  get #canSignal() {
    return this.#hasRelay && this.#hasPeer && this.#isKnown;
  }

  /** Begin the next attempt, with nothing left of the one before but its fragment's name. */
  #nextAttempt() {
    if (this.phase !== "idle") this.#replaced.push(this.attempt);
    // A candidate may come before the offer that it belongs to, and not before our own.
    this.#remote.begin(!this.#offers);
    this.phase = "negotiating";
    this.#inDoubt = 0;
    this.attempt += 1;
    this.#local = null;
    this.#gathered = [];
  }

  #discardReplaced() {
    return this.#replaced.splice(0).map(discard);
  }

  /** @param {EndReason} reason @param {string} detail @returns {Output[]} */
  #end(reason, detail) {
    if (this.phase === "ended") return [];
    this.phase = "ended";
    return [{ kind: "ended", reason, detail }];
  }
}
