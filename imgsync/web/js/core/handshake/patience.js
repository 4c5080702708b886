/**
 * How long the other side is waited for: in all, for one attempt, and for its word on an offer.
 *
 * The first connection has 20 s. An attempt that comes to nothing, or an offer (or the request for
 * one) that stays without an answer, takes its time of it; the rest is for the next one. A repair
 * has no end here, so that only its attempts and answers are bounded. Times are in seconds.
 */

import {
  ANSWER_DEADLINES,
  ATTEMPT_DEADLINE,
  CONNECT_DEADLINE,
  FIRST_BACKOFF,
  MAX_ASKED,
  MAX_BACKOFF,
} from "../protocol/numbers.js";
import { Refused } from "./remote.js";

/**
 * Doubling, with half of it left to chance: all peers of a relay that restarts come back at once.
 *
 * @param {number} failures in a row
 * @param {number} chance from 0 to 1
 * @returns {number} seconds to wait
 */
export function pauseAfter(failures, chance) {
  const limit = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(failures, 10));
  return limit * (0.5 + chance / 2);
}

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
    if (this.#isRepair) return ATTEMPT_DEADLINE;
    const left = CONNECT_DEADLINE - this.#waited;
    return this.#offers ? Math.min(ATTEMPT_DEADLINE, left) : left;
  }

  /** For the answer to what is said now; null where the attempt's own time will do. */
  get forAnswer() {
    const left = ANSWER_DEADLINES[this.#unanswered];
    const isLast = left === undefined || (!this.#isRepair && this.#waited + left >= CONNECT_DEADLINE);
    return isLast ? null : left;
  }

  /** An attempt had its time. @returns {boolean} whether there is some left for another one */
  attemptOver() {
    this.#waited += this.forAttempt;
    return this.#waited < CONNECT_DEADLINE;
  }

  /** What was said had its time to be answered. */
  unanswered() {
    this.#waited += ANSWER_DEADLINES[this.#unanswered] ?? 0;
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
