/**
 * Measures how long the screen takes for a refresh, by animation frames while nothing else goes on, and
 * by those that run anyway.
 */

import { Refresh } from "../core/channel/refresh.js";
import { USUAL_REFRESH } from "../core/protocol/numbers.js";

/** Frames of one measurement: less than a second. */
const FRAMES = 40;

export class RefreshMeter {
  #refresh = new Refresh();
  /** Frames still to come of a measurement. */
  #left = 0;
  #measured;

  /** @param {() => void} measured it is known, or known anew */
  constructor(measured) {
    this.#measured = measured;
  }

  /** Milliseconds; the usual ones until it is known. */
  get interval() {
    return this.#refresh.interval ?? 1000 / USUAL_REFRESH;
  }

  /** In Hz; null until it is known. */
  get rate() {
    const { interval } = this.#refresh;
    return interval === null ? null : 1000 / interval;
  }

  /** The screen may be another one, or another rate. In a hidden tab it waits until that is looked at. */
  measure() {
    this.#refresh.restart();
    const isUnderWay = this.#left > 0;
    this.#left = FRAMES;
    if (!isUnderWay) this.#goOn();
  }

  #goOn() {
    requestAnimationFrame((at) => {
      this.frame(at);
      this.#left -= 1;
      if (this.#left > 0) {
        this.#goOn();
      } else {
        this.#refresh.pause();
        this.#measured();
      }
    });
  }

  /** An animation frame that runs. @param {DOMHighResTimeStamp} at its time stamp */
  frame(at) {
    this.#refresh.frame(at);
  }
}
