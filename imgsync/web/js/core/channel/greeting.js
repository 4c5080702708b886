/**
 * The client's `ready`, which is said again until it is answered.
 *
 * What a page sends inside its `datachannel` event is lost in some two of a hundred connections:
 * Chromium takes it and never puts it on the wire. Only a ping counts as an answer: an image is sent
 * when a channel opens, whatever came of `ready`. Who never pings hears it a few times and no more.
 * Times are seconds on a clock that only goes forward.
 */

import { READY_AGAIN } from "../protocol/numbers.js";

/** Of one channel; a new one has a new greeting. */
export class Greeting {
  /** When it is to be said again. @type {number[]} */
  #times = [];

  /** When to call `tick`. */
  get due() {
    return this.#times[0] ?? Infinity;
  }

  /** It is said for the first time. @param {number} now */
  begin(now) {
    this.#times = READY_AGAIN.map((pause) => now + pause);
  }

  /** A ping came in. */
  answered() {
    this.#times = [];
  }

  /**
   * `due` has come. What was slept through is one.
   *
   * @param {number} now
   * @returns {boolean} whether it is to be said again
   */
  tick(now) {
    const isDue = now >= this.due;
    this.#times = this.#times.filter((time) => time > now);
    return isDue;
  }
}
