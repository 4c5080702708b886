/**
 * In which animation frame an image is taken away, so that the screen shows it for as many refreshes
 * as were asked for.
 *
 *     frame that puts it up ──▶ frames, each of them refreshes later ──▶ the one that takes it away
 *        └──▶ presented refreshes later than usual: it is taken away as much later
 *
 * Refreshes are told by the time stamps of frames: those that come are not counted, because a page
 * misses some and Firefox gives two for one. From a frame's time to the refresh that shows it, it takes
 * a while, which is left out as long as it is the same for the picture and for the grey that takes its
 * place; a large picture may miss that refresh, and the grey, too. It decides and does nothing; times
 * are in milliseconds.
 *
 * @typedef {{showFor?: number, frames?: number}} Asked one of them
 * @typedef {{frames: number, dropped: number}} Exposed for how many refreshes it was up, and in how
 *   many of these the page had no frame
 */

/** How much of what a frame is off by is taken for the screen, and not for chance. */
const FOLLOWED = 0.1;
/** Presentations that say how long they take. */
const KEPT = 15;
/** A refresh and what it may be less by rounding. */
const WHOLE = 0.9;
/** Part of a refresh by which moments that are told of one are off. */
const SAME = 0.1;

/** Whether it is for less time than the screen can show anything. @param {Asked} asked @param {number} interval */
export function isBelowFrame({ showFor }, interval) {
  return showFor !== undefined && showFor < WHOLE * interval;
}

/**
 * How long it takes from a frame's time until it is presented, by the greys. Browsers tell by the refresh
 * that shows it, or by the moment at which it is ready to be shown, which is anywhere before that.
 */
export class Lags {
  /** @type {number[]} */
  #last = [];

  /** @param {number} lag of one */
  add(lag) {
    this.#last = [...this.#last, lag].slice(-KEPT);
  }

  /**
   * @param {number | null} lag null where it is not known
   * @param {number} interval of refreshes
   * @returns {number} by how many refreshes that is later than when nothing is in the way, as for the
   *   quickest quarter; 0 where that is not known
   */
  lateOf(lag, interval) {
    const sorted = [...this.#last].sort((one, other) => one - other);
    const usual = sorted[sorted.length >> 2];
    if (lag === null || usual === undefined) return 0;
    const later = (lag - usual) / interval;
    const whole = Math.round(later);
    // Not by whole refreshes: what is told is when each was ready, and the next one showed it.
    const isWhole = Math.abs(later - whole) <= SAME;
    return Math.max(isWhole ? whole : Math.ceil(lag / interval) - Math.ceil(usual / interval), 0);
  }
}

export class Exposure {
  #asked;
  #putUpAt;
  /** When the last refresh was that had a frame, as far as frames agree on it. */
  #lastAt;
  #refreshes = 0;
  #dropped = 0;
  /** Refreshes by which it was presented later than what takes its place will be. */
  #late = 0;

  /** @param {Asked} asked @param {number} at the time of the frame that puts it up */
  constructor(asked, at) {
    this.#asked = asked;
    this.#putUpAt = this.#lastAt = at;
  }

  /**
   * Another frame comes.
   *
   * @param {number} at its time
   * @param {number} interval of refreshes
   * @returns {boolean} whether it is the one that takes the image away
   */
  frame(at, interval) {
    const passed = Math.max(Math.round((at - this.#lastAt) / interval), 0);
    if (passed > 0) {
      this.#refreshes += passed;
      this.#dropped += passed - 1;
      this.#lastAt += passed * interval;
      this.#lastAt += FOLLOWED * (at - this.#lastAt);
    }
    const { frames, showFor = Infinity } = this.#asked;
    const count = this.#refreshes - this.#late;
    if (count < 1) return false;
    if (frames !== undefined) return count >= frames;
    // Of two refreshes the nearer one; by the clock, as an interval times thousands would be far off.
    return at - this.#putUpAt - this.#late * interval >= showFor - interval / 2;
  }

  /** It was presented so many refreshes later than what takes its place will be. @param {number} late */
  presented(late) {
    this.#late = late;
  }

  /**
   * It is not up any more.
   *
   * @param {number} late refreshes by which its end was presented later than usual
   * @param {number} [began] the same of its beginning, where more is known of that by now
   * @returns {Exposed}
   */
  end(late, began = this.#late) {
    return { frames: Math.max(this.#refreshes + late - began, 0), dropped: this.#dropped };
  }
}
