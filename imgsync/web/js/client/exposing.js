/**
 * One thing that is up for a time of its own: runs animation frames until it is taken away. In which of
 * them that is, `Exposure` decides.
 *
 * @import { Asked, Exposed, Lags } from "../core/channel/exposure.js"
 * @import { RefreshMeter } from "../device/refresh_meter.js"
 */

import { Exposure, isBelowFrame } from "../core/channel/exposure.js";
import { momentOf } from "../peer/clock.js";

export class Exposing {
  #asked;
  #meter;
  #lags;
  #exposure;
  #frame = 0;
  /** From its frame to its presentation, in milliseconds; null where that is not known. @type {number | null} */
  #lag = null;

  /**
   * In an animation frame, it has come into view.
   *
   * @param {Asked} asked for how long
   * @param {number} frameAt the time of that frame
   * @param {RefreshMeter} meter
   * @param {Lags} lags of the greys that take the place of such
   * @param {(frameAt: number) => void} act in the frame that is to take it away, with its time
   */
  constructor(asked, frameAt, meter, lags, act) {
    this.#asked = asked;
    this.#meter = meter;
    this.#lags = lags;
    this.#exposure = new Exposure(asked, frameAt);
    this.#awaitEnd(act);
  }

  /** @param {(frameAt: number) => void} act */
  #awaitEnd(act) {
    this.#frame = requestAnimationFrame((timestamp) => {
      this.#meter.frame(timestamp);
      const at = momentOf(timestamp);
      if (this.#exposure.frame(at, this.#meter.interval)) act(at);
      else this.#awaitEnd(act);
    });
  }

  /** It was presented so long after its frame. @param {number} lag in milliseconds */
  presented(lag) {
    this.#lag = lag;
    this.#exposure.presented(this.#lags.lateOf(lag, this.#meter.interval));
  }

  /** It is not up any more. @param {number} [frameAt] the time of the frame in which something takes its place */
  stop(frameAt) {
    cancelAnimationFrame(this.#frame);
    if (frameAt !== undefined) this.#exposure.frame(frameAt, this.#meter.interval);
  }

  /**
   * What became of it, once it has stopped.
   *
   * @param {number | null} lag of what took its place; null where that is not known
   * @returns {Exposed & {detail?: string}}
   */
  tell(lag) {
    const { interval } = this.#meter;
    const late = this.#lags.lateOf(lag, interval);
    const exposed = this.#exposure.end(late, this.#lags.lateOf(this.#lag, interval));
    if (!isBelowFrame(this.#asked, interval)) return exposed;
    return { ...exposed, detail: `a frame takes ${interval.toFixed(1)} ms` };
  }
}
