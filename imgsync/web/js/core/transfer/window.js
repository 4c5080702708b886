/**
 * How many bytes of pictures may be on their way on one channel, sent and not acknowledged: the rules
 * of `core/transfer/window.py`, which says why.
 *
 *     starting ── acknowledgements are as quick as ever ──▶ twice as large
 *     starting ── they come later ──▶ following
 *     following ──▶ smaller by as much as they are late, and STANDING_QUEUE larger
 *
 * Where they are not late at all, and the way is not narrow, it grows by as much for each
 * GROWTH_PERIOD of a round trip: a long way has few of those.
 *
 * Bytes are counted from the first of the channel on, over all pictures. `now` is on a clock that only
 * goes forward, s.
 */

import {
  FREE_DELAY,
  FREE_PART,
  GROWTH_PERIOD,
  LARGE_CHUNK,
  LARGE_CHUNKS_FROM,
  MAX_SAMPLES,
  SMALLEST_WINDOW,
  SMALL_CHUNK,
  STANDING_QUEUE,
} from "../protocol/numbers.js";

/** Times the best delay: a queue has begun to grow, and starting is over. */
const LATE = 1.25;

/**
 * Where it is others that leave no more, and not a narrow way, a small one would only cost more.
 *
 * @param {number} size bytes of a window
 * @param {number} share bytes that it may have
 * @returns {number} bytes of a chunk in it
 */
export function chunkSize(size, share) {
  const isWide = size >= Math.min(LARGE_CHUNKS_FROM, share) && share >= SMALLEST_WINDOW;
  return isWide ? LARGE_CHUNK : SMALL_CHUNK;
}

/** Of one channel. */
export class Window {
  /** Whoever begins knows nothing of the way, and SCTP lets no more out at once. */
  size = SMALL_CHUNK;
  /** Bytes in all. */
  sent = 0;
  #acked = 0;
  /**
   * Of those that are not acknowledged. Where there are too many, as of pictures that were stopped, the
   * oldest are of no use.
   *
   * @type {{end: number, at: number}[]}
   */
  #chunks = [];
  #isStarting = true;
  /** What the round trip of now is over with. */
  #roundEnds = 0;
  /** Seconds from a chunk to its acknowledgement, ever. */
  #best = Infinity;
  /** The same in this round. */
  #bestOfRound = Infinity;

  /** Bytes that were sent and are not acknowledged. */
  get inFlight() {
    return this.sent - this.#acked;
  }

  /** So many bytes go out. @param {number} count @param {number} now */
  send(count, now) {
    this.sent += count;
    this.#chunks.push({ end: this.sent, at: now });
    if (this.#chunks.length > MAX_SAMPLES) this.#chunks.shift();
  }

  /**
   * All bytes below this one have come.
   *
   * @param {number} position
   * @param {number} most bytes that the window may have, as others are sending, too
   * @param {number} now
   */
  acked(position, most, now) {
    this.#acked = Math.max(this.#acked, position);
    for (let [first] = this.#chunks; first !== undefined && first.end <= position; [first] = this.#chunks) {
      this.#chunks.shift();
      this.#bestOfRound = Math.min(this.#bestOfRound, now - first.at);
    }
    if (position < this.#roundEnds || this.#bestOfRound === Infinity) return;
    this.#follow(most);
    this.#roundEnds = this.sent;
    this.#bestOfRound = Infinity;
  }

  /** A round trip is over. @param {number} most */
  #follow(most) {
    this.#best = Math.min(this.#best, this.#bestOfRound);
    const [took, free] = [this.#bestOfRound, this.#best + FREE_DELAY];
    this.#isStarting &&= took < LATE * free;
    const late = Math.max(1, took / (free + FREE_PART * this.#best));
    const isFree = took <= free && this.size >= LARGE_CHUNKS_FROM;
    const steps = isFree ? Math.max(1, this.#best / GROWTH_PERIOD) : 1;
    const wanted = this.#isStarting ? 2 * this.size : this.size / late + STANDING_QUEUE * steps;
    this.size = Math.floor(Math.min(Math.max(wanted, SMALLEST_WINDOW), most));
  }
}
