/**
 * How far the client's clock was ahead of the evaluator's at any time of a session, afterwards. It
 * is `imgsync/commands/report/offsets.py`, which has the reasoning, and computes the very same
 * numbers: so it adds and compares in the same order.
 *
 *     at most    V    V  V  V     the true offset runs below all of these, which stand on their tips,
 *     at least    A A    A   A    and above all of those, which hang from theirs
 *
 * Each message is a cone that widens by what the clocks may have drifted apart then. The middle
 * between the two sides is the estimate, and half of what is between them is how wrong it can be.
 * Messages that contradict those before them begin a new span: a clock was set. All times are
 * milliseconds.
 *
 * @import { Bounded, Proof, Rates, Reading } from "../core/channel/drift.js"
 *
 * @typedef {object} Tip of a cone
 * @property {number} time
 * @property {number} low how high it stands
 * @property {number} rise how steep the cone is on its later side, about here
 * @property {number} fall and on its earlier one
 */

import { Readings, contradicts, fastestOf, offsetBetween, ratesAfter } from "../core/channel/drift.js";
import { PROBE_SPAN } from "../core/protocol/numbers.js";

/** A time on the evaluator's clock; the true one lies within `bound` of it. */
export class Estimate {
  /**
   * @param {number} at
   * @param {number} bound
   * @param {number} drift what the client's clock may have gained or lost then in all of the time
   */
  constructor(at, bound, drift) {
    this.at = at;
    this.bound = bound;
    this.drift = drift;
  }

  get earliest() {
    return this.at - this.bound;
  }

  get latest() {
    return this.at + this.bound;
  }

  /** What holds if one of the two does. @param {Estimate} other */
  hull(other) {
    const earliest = Math.min(this.earliest, other.earliest);
    const latest = Math.max(this.latest, other.latest);
    const drift = Math.max(this.drift, other.drift);
    return new Estimate((earliest + latest) / 2, (latest - earliest) / 2, drift);
  }
}

/** A stretch of time in which no clock was set. */
class Span {
  #readings;
  #ends;
  #rates;
  #most;
  #least;

  /**
   * @param {Reading[]} readings at least one, in the order of their ends
   * @param {Proof[]} proofs what each proves of how the client's clock ran, with those before it
   */
  constructor(readings, proofs) {
    this.#readings = readings;
    const ends = (this.#ends = readings.map((reading) => reading.end));
    /** When its first and its last reading were complete; evaluator's clock. */
    this.begin = at(ends, 0);
    this.end = at(ends, ends.length - 1);
    const rates = (this.#rates = ratesAt(ends, proofs));
    this.#most = new Cones(
      readings.map(({ mostAt, most }, number) => {
        const { lowest, highest } = at(rates, number);
        return { time: mostAt, low: most, rise: highest, fall: -lowest };
      }),
    );
    // The lower side is the upper one upside down.
    this.#least = new Cones(
      readings.map(({ leastAt, least }, number) => {
        const { lowest, highest } = at(rates, number);
        return { time: leastAt, low: -least, rise: -lowest, fall: highest };
      }),
    );
  }

  /** The offset at this time of the evaluator's clock. @param {number} time @returns {Bounded} */
  at(time) {
    return offsetBetween(this.leastAt(time), this.mostAt(time));
  }

  /** The beginning of the last reading that can't be of the later span. @param {Span} later */
  sureUntil(later) {
    const contradicting = this.#readings.filter(
      ({ mostAt, most, leastAt, least }) =>
        least > later.mostAt(leastAt) || most < later.leastAt(mostAt),
    );
    const begins = contradicting.map(({ mostAt, leastAt }) => Math.min(mostAt, leastAt));
    return begins.length === 0 ? this.end : begins.reduce((one, other) => Math.max(one, other));
  }

  /** How far the client's clock is ahead at most. @param {number} time of the evaluator's clock */
  mostAt(time) {
    return this.#most.lowest(time);
  }

  /** How far at least. @param {number} time of the evaluator's clock */
  leastAt(time) {
    return -this.#least.lowest(time);
  }

  /** What the evaluator's clock said when the client's said this. @param {number} time */
  toEvaluator(time) {
    // The offset to use is that of the moment which is looked for: each round comes closer to it.
    let here = this.begin;
    let offset = { value: NaN, bound: NaN };
    for (let round = 0; round < 4; round += 1) {
      offset = this.at(here);
      here = time - offset.value;
    }
    const after = bisectRight(this.#ends, here, (end) => end);
    const about = this.#rates.slice(Math.max(after - 1, 0), after + 1);
    const drift = about.map(fastestOf).reduce((one, other) => Math.max(one, other));
    return new Estimate(here, offset.bound * (1 + drift), drift);
  }
}

/** The lowest of many cones, given by their tips; they are equally steep at any one time. */
class Cones {
  #times;
  #lows;
  /** Before the first tip, between each two, and after the last one. */
  #rises;
  #falls;

  /** @param {Tip[]} tips */
  constructor(tips) {
    const ordered = tips.sort((one, other) => one.time - other.time || one.low - other.low);
    const times = (this.#times = ordered.map(({ time }) => time));
    const lows = (this.#lows = ordered.map(({ low }) => low));
    const after = [...ordered, at(ordered, ordered.length - 1)];
    const before = [at(ordered, 0), ...ordered];
    const rises = (this.#rises = after.map(({ rise }, n) => Math.max(at(before, n).rise, rise)));
    const falls = (this.#falls = after.map(({ fall }, n) => Math.max(at(before, n).fall, fall)));
    const steps = times.slice(1).map((later, number) => later - at(times, number));
    steps.forEach((step, n) => {
      lows[n + 1] = Math.min(at(lows, n + 1), at(lows, n) + at(rises, n + 1) * step);
    });
    for (let n = steps.length - 1; n >= 0; n -= 1) {
      lows[n] = Math.min(at(lows, n), at(lows, n + 1) + at(falls, n + 1) * at(steps, n));
    }
  }

  /** @param {number} time */
  lowest(time) {
    const after = bisectRight(this.#times, time, (one) => one);
    let lowest = Infinity;
    if (after > 0) {
      const elapsed = time - at(this.#times, after - 1);
      lowest = at(this.#lows, after - 1) + at(this.#rises, after) * elapsed;
    }
    if (after < this.#times.length) {
      const ahead = at(this.#times, after) - time;
      lowest = Math.min(lowest, at(this.#lows, after) + at(this.#falls, after) * ahead);
    }
    return lowest;
  }
}

/**
 * How the clock may have run about each reading: by all that were known about then.
 *
 * @param {readonly number[]} ends
 * @param {readonly Proof[]} proofs
 * @returns {Rates[]}
 */
function ratesAt(ends, proofs) {
  return ends.map((end) => {
    const last = bisectRight(ends, end + PROBE_SPAN, (one) => one);
    let [atLeast, atMost] = [-Infinity, Infinity];
    for (let n = bisectLeft(ends, end - PROBE_SPAN); n < last; n += 1) {
      const proof = at(proofs, n);
      atLeast = Math.max(atLeast, proof.atLeast);
      atMost = Math.min(atMost, proof.atMost);
    }
    return ratesAfter(atLeast, atMost);
  });
}

/** The offset between the two clocks of a session, at all times. */
export class OffsetHistory {
  #spans;
  /** Between each two spans: from when until when the clock may have been set. */
  #windows;

  /**
   * @param {readonly Reading[]} readings
   * @param {readonly number[]} breaks when a process was started anew; its clock may be another one
   */
  constructor(readings, breaks) {
    const possible = readings.filter((reading) => reading.isPossible);
    possible.sort((one, other) => one.end - other.end);
    const sorted = [...breaks].sort((one, other) => one - other);
    /** In the order of time. */
    this.#spans = divide(possible, sorted).map(({ together, proofs }) => new Span(together, proofs));
    this.#windows = this.#spans.slice(1).map((after, number) => {
      return { begin: at(this.#spans, number).sureUntil(after), end: after.begin };
    });
  }

  /**
   * What the evaluator's clock said when the client's said this. A clock that was set back says the
   * same time twice: it is the one that is next to `near`.
   *
   * @param {number} time
   * @param {number} near a time of the evaluator's clock about then
   * @param {number} notBefore one that it can't have been before
   * @returns {Estimate | null} null without a reading
   */
  toEvaluator(time, near, notBefore) {
    /** @type {Map<number, Estimate>} */
    const possible = new Map();
    const [first, end] = this.#numbers(near);
    for (let number = first; number < end; number += 1) {
      const found = at(this.#spans, number).toEvaluator(time);
      const from = this.#windows[number - 1]?.begin ?? -Infinity;
      const until = this.#windows[number]?.end ?? Infinity;
      if (found.latest >= Math.max(from, notBefore) && found.earliest <= until) {
        possible.set(number, found);
      }
    }
    let best = -1;
    let distance = Infinity;
    for (const [number, found] of possible) {
      const here = Math.abs(found.at - near);
      if (here < distance) [best, distance] = [number, here];
    }
    let estimate = possible.get(best) ?? null;
    for (const other of [best - 1, best + 1]) {
      const found = possible.get(other);
      if (found !== undefined && this.#isBetween(best, other, possible)) {
        estimate = estimate?.hull(found) ?? null;
      }
    }
    return estimate;
  }

  /**
   * Of the spans that come into question, those about `near`: from one until before the other.
   *
   * @param {number} near
   * @returns {[number, number]}
   */
  #numbers(near) {
    const after = bisectRight(this.#spans, near, (span) => span.begin);
    return [Math.max(after - 2, 0), Math.min(after + 2, this.#spans.length)];
  }

  /**
   * Whether a time is so close to the setting of a clock that it may be on either side.
   *
   * @param {number} one
   * @param {number} other
   * @param {ReadonlyMap<number, Estimate>} found
   */
  #isBetween(one, other, found) {
    const { begin, end } = at(this.#windows, Math.min(one, other));
    return [one, other].every((number) => {
      const { latest, earliest } = /** @type {Estimate} */ (found.get(number));
      return latest >= begin && earliest <= end;
    });
  }
}

/**
 * What stands together, in the order of time; just as it was noticed while the session ran.
 *
 * @param {Reading[]} readings
 * @param {number[]} breaks
 */
function divide(readings, breaks) {
  /** @type {{known: Readings, together: Reading[], proofs: Proof[]}[]} */
  const groups = [];
  /** @param {number} time */
  const breaksUntil = (time) => bisectRight(breaks, time, (one) => one);
  for (const reading of readings) {
    let group = groups.at(-1);
    let proof = group?.known.prove(reading);
    const isBroken = breaksUntil(group?.known.end ?? reading.end) !== breaksUntil(reading.end);
    if (group === undefined || proof === undefined || isBroken || contradicts(proof, group.known.rates)) {
      group = { known: new Readings(), together: [], proofs: [] };
      groups.push(group);
      proof = group.known.prove(reading);
    }
    group.known.add(reading, proof);
    group.proofs.push(proof);
    group.together.push(reading);
  }
  return groups;
}

/**
 * Where a number belongs in a sorted list, behind those that equal it.
 *
 * @template T
 * @param {readonly T[]} list
 * @param {number} wanted
 * @param {(item: T) => number} key
 */
function bisectRight(list, wanted, key) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (wanted < key(at(list, middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where a number belongs in a sorted list, before those that equal it. @param {readonly number[]} list @param {number} wanted */
function bisectLeft(list, wanted) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(list, middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @template T @param {readonly T[]} list @param {number} index of an item that is there @returns {T} */
function at(list, index) {
  return /** @type {T} */ (list[index]);
}
