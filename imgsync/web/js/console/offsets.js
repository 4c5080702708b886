/**
 * How far the client's clock was ahead of the evaluator's at any time of a session, afterwards. It
 * is `imgsync/commands/report/offsets.py`, which has the reasoning, and computes the very same
 * numbers: so it adds and compares in the same order.
 *
 *     at most    V    V  V  V     the true offset runs below all of these, which stand on their tips,
 *     at least    A A    A   A    and above all of those, which hang from theirs
 *
 * Each message is a cone that widens by what the clocks may have drifted apart. The middle between
 * the two sides is the estimate, and half of what is between them is how wrong it can be. Messages
 * that contradict those before them begin a new span: a clock was set. All times are milliseconds.
 *
 * @import { Bounded } from "../core/channel/clocks.js"
 */

import { resolutionOf } from "../core/channel/clocks.js";
import { MAX_DRIFT, RESOLUTION } from "../core/protocol/numbers.js";

/** A message each way. All `At` are the evaluator's clock. */
export class Reading {
  /**
   * @param {number} mostAt
   * @param {number} most how far the client's clock is ahead at most, as of `mostAt`
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
   * A probe of the evaluator's, or an image and its ack; t1 and t2 on the client's clock.
   *
   * @param {number} t0
   * @param {number} t1
   * @param {number} t2
   * @param {number} t3
   */
  static byEvaluator(t0, t1, t2, t3) {
    const off = Math.max(resolutionOf(t0, t3), resolutionOf(t1, t2));
    return new Reading(t0, t1 - t0 + off, t3, t2 - t3 - off);
  }

  /** When all of it was known. */
  get end() {
    return Math.max(this.mostAt, this.leastAt);
  }

  /** Not so where a clock was set half-way: then a message arrived before it was sent. */
  get isPossible() {
    return this.least <= this.most;
  }
}

/** A time on the evaluator's clock; the true one lies within `bound` of it. */
export class Estimate {
  /** @param {number} at @param {number} bound */
  constructor(at, bound) {
    this.at = at;
    this.bound = bound;
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
    return new Estimate((earliest + latest) / 2, (latest - earliest) / 2);
  }
}

/** A stretch of time in which no clock was set. */
class Span {
  #readings;
  #most;
  #least;

  /** @param {Reading[]} readings at least one, in the order of their ends */
  constructor(readings) {
    this.#readings = readings;
    const ends = readings.map((reading) => reading.end);
    /** When its first and its last reading were complete; evaluator's clock. */
    this.begin = at(ends, 0);
    this.end = at(ends, ends.length - 1);
    this.#most = new Cones(readings.map(({ mostAt, most }) => [mostAt, most]));
    // The lower side is the upper one upside down.
    this.#least = new Cones(readings.map(({ leastAt, least }) => [leastAt, -least]));
  }

  /** The offset at this time of the evaluator's clock. @param {number} time @returns {Bounded} */
  at(time) {
    const most = this.mostAt(time);
    const least = this.leastAt(time);
    // They can cross by a little where a clock drifts more than it should.
    return { value: (most + least) / 2, bound: Math.max(Math.abs(most - least) / 2, RESOLUTION) };
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
    for (let round = 0; round < 3; round += 1) {
      offset = this.at(here);
      here = time - offset.value;
    }
    return new Estimate(here, offset.bound * (1 + MAX_DRIFT));
  }
}

/** The lowest of many equally steep cones, given by their tips. */
class Cones {
  #times;
  #lows;

  /** @param {[number, number][]} tips */
  constructor(tips) {
    const ordered = tips.sort(([one, low], [other, high]) => one - other || low - high);
    const times = (this.#times = ordered.map(([time]) => time));
    const lows = (this.#lows = ordered.map(([, low]) => low));
    const steps = times.slice(1).map((after, number) => MAX_DRIFT * (after - at(times, number)));
    steps.forEach((step, number) => {
      lows[number + 1] = Math.min(at(lows, number + 1), at(lows, number) + step);
    });
    for (let number = steps.length - 1; number >= 0; number -= 1) {
      lows[number] = Math.min(at(lows, number), at(lows, number + 1) + at(steps, number));
    }
  }

  /** @param {number} time */
  lowest(time) {
    const after = bisectRight(this.#times, time, (one) => one);
    let lowest = Infinity;
    for (let n = Math.max(after - 1, 0); n < Math.min(after + 1, this.#times.length); n += 1) {
      lowest = Math.min(lowest, at(this.#lows, n) + MAX_DRIFT * Math.abs(time - at(this.#times, n)));
    }
    return lowest;
  }
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
    const spans = divide(possible, [...breaks].sort((one, other) => one - other));
    /** In the order of time. */
    this.#spans = spans.map((group) => new Span(group));
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
 * What stands together, in the order of time.
 *
 * @param {Reading[]} readings
 * @param {number[]} breaks
 */
function divide(readings, breaks) {
  /** @type {Reading[][]} */
  const groups = [];
  let [most, least, before] = [0, 0, 0];
  /** @param {number} time */
  const breaksUntil = (time) => bisectRight(breaks, time, (one) => one);
  for (const reading of readings) {
    const now = reading.end;
    const isBroken = breaksUntil(before) !== breaksUntil(now);
    const step = MAX_DRIFT * (now - before);
    const hereMost = reading.most + MAX_DRIFT * (now - reading.mostAt);
    const hereLeast = reading.least - MAX_DRIFT * (now - reading.leastAt);
    [most, least, before] = [most + step, least - step, now];
    if (groups.length === 0 || isBroken || hereMost < least || hereLeast > most) {
      groups.push([]);
      [most, least] = [hereMost, hereLeast];
    }
    groups.at(-1)?.push(reading);
    [most, least] = [Math.min(most, hereMost), Math.max(least, hereLeast)];
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

/** @template T @param {readonly T[]} list @param {number} index of an item that is there @returns {T} */
function at(list, index) {
  return /** @type {T} */ (list[index]);
}
