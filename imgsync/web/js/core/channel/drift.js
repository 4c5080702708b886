/**
 * What messages say of the offset between two clocks, and of how fast it changes. It is
 * `imgsync/core/channel/drift.py`, which has the reasoning, and computes the very same numbers.
 *
 * Each message bounds the offset from one side, and is a cone that widens with the time before and
 * after it. How steep the cones have to be is found out: two messages prove that at some time in
 * between the other clock has gained at least so much, or at most. What is faster than was seen so far,
 * and NTP besides, is a contradiction. Of readings that come soon one after the other, in one cell of time,
 * the two messages are kept that say most of what comes later. All times are milliseconds; rates are theirs in all of our time.
 *
 * @typedef {{value: number, bound: number}} Bounded the true value lies within `bound` of it
 * @typedef {{lowest: number, highest: number}} Rates what their clock may gain at any time; the first is
 *   below zero, the second above it
 * @typedef {{atLeast: number, atMost: number}} Proof at some time their clock gained at least so much,
 *   and at some time at most so much
 * @typedef {{until: number, least: number, most: number}} Closed what all cells but the last say together
 *   of any time behind them, from when the last of their messages came or left
 */

import {
  CELLS_OF_ALL,
  COARSE,
  LONGEST_CELL,
  MAX_DRIFT,
  NO_NEWS,
  PROBES_AT_LEAST,
  PROBE_SPAN,
  RESOLUTION,
  SHORTEST_CELL,
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

/** The latest readings of two clocks none of which was set meanwhile; one in each cell. */
export class Readings {
  /** @type {Reading[]} */
  #readings = [];
  /** One for each, of all in its cell. @type {Proof[]} */
  #proofs = [];
  /** When the first of all came, and the first one of the last cell. */
  #first = -Infinity;
  #begun = -Infinity;
  /** Until the cells or the rates are others. @type {Closed | null} */
  #closed = null;
  /** How their clock may run, as far as is known by now. @type {Rates} */
  rates = { lowest: -MAX_DRIFT, highest: MAX_DRIFT };

  /** When the last one was known; null before the first. */
  get end() {
    return this.#readings.at(-1)?.end ?? null;
  }

  /** Whether this one, the latest, can prove something, or narrow a bound of later times. @param {Reading} reading */
  isNews(reading) {
    if (!this.#isInLast(reading.end)) return true;
    const { isMost, isLeast } = this.#betters(reading, NO_NEWS);
    return isMost || isLeast;
  }

  /** What this one, the latest, proves with those before of the time since the first. @param {Reading} reading */
  prove(reading) {
    return proofOf(this.#readings, reading);
  }

  /** One more, in the order of their ends, with what it proves. @param {Reading} reading @param {Proof} proof */
  add(reading, proof) {
    if (this.#isInLast(reading.end)) this.#fold(reading, proof);
    else this.#beginCell(reading, proof);
    const atLeast = this.#proofs.reduce((most, one) => Math.max(most, one.atLeast), -Infinity);
    const atMost = this.#proofs.reduce((least, one) => Math.min(least, one.atMost), Infinity);
    const rates = ratesAfter(atLeast, atMost);
    if (rates.lowest === this.rates.lowest && rates.highest === this.rates.highest) return;
    this.rates = rates;
    this.#closed = null;
  }

  /**
   * @param {number} now a time of ours, before or after the readings
   * @returns {Bounded | null} the offset; null before the first
   */
  at(now) {
    const last = this.#readings.at(-1);
    if (last === undefined) return null;
    const { lowest, highest } = this.rates;
    let [least, most] = [-Infinity, Infinity];
    let lookedAt = this.#readings;
    this.#closed ??= this.#close();
    const closed = this.#closed;
    if (now >= closed.until) {
      const elapsed = now - closed.until;
      [least, most] = [closed.least + lowest * elapsed, closed.most + highest * elapsed];
      lookedAt = [last];
    }
    for (const one of lookedAt) {
      let elapsed = now - one.leastAt;
      least = Math.max(least, one.least + (elapsed > 0 ? lowest : highest) * elapsed);
      elapsed = now - one.mostAt;
      most = Math.min(most, one.most + (elapsed > 0 ? highest : lowest) * elapsed);
    }
    return offsetBetween(least, most);
  }

  /** @param {number} end */
  #isInLast(end) {
    // Short ones at first, as from one to the next the rates are learned.
    const length = Math.min(Math.max((end - this.#first) / CELLS_OF_ALL, SHORTEST_CELL), LONGEST_CELL);
    return end < this.#begun + length;
  }

  /** Whether it says more of later times than the last cell, by this. @param {Reading} reading @param {number} by */
  #betters(reading, by = 0) {
    const last = /** @type {Reading} */ (this.#readings.at(-1));
    const most = last.most + this.rates.highest * (reading.mostAt - last.mostAt);
    const least = last.least + this.rates.lowest * (reading.leastAt - last.leastAt);
    return { isMost: reading.most < most - by, isLeast: reading.least > least + by };
  }

  /** @param {Reading} reading @param {Proof} proof */
  #fold(reading, proof) {
    const { isMost, isLeast } = this.#betters(reading);
    const last = /** @type {Reading} */ (this.#readings.pop());
    const [most, least] = [isMost ? reading : last, isLeast ? reading : last];
    this.#readings.push(new Reading(most.mostAt, most.most, least.leastAt, least.least));
    const before = /** @type {Proof} */ (this.#proofs.pop());
    this.#proofs.push({
      atLeast: Math.max(before.atLeast, proof.atLeast),
      atMost: Math.min(before.atMost, proof.atMost),
    });
  }

  /** @param {Reading} reading @param {Proof} proof */
  #beginCell(reading, proof) {
    if (this.#readings.length === 0) this.#first = reading.end;
    this.#begun = reading.end;
    this.#readings.push(reading);
    this.#proofs.push(proof);
    this.#closed = null;
    const begin = reading.end - PROBE_SPAN;
    while (this.#readings.length > PROBES_AT_LEAST && /** @type {Reading} */ (this.#readings[0]).end < begin) {
      this.#readings.shift();
      this.#proofs.shift();
    }
  }

  /** @returns {Closed} */
  #close() {
    const closed = this.#readings.slice(0, -1);
    const { lowest, highest } = this.rates;
    const until = closed.reduce((latest, one) => Math.max(latest, one.end), -Infinity);
    return {
      until,
      least: closed.reduce((most, one) => Math.max(most, one.least + lowest * (until - one.leastAt)), -Infinity),
      most: closed.reduce((least, one) => Math.min(least, one.most + highest * (until - one.mostAt)), Infinity),
    };
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
