/**
 * How long the ways have taken of late, for a picture of them and in numbers.
 *
 * @import { Probe } from "../core/channel/clocks.js"
 * @import { Bounded } from "../core/channel/drift.js"
 *
 * @typedef {{at: number, roundTrip: number, oneWay: Bounded | null}} Trip milliseconds; `oneWay` is
 *   null for a ping
 */

import { roundTripOf } from "../core/channel/clocks.js";

/** Trips that are kept. */
export const MAX_TRIPS = 60;

export class Latency {
  /** @type {Trip[]} */
  trips = [];

  /** A ping was answered. @param {Probe} probe */
  ponged(probe) {
    this.#keep({ at: probe.t3, roundTrip: Math.max(0, roundTripOf(probe)), oneWay: null });
  }

  /** An image was acked. @param {number} at @param {number} roundTrip @param {Bounded} oneWay */
  acked(at, roundTrip, oneWay) {
    this.#keep({ at, roundTrip, oneWay });
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
