/**
 * What messages say of the offset between two clocks, and of how fast it changes. It is
 * `imgsync/core/channel/drift.py`, which has the reasoning, and computes the very same numbers.
 *
 * Each message bounds the offset from one side, and is a cone that widens with the time before and
 * after it. How steep the cones have to be is found out: two messages prove that at some time in
 * between the other clock has gained at least so much, or at most. What is faster than was seen so far,
 * and NTP besides, is a contradiction. All times are milliseconds; rates are theirs in all of our time.
 *
 * @typedef {{value: number, bound: number}} Bounded the true value lies within `bound` of it
 * @typedef {{lowest: number, highest: number}} Rates what their clock may gain at any time; the first is
 *   below zero, the second above it
 * @typedef {{atLeast: number, atMost: number}} Proof at some time their clock gained at least so much,
 *   and at some time at most so much
 */

import {
  COARSE,
  MAX_DRIFT,
  PROBES_AT_LEAST,
  PROBE_SPAN,
  PROBE_WINDOW,
  RESOLUTION,
  SLEWED,
  STEADY_DRIFT,
} from "../protocol/numbers.js";

/** Milliseconds, in place of none: what changes in no time was set. */
const AT_ONCE = 1e-9;

/** How coarse a clock is, by times that it has told. @param {...number} times */
export function resolutionOf(...times) {
  return times.some((time) => time % 1 !== 0) ? RESOLUTION : COARSE;
}

/** A message each way. All `At` are our clock. */
export class Reading {
  /**
   * @param {number} mostAt
   * @param {number} most how far their clock is ahead at most, as of `mostAt`
   * @param {number} leastAt
   * @param {number} least how far at least, as of `leastAt`
   */
  constructor(mostAt, most, leastAt, least) {
    this.mostAt = mostAt;
    this.most = most;
    this.leastAt = leastAt;
    this.least = least;
  }

  /**
   * A probe of ours, or an image and its ack; t1 and t2 on their clock.
   *
   * @param {number} t0
   * @param {number} t1
   * @param {number} t2
   * @param {number} t3
   */
  static byUs(t0, t1, t2, t3) {
    const off = Math.max(resolutionOf(t0, t3), resolutionOf(t1, t2));
    return new Reading(t0, t1 - t0 + off, t3, t2 - t3 - off);
  }

  /** When all of it was known. */
  get end() {
    return Math.max(this.mostAt, this.leastAt);
  }

  /** Not so where a clock was set half-way: then a message arrived before it was sent. */
  get isPossible() {
    return this.least - this.most <= MAX_DRIFT * Math.abs(this.leastAt - this.mostAt);
  }
}

/** How their clock may run after this was seen. @param {number} atLeast @param {number} atMost @returns {Rates} */
export function ratesAfter(atLeast, atMost) {
  return {
    lowest: Math.max(Math.min(atLeast, atMost, -STEADY_DRIFT) - SLEWED, -MAX_DRIFT),
    highest: Math.min(Math.max(atLeast, atMost, STEADY_DRIFT) + SLEWED, MAX_DRIFT),
  };
}

/** Of both ways. @param {Rates} rates */
export function fastestOf({ lowest, highest }) {
  return Math.max(highest, -lowest);
}

/** In the middle of the two. @param {number} least @param {number} most @returns {Bounded} */
export function offsetBetween(least, most) {
  // They can cross a little, where a clock has run faster than was seen.
  return { value: (most + least) / 2, bound: Math.max(Math.abs(most - least) / 2, RESOLUTION) };
}

/** The latest readings of two clocks none of which was set meanwhile. */
export class Readings {
  /** @type {Reading[]} */
  #readings = [];
  /** One for each. @type {Proof[]} */
  #proofs = [];
  /** How their clock may run, as far as is known by now. @type {Rates} */
  rates = { lowest: -MAX_DRIFT, highest: MAX_DRIFT };

  /** When the last one was known; null before the first. */
  get end() {
    return this.#readings.at(-1)?.end ?? null;
  }

  /** What this one, the latest, proves with those before of the time since the first. @param {Reading} reading */
  prove(reading) {
    return proofOf(this.#readings, reading);
  }

  /** One more, in the order of their ends, with what it proves. @param {Reading} reading @param {Proof} proof */
  add(reading, proof) {
    this.#readings.push(reading);
    this.#proofs.push(proof);
    while (this.#isFull(reading.end)) {
      this.#readings.shift();
      this.#proofs.shift();
    }
    const atLeast = this.#proofs.reduce((most, one) => Math.max(most, one.atLeast), -Infinity);
    const atMost = this.#proofs.reduce((least, one) => Math.min(least, one.atMost), Infinity);
    this.rates = ratesAfter(atLeast, atMost);
  }

  /**
   * @param {number} now a time of ours, before or after the readings
   * @returns {Bounded | null} the offset; null before the first
   */
  at(now) {
    if (this.#readings.length === 0) return null;
    const { lowest, highest } = this.rates;
    let [least, most] = [-Infinity, Infinity];
    for (const one of this.#readings) {
      let elapsed = now - one.leastAt;
      least = Math.max(least, one.least + (elapsed > 0 ? lowest : highest) * elapsed);
      elapsed = now - one.mostAt;
      most = Math.min(most, one.most + (elapsed > 0 ? highest : lowest) * elapsed);
    }
    return offsetBetween(least, most);
  }

  /** @param {number} now */
  #isFull(now) {
    const count = this.#readings.length;
    const isOld = /** @type {Reading} */ (this.#readings[0]).end < now - PROBE_SPAN;
    return count > PROBE_WINDOW || (isOld && count > PROBES_AT_LEAST);
  }
}

/** Whether a clock that runs like that must have been set in between. @param {Proof} proof @param {Rates} rates */
export function contradicts({ atLeast, atMost }, { lowest, highest }) {
  return atLeast > highest || atMost < lowest;
}

/** By each of those before and this one. @param {readonly Reading[]} before @param {Reading} reading @returns {Proof} */
function proofOf(before, reading) {
  let [atLeast, atMost] = [-MAX_DRIFT, MAX_DRIFT];
  for (const one of before) {
    let elapsed = reading.leastAt - one.mostAt || AT_ONCE;
    let rate = (reading.least - one.most) / elapsed;
    if (elapsed > 0) atLeast = Math.max(atLeast, rate);
    else atMost = Math.min(atMost, rate); // they overlap
    elapsed = reading.mostAt - one.leastAt || AT_ONCE;
    rate = (reading.most - one.least) / elapsed;
    if (elapsed > 0) atMost = Math.min(atMost, rate);
    else atLeast = Math.max(atLeast, rate);
  }
  return { atLeast, atMost };
}
