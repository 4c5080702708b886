/**
 * When the images that were put up were on the screen, as far as a page can know.
 *
 *     put up in a frame ──▶ the browser tells when it was presented      presented
 *                      └──▶ it does not tell, or can't                   frame: that frame's time
 *
 * An onset is told in the order in which images were put up, and not before the one before it. None
 * lies before its image was in the document: a frame that is under way has its time from before. With
 * each comes how far the true moment can be from it; of a frame that is all the time until something
 * else was known. It decides and does nothing; times are in milliseconds.
 *
 * @import { Timing } from "../protocol/wire.js"
 *
 * @typedef {{id: string, at: number, timing: Timing, within: number}} Onset
 * @typedef {{id: string, frameAt: number, putAt: number}} PutUp
 */

/** For so long the browser may take to tell. It tells nothing of what is never painted. */
export const TELLING_MS = 1000;

export class Onsets {
  /** In their order. @type {PutUp[]} */
  #waiting = [];
  #last = -Infinity;

  /** When `tick` is to be called. */
  get due() {
    const [first] = this.#waiting;
    return first === undefined ? Infinity : first.putAt + TELLING_MS;
  }

  /**
   * An image was put up in an animation frame.
   *
   * @param {string} id its own
   * @param {number} frameAt the time of that frame
   * @param {number} putAt when it was in the document
   */
  putUp(id, frameAt, putAt) {
    this.#waiting.push({ id, frameAt, putAt });
  }

  /**
   * The browser tells when an image was presented.
   *
   * @param {string} id
   * @param {number} at
   * @param {number} within how coarse that is
   * @param {number} now
   * @returns {Onset[]} those before it as well: what has not been told by now will not be
   */
  presented(id, at, within, now) {
    const place = this.#waiting.findIndex((one) => one.id === id);
    const one = this.#waiting[place];
    if (one === undefined) return [];
    const before = this.#settle(place, now);
    this.#waiting.shift();
    return [...before, this.#tell(id, Math.max(at, one.putAt), "presented", within)];
  }

  /**
   * An image has been presented by now, or will not be any more.
   *
   * @param {string} id
   * @param {number} now
   * @returns {Onset[]}
   */
  past(id, now) {
    return this.#settle(this.#waiting.findIndex((one) => one.id === id) + 1, now);
  }

  /** Nothing more is waited for. @param {number} now @returns {Onset[]} */
  settle(now) {
    return this.#settle(this.#waiting.length, now);
  }

  /** Time goes on. @param {number} now @returns {Onset[]} */
  tick(now) {
    const late = this.#waiting.filter((one) => now >= one.putAt + TELLING_MS);
    return this.#settle(late.length, now);
  }

  /** The first of them, by their frames. @param {number} count @param {number} now */
  #settle(count, now) {
    return this.#waiting.splice(0, count).map(({ id, frameAt, putAt }) => {
      const at = Math.max(frameAt, putAt);
      return this.#tell(id, at, "frame", Math.max(now - at, 0));
    });
  }

  /** @param {string} id @param {number} at @param {Timing} timing @param {number} within @returns {Onset} */
  #tell(id, at, timing, within) {
    this.#last = Math.max(this.#last, at);
    return { id, at: this.#last, timing, within };
  }
}
