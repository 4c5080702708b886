/**
 * How long the other side is waited for: in all, for one attempt, and for its word on an offer.
 *
 * The first connection has CONNECT_DEADLINE. An attempt that comes to nothing, or an offer (or the
 * request for one) that stays without an answer, takes its time of it; the rest is for the next
 * one. A repair has no end here, so that only its attempts and answers are bounded. Times are
 * seconds on a clock that only goes forward.
 */

import { NegotiationError } from "../protocol/errors.js";
import {
  ANSWER_DEADLINES,
  ATTEMPT_DEADLINE,
  CONNECT_DEADLINE,
  EXPLAIN_FIRST,
  FIRST_BACKOFF,
  MAX_ASKED,
  MAX_BACKOFF,
} from "../protocol/numbers.js";

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
  /** Whether there was a connection. */
  isRepair = false;
  /** Whether there is something to say of why no connection comes about. */
  canExplain = false;
  #offers;
  /** Whether the other side is there to be waited for. */
  #hasBegun = false;
  /** When the first connection has to be there. */
  #connectBy = Infinity;
  /** When to say what is in the way: the evaluator does not wait longer with each offer. */
  #explainBy = Infinity;
  /** Attempts that the other side asked for, since the last connection or repair of ours. */
  #asked = 0;
  #unanswered = 0;

  /** @param {boolean} offers whether this is the evaluator's side; the client's waits in one go */
  constructor(offers) {
    this.#offers = offers;
  }

  /** When an attempt that begins now has come to nothing. @param {number} now */
  attemptDue(now) {
    if (!this.#hasBegun) return Infinity;
    if (this.#offers || this.isRepair) return Math.min(now + ATTEMPT_DEADLINE, this.#connectBy);
    return this.canExplain ? Math.min(this.#connectBy, this.#explainBy) : this.#connectBy;
  }

  /** When the answer to what is said now is late; Infinity where the attempt's own will do. @param {number} now */
  answerDue(now) {
    const due = now + (ANSWER_DEADLINES[this.#unanswered] ?? Infinity);
    return this.#hasBegun && due < this.#connectBy ? due : Infinity;
  }

  /** Whether another attempt to make the first connection may follow. @param {number} now */
  hasTime(now) {
    return this.#offers && now < this.#connectBy;
  }

  /** What was said had its time to be answered. */
  unanswered() {
    this.#unanswered += 1;
  }

  /**
   * The other side asks for another attempt.
   *
   * @param {number} now
   * @throws {NegotiationError} where it is too many
   */
  asked(now) {
    this.#asked += 1;
    if (this.#asked > MAX_ASKED) {
      throw new NegotiationError(`${MAX_ASKED} attempts to connect came to nothing`);
    }
    const explainBy = this.#explainBy;
    this.begin(now);
    if (now < explainBy) this.#explainBy = explainBy;
  }

  /** The other side is there, so that all begins anew. @param {number} now */
  begin(now) {
    this.#hasBegun = true;
    this.#unanswered = 0;
    if (this.isRepair) return;
    this.#connectBy = now + CONNECT_DEADLINE;
    this.#explainBy = this.#connectBy - EXPLAIN_FIRST;
  }

  /** Our side begins an attempt, or waits for one. */
  repairing() {
    this.#asked = 0;
  }

  /** What follows is a repair. */
  connected() {
    this.isRepair = true;
    this.#asked = this.#unanswered = 0;
    this.#connectBy = Infinity;
  }
}
