/**
 * How long the other side is waited for: in all, for one attempt, and for its word on an offer.
 *
 * The first connection has 20 s. An attempt that comes to nothing, or an offer (or the request for
 * one) that stays without an answer, takes its time of it; the rest is for the next one. A repair
 * has no end here, so that only its attempts and answers are bounded. Times are in seconds.
 */

import { Refused } from "./remote.js";

/** For each attempt of the evaluator's; the next one tells of all candidates anew. */
const ATTEMPT_S = 10;
/** Before an offer is followed by another one: a signal can be lost. Then for the next one. */
const ANSWER_S = [4, 6];
const CONNECT_S = 20;
/** For another window to claim a session that the relay has from the evaluator anew. */
export const CLAIM_S = 8;
/** Attempts that the other side asks for without a connection; each costs a key and sockets. */
const MAX_ASKED = 8;

/** Of one side in one session. */
export class Patience {
  #offers;
  #isRepair = false;
  #asked = 0;
  #unanswered = 0;
  /** How much of the time for the first connection has passed. */
  #waited = 0;

  /** @param {boolean} offers whether this is the evaluator's side; the client's waits in one go */
  constructor(offers) {
    this.#offers = offers;
  }

  /** For an attempt that begins now. */
  get forAttempt() {
    if (this.#isRepair) return ATTEMPT_S;
    const left = CONNECT_S - this.#waited;
    return this.#offers ? Math.min(ATTEMPT_S, left) : left;
  }

  /** For the answer to what is said now; null where the attempt's own time will do. */
  get forAnswer() {
    const left = ANSWER_S[this.#unanswered];
    const isLast = left === undefined || (!this.#isRepair && this.#waited + left >= CONNECT_S);
    return isLast ? null : left;
  }

  /** An attempt had its time. @returns {boolean} whether there is some left for another one */
  attemptOver() {
    this.#waited += this.forAttempt;
    return this.#waited < CONNECT_S;
  }

  /** What was said had its time to be answered. */
  unanswered() {
    this.#waited += ANSWER_S[this.#unanswered] ?? 0;
    this.#unanswered += 1;
  }

  /** The other side asks for another attempt. @throws {Refused} where it is too many */
  asked() {
    this.#asked += 1;
    if (this.#asked > MAX_ASKED) throw new Refused(`${MAX_ASKED} attempts came to nothing`);
    this.isBack();
  }

  /** The other side is there, so that all begins anew. */
  isBack() {
    this.#unanswered = this.#waited = 0;
  }

  /** Our side begins an attempt, or waits for one. */
  repairing() {
    this.#asked = 0;
  }

  /** What follows is a repair. */
  connected() {
    this.#isRepair = true;
    this.#asked = 0;
    this.isBack();
  }
}
