/**
 * How much each of those may have on its way and in memory who send pictures from one page: the rules
 * of `core/transfer/budget.py`.
 */

import {
  LARGEST_WINDOW,
  READ_BLOCK,
  SHARED_WINDOW,
  SMALLEST_BLOCK,
  SMALL_CHUNK,
} from "../protocol/numbers.js";

/** One for a page: what there is is divided among those that are sending now. */
export class Budget {
  #senders = 0;

  /** Bytes that each may have on the way: a small chunk at least. */
  get share() {
    if (this.#senders <= 1) return LARGEST_WINDOW;
    return Math.max(Math.floor(SHARED_WINDOW / this.#senders), SMALL_CHUNK);
  }

  /** Bytes that each reads at a time. */
  get block() {
    return Math.max(Math.floor(READ_BLOCK / Math.max(this.#senders, 1)), SMALLEST_BLOCK);
  }

  /** One more begins to send. */
  join() {
    this.#senders += 1;
  }

  /** One of them has nothing more to send. */
  leave() {
    this.#senders -= 1;
  }
}
