/**
 * How long things take between the two sides, each with its own clock.
 *
 * A ping and its pong tell how far the clocks are apart, and so do an image and its ack. Whatever the
 * clocks say, an image was on its way between its showing and its ack. Times are in milliseconds.
 *
 * @import { Bounded, Probe, Remark } from "./clocks.js"
 */

import { COARSE } from "../protocol/numbers.js";
import { ClockOffset, within } from "./clocks.js";

/** Of one session; they outlive connections, as the two peers' clocks do. */
export class Measurements {
  #clock = new ClockOffset();

  /** A channel is open; on its other side may be another page, with another clock. */
  connected() {
    this.#clock.reconnected();
  }

  /** A ping of ours was answered. @param {Probe} probe @returns {Remark | null} */
  ponged(probe) {
    return this.#clock.take(probe);
  }

  /**
   * The ack of an image came in.
   *
   * @param {number} sentAt
   * @param {number} receivedAt the other side's clock
   * @param {number} at
   * @returns {{remark: Remark | null, latency: Bounded}} how long the image took to the client
   */
  acked(sentAt, receivedAt, at) {
    // When the ack left is not told: it is taken as if it had left at once.
    const remark = this.#clock.take({ t0: sentAt, t1: receivedAt, t2: receivedAt, t3: at });
    const roundTrip = at - sentAt;
    // Where there is none, the two clocks contradict each other.
    const unknown = { value: roundTrip / 2, bound: roundTrip / 2 + COARSE };
    const latency = this.#clock.since(sentAt, receivedAt) ?? unknown;
    return { remark, latency: within(latency, 0, roundTrip) };
  }

  /** How long after a time of ours a time of theirs was. @param {number} ours @param {number} theirs */
  since(ours, theirs) {
    return this.#clock.since(ours, theirs);
  }

  /** How far the other side's clock is ahead. @param {number} now @returns {Bounded | null} */
  offsetAt(now) {
    return this.#clock.at(now);
  }
}
