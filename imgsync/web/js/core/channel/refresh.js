/**
 * How long the screen takes for a refresh, by the time stamps of a page's animation frames.
 *
 * A page misses frames while it is busy, and Firefox gives two for one refresh after a pause. So the
 * middle one of many intervals says which are of one refresh, and their mean how long that is: clocks
 * of whole milliseconds tell 60 Hz by 16 and 17. It decides and does nothing; times are in milliseconds.
 */

/** Intervals that it goes by; older ones may be of another screen. */
const KEPT = 120;
/** With less it is not known. */
const NEEDED = 20;
/** Between two frames of one refresh there is less, and over a pause more. */
const [LEAST, MOST] = [2, 110];
/** What is of one refresh lies as close to the middle one. */
const NEAR = 0.25;

/** @param {readonly number[]} values at least one @returns {number} the one in the middle */
function middleOf(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? NaN;
}

export class Refresh {
  #last = NaN;
  /** @type {number[]} */
  #intervals = [];
  /** @type {number | null} */
  #known = null;

  /** Of one refresh; null until that is known. */
  get interval() {
    return this.#known;
  }

  /** An animation frame comes. @param {number} at its time stamp */
  frame(at) {
    const since = at - this.#last;
    this.#last = at;
    if (!(since >= LEAST && since <= MOST)) return;
    this.#intervals.push(since);
    if (this.#intervals.length > KEPT) this.#intervals.shift();
    if (this.#intervals.length >= NEEDED) this.#known = this.#estimate();
  }

  /** The next frame follows on none. */
  pause() {
    this.#last = NaN;
  }

  /** The screen may be another one. What is known is so until it is known anew. */
  restart() {
    this.pause();
    this.#intervals = [];
  }

  #estimate() {
    const middle = middleOf(this.#intervals);
    const near = this.#intervals.filter((one) => Math.abs(one - middle) <= NEAR * middle);
    return near.reduce((sum, one) => sum + one, 0) / near.length;
  }
}
