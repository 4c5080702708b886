/**
 * How long the ways take: the last round trips, and one-way times with the difference of the two
 * clocks taken out.
 *
 * @import { Offset, Probe, Remark } from "../core/channel/clocks.js"
 *
 * @typedef {{at: number, roundTrip: number, oneWay: number | null, bound: number}} Trip
 *   milliseconds; `oneWay` is null for a ping, and while the clocks have not been compared; `bound`
 *   is how wrong it can be
 */

import { ClockOffset, roundTripOf } from "../core/channel/clocks.js";

/** Trips that are kept, for a picture of them. */
export const MAX_TRIPS = 60;

export class Latency {
  /** @type {Trip[]} */
  trips = [];
  #clocks = new ClockOffset();

  /** How far the other side's clock is ahead. @param {number} now @returns {Offset | null} */
  offsetAt(now) {
    return this.#clocks.at(now);
  }

  /** Who answers on a new channel may be another page, with another clock. */
  channelOpened() {
    this.#clocks = new ClockOffset();
  }

  /** A pong came in. @param {Probe} probe @returns {Remark | null} */
  ponged(probe) {
    const remark = this.#clocks.take(probe);
    if (remark?.kind === "refused") return remark;
    this.#keep({ at: probe.t3, roundTrip: Math.max(0, roundTripOf(probe)), oneWay: null, bound: 0 });
    return remark;
  }

  /**
   * The ack of an image that was sent once.
   *
   * @param {number} sentAt our clock
   * @param {number} receivedAt the other side's clock
   * @param {number} ackedAt our clock
   */
  acked(sentAt, receivedAt, ackedAt) {
    const offset = this.offsetAt(ackedAt);
    const oneWay = offset === null ? null : receivedAt - sentAt - offset.value;
    this.#keep({ at: ackedAt, roundTrip: ackedAt - sentAt, oneWay, bound: offset?.bound ?? 0 });
  }

  /** @param {Trip} trip */
  #keep(trip) {
    this.trips = [...this.trips, trip].slice(-MAX_TRIPS);
  }
}

/** @param {number[]} values at least one @returns {number} */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** @param {number} ms @returns {string} with as many digits as make sense, without the unit */
export function formatNumber(ms) {
  return ms.toFixed(Math.abs(ms) < 100 ? 1 : 0).replace("-", "\u2212");
}

/** @param {number} ms @returns {string} */
export function formatMs(ms) {
  return `${formatNumber(ms)}\u00a0ms`;
}
