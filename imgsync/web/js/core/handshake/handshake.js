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
 * What fails before the first connection ends the session, as does CONNECT_DEADLINE; after it, only
 * a person does, or the relay when the other side has not come back to it, or REPAIR_DEADLINE. An
 * offer that leads nowhere is followed by another one. Without the relay, or while the other side is
 * away from it, nothing is tried. The answerer asks for an offer only where none comes by itself.
 * Whoever closes the connection has left, if it is at the relay still. Where a browser can't tell
 * whether that was closed or the channel alone, a failure of the connection shows that it was none
 * of the two.
 *
 * Each peer connection is an attempt with a number of its own. The one before is discarded once
 * both sides know of the new one. What concerns an attempt that is no longer current is dropped:
 * what happens to its connection by its number, answers by the media identification, which they
 * repeat from their offer, and other signals by their ICE user name fragment.
 *
 * Each input is one call that returns what is to be done, in order. Deadlines are fields of what
 * they belong to: `due` is the first of them, and `tick` is called when it has come. Times are
 * seconds on a clock that only goes forward.
 */

/**
 * @import { CandidateSignal, DescriptionSignal, EndReason, Signal } from "../protocol/wire.js"
 * @import { AttemptEvent, Failure, Input, Start } from "./inputs.js"
 * @import { Output } from "./outputs.js"
 */

import { NegotiationError } from "../protocol/errors.js";
import { CLAIM_PAUSE, CONNECT_DEADLINE, HEAD_START, REPAIR_DEADLINE } from "../protocol/numbers.js";
import { Attempts } from "./attempts.js";
import { note } from "./outputs.js";
import { Ownership } from "./reach.js";
import { parseDescription } from "./sdp.js";

/** What a peer says of a session that has failed. @type {readonly EndReason[]} */
const FAILURES = ["connect_timeout", "negotiation_failed", "connection_lost", "unsupported"];

/** One peer's decisions in one session. */
export class Handshake {
  #attempts;
  #ownership = new Ownership();
  #hearing;
  #waiting;

  /**
   * @param {{offers: boolean, chance: () => number}} options `offers`: whether this is the
   *   evaluator's side; `chance`: a number from 0 to 1, another one each time
   */
  constructor({ offers, chance }) {
    this.#attempts = new Attempts({ offers, chance });
    this.#hearing = new Hearing(this.#attempts, this.#ownership);
    this.#waiting = new Waiting(this.#attempts, this.#ownership, this.#hearing);
  }

  /** Where it stands. */
  get phase() {
    return this.#attempts.phase;
  }

  /** Number of the current attempt; 0 before the first. */
  get attempt() {
    return this.#attempts.current.number;
  }

  /**
   * Whether the relay is to be told of its end. Another page may be in one that we never took part
   * in, and the relay may know of it. It knows by itself of one that it has replaced.
   */
  get isOurs() {
    const { isKnown, isTaken } = this.#attempts.reach;
    return isKnown && !isTaken && (this.attempt > 0 || !this.#ownership.beganUnknown);
  }

  /** What is known to be the matter with the path, where there is a connection. */
  get warning() {
    return this.#attempts.causes.ofPath.explain("");
  }

  /** When to call `tick`; Infinity where nothing is waited for. */
  get due() {
    return this.phase === "ended" ? Infinity : Math.min(this.#attempts.due, this.#ownership.due);
  }

  // ── which input leads where ────────────────────────────────────────────────────────────────────

  /** Something happened. @param {Input} input @param {number} now @returns {Output[]} */
  handle(input, now) {
    const { reach, interruption } = this.#attempts;
    if (this.phase === "ended") return [];
    switch (input.kind) {
      case "fromAttempt":
        if (input.event.kind === "hindered") {
          return this.#attempts.hindered(input.attempt, input.event.cause, now);
        }
        return input.attempt === this.attempt ? this.#handleEvent(input.event, now) : [];
      case "begun":
        this.#attempts.patience.begin(now);
        this.#attempts.current.wait(this.#attempts.patience, now);
        return [];
      case "signalCame":
        return this.#hearing.receive(input.signal, now);
      case "endCame":
        return this.#endCame(input.reason, input.detail);
      case "ownEnd":
        return this.#attempts.end(input.reason, input.detail);
      case "relayLost":
        reach.hasRelay = false;
        return [note("the relay was lost")];
      case "relayBack":
        return this.#relayBack(now);
      case "peerWent":
        reach.hasPeer = false;
        interruption.absenceDue = Infinity;
        return [];
      case "peerCame":
        reach.hasPeer = true;
        return this.#attempts.beginAnew(now);
      case "peerTaken":
        reach.isTaken = true;
        if (this.phase !== "connected") return this.#attempts.end("replaced");
        return [note("the relay has the client in another session; the channel is open")];
      case "start":
        if (this.phase === "idle" && this.due === Infinity) return this.#start(input, now);
    }
    throw new Error(`${input.kind} can't come to what is ${this.phase}`);
  }

  /** Something happened to the current attempt. @param {AttemptEvent} event @param {number} now @returns {Output[]} */
  #handleEvent(event, now) {
    const attempts = this.#attempts;
    if (this.phase === "idle") throw new Error(`${event.kind} can't come before the first attempt`);
    const isClosed = event.kind === "channelClosed" || event.kind === "linkLost";
    if (isClosed && this.phase === "connected" && attempts.reach.isTaken) return attempts.end("replaced");
    // A page that is loaded again in Firefox may reset the stream, once its socket is gone.
    const isLeft = event.kind === "channelClosed" && event.isReset && attempts.reach.hasPeer;
    if (isLeft) return attempts.end("ended");
    if (this.phase === "interrupted") {
      const isFailure = event.kind === "linkLost" && !event.byPeer;
      return isFailure && attempts.interruption.isInDoubt ? attempts.absent(now) : []; // given up
    }
    const isKnown = this.phase === "connected";
    switch (event.kind) {
      case "described":
        return isKnown ? [] : this.#described(event.sdp, now);
      case "gathered":
        attempts.causes.gather(event.line);
        return attempts.current.gather(event.line);
      case "hindered":
        return []; // known
      case "opened":
        return isKnown ? [] : attempts.connected();
      case "channelClosed":
        return isKnown ? attempts.left(now, !event.isReset) : []; // the deadline tells
      case "notMade":
      case "linkLost":
        return this.#failed(event, now);
    }
  }

  /** `due` has come: whatever is due by now is passed, in order. @param {number} now @returns {Output[]} */
  tick(now) {
    /** @type {Output[]} */
    const outputs = [];
    while (this.due <= now) outputs.push(...this.#waiting.passDeadline(this.due, now));
    return outputs;
  }

  // ── what each means ────────────────────────────────────────────────────────────────────────────

  /** @param {Start} start @param {number} now @returns {Output[]} */
  #start({ resumed, ownerUnknown, isHidden, isEarly }, now) {
    const attempts = this.#attempts;
    if (!isEarly) attempts.patience.begin(now);
    if (attempts.offers) return attempts.offer(now);
    attempts.current.deadline = attempts.patience.attemptDue(now);
    if ((resumed && ownerUnknown) || isHidden) {
      const pause = resumed && ownerUnknown ? CLAIM_PAUSE : HEAD_START;
      this.#ownership.doubt(now + pause, resumed);
      return [];
    }
    return resumed ? attempts.requestOffer(now) : [];
  }

  /** @param {string} sdp @param {number} now @returns {Output[]} */
  #described(sdp, now) {
    const { current, offers, patience } = this.#attempts;
    try {
      const outputs = current.describe(offers ? "offer" : "answer", sdp);
      if (offers) current.answerDue = patience.answerDue(now);
      return outputs;
    } catch (error) {
      if (!(error instanceof NegotiationError)) throw error;
      return this.#failed({ kind: "notMade", why: error.message }, now);
    }
  }

  /** The connection is not, or not any more. @param {Failure} event @param {number} now @returns {Output[]} */
  #failed(event, now) {
    const attempts = this.#attempts;
    const byPeer = event.kind === "linkLost" && event.byPeer;
    if (this.phase === "connected") return byPeer ? attempts.left(now) : attempts.lost(event.why, now);
    if (byPeer) return []; // the deadline tells
    if (attempts.patience.isRepair) return attempts.failed(now);
    if (event.kind === "notMade") return attempts.end(event.reason ?? "negotiation_failed", event.why);
    return attempts.end("negotiation_failed", attempts.causes.explain(event.why));
  }

  /** The relay has forgotten the session, or a person has ended it. @param {EndReason} reason */
  #endCame(reason, detail = "") {
    this.#attempts.reach.isKnown = false;
    const isOutlived =
      (reason === "peer_gone" && this.phase === "connected") ||
      (reason === "relay_shutdown" && this.#attempts.patience.isRepair);
    const { causes } = this.#attempts;
    const hasFailed = FAILURES.includes(reason);
    if (!isOutlived) return this.#attempts.end(reason, hasFailed ? causes.explain(detail) : detail);
    return [note(`the relay ended the session (${reason}), which carries on`)];
  }

  /** @param {number} now @returns {Output[]} */
  #relayBack(now) {
    const attempts = this.#attempts;
    if (!attempts.reach.restore()) return [];
    // Of the client's pages, the relay does not know which has the channel.
    const claim = attempts.offers ? [] : attempts.current.claim();
    return [...claim, ...attempts.beginAnew(now)];
  }
}

/** Takes the other side's signals to the attempts of ours. */
export class Hearing {
  #attempts;
  #ownership;

  /** @param {Attempts} attempts @param {Ownership} ownership */
  constructor(attempts, ownership) {
    this.#attempts = attempts;
    this.#ownership = ownership;
  }

  /**
   * A signal came in.
   *
   * @param {Signal | null} signal null for what can't be read
   * @param {number} now
   * @returns {Output[]}
   */
  receive(signal, now) {
    try {
      return this.#sort(signal, now);
    } catch (error) {
      if (!(error instanceof NegotiationError)) throw error;
      if (this.#attempts.patience.isRepair) return [note(`dropped a signal: ${error.message}`)];
      return this.#attempts.end("negotiation_failed", error.message);
    }
  }

  /** @param {Signal | null} signal @param {number} now @returns {Output[]} */
  #sort(signal, now) {
    if (signal === null) throw new NegotiationError("the other side sent an unreadable signal");
    if ("candidate" in signal) return this.#receiveCandidate(signal);
    if (signal.type === "bad_candidate") return [note("ignored a candidate that can't be read")];
    const { offers } = this.#attempts;
    if (signal.type === "offer" && !offers) return this.#receiveOffer(signal, now);
    if (signal.type === "answer" && offers) return this.#receiveAnswer(signal);
    if (signal.type === "request_offer" && offers) {
      this.#attempts.patience.asked(now);
      return [...this.#attempts.interruptByPeer(now), ...this.#attempts.offer(now)];
    }
    return [note(`dropped a signal that is not for this side: ${signal.type}`)];
  }

  /** @param {DescriptionSignal} signal @param {number} now @returns {Output[]} */
  #receiveOffer(signal, now) {
    const attempts = this.#attempts;
    const offer = parseDescription(signal.sdp);
    const isCurrent = attempts.current.remote?.ufrag === offer.ufrag;
    if (isCurrent || attempts.spentUfrags.has(offer.ufrag)) {
      return [note("dropped an offer that was seen before")];
    }
    if (this.#ownership.isUnknown) {
      this.#ownership.held = signal;
      return [note("an offer waits, as it may be for another page")];
    }
    attempts.patience.asked(now);
    const interrupted = attempts.interruptByPeer(now);
    attempts.beginNext(now);
    return [
      ...interrupted,
      ...attempts.discardReplaced(),
      { kind: "makeAnswer", attempt: attempts.current.number, sdp: offer.sdp },
      ...attempts.current.setRemote(offer),
    ];
  }

  /** @param {DescriptionSignal} signal @returns {Output[]} */
  #receiveAnswer(signal) {
    const attempts = this.#attempts;
    const { current } = attempts;
    const answer = parseDescription(signal.sdp);
    const isToOurs = current.local?.mid === answer.mid;
    if (!isToOurs || current.remote !== null || attempts.phase === "connected") {
      attempts.misnamed = isToOurs ? "" : answer.mid;
      return [note("dropped an answer to no open offer")];
    }
    return [
      ...attempts.discardReplaced(),
      { kind: "applyAnswer", attempt: current.number, sdp: answer.sdp },
      ...current.setRemote(answer),
    ];
  }

  /** @param {CandidateSignal} signal @returns {Output[]} */
  #receiveCandidate(signal) {
    const { usernameFragment } = signal;
    if (usernameFragment != null && this.#attempts.spentUfrags.has(usernameFragment)) {
      return [note("dropped a candidate of an earlier attempt")];
    }
    return this.#attempts.current.addCandidate(signal);
  }
}

/** What follows when something has been waited for in vain. */
export class Waiting {
  #attempts;
  #ownership;
  #hearing;

  /** @param {Attempts} attempts @param {Ownership} ownership @param {Hearing} hearing */
  constructor(attempts, ownership, hearing) {
    this.#attempts = attempts;
    this.#ownership = ownership;
    this.#hearing = hearing;
  }

  /** The deadline that comes first is over. @param {number} due @param {number} now @returns {Output[]} */
  passDeadline(due, now) {
    const { current, interruption, reach } = this.#attempts;
    switch (due) {
      case current.deadline:
        return this.#timedOut(now);
      case current.answerDue:
        current.answerDue = Infinity;
        return this.#unanswered(now);
      case this.#ownership.due: {
        const held = this.#ownership.settle();
        if (held !== null) return this.#hearing.receive(held, now);
        return this.#ownership.asks ? this.#unanswered(now) : [];
      }
      case interruption.retryDue:
        interruption.retryDue = Infinity;
        return this.#attempts.repair(now);
      case interruption.absenceDue:
        interruption.absenceDue = Infinity;
        if (reach.canSignal) return this.#attempts.end("ended", interruption.verdict);
        return this.#attempts.repair(now);
    }
    const detail = `the connection could not be repaired within ${REPAIR_DEADLINE} s`;
    return this.#attempts.end("connection_lost", this.#attempts.causes.explain(detail));
  }

  /** The attempt has come to nothing. @param {number} now @returns {Output[]} */
  #timedOut(now) {
    const attempts = this.#attempts;
    const { current, patience, reach } = attempts;
    if (patience.isRepair) return attempts.failed(now);
    if (patience.hasTime(now)) {
      if (reach.canSignal) return attempts.offerAgain(now);
      current.deadline = patience.attemptDue(now);
      return [];
    }
    if (!reach.hasRelay) return attempts.end("signalling_lost");
    let why = attempts.offers ? "the other side's answer never came" : "no offer ever came";
    if (attempts.misnamed) why = `the other side's answer is to no open offer: its a=mid is ${attempts.misnamed}`;
    if (current.remote !== null) why = "no path between the two was found";
    const detail = `no connection within ${CONNECT_DEADLINE} s: ${why}`;
    return attempts.end("connect_timeout", attempts.causes.explain(detail));
  }

  /** Nothing was said to our offer, or to our request for one. @param {number} now @returns {Output[]} */
  #unanswered(now) {
    const attempts = this.#attempts;
    if (!attempts.reach.canSignal) return []; // all begins anew when it can
    attempts.patience.unanswered();
    return attempts.offers ? attempts.offerAgain(now) : attempts.requestOffer(now);
  }
}
