/**
 * The offset between two clocks, with a bound that the true one lies inside.
 *
 *     ours    t0 ────┐                 ┌──▶ t3
 *     theirs         └──▶ t1 ─── t2 ───┘
 *
 * What these say is in `drift.js`. A probe that contradicts the others means that a clock was set, or has
 * begun to run off faster than was seen; those before it say nothing any more. Nor do they on a new
 * connection, once it has a probe of its own: behind it there may be another page, with another clock.
 *
 * What slews a clock slowly contradicts no probe, and every bound holds; it is told as a step once it has
 * added up: when the clock has moved further than it would have, as it ran before. A ping and its pong are
 * a probe, and so are an image and its ack. Times are in milliseconds.
 *
 * @import { Bounded } from "./drift.js"
 *
 * @typedef {{since: number, begin: Bounded}} Stretch from a moment until now
 * @typedef {{t0: number, t1: number, t2: number, t3: number}} Probe t0 and t3 are of our clock
 * @typedef {{kind: "stepped", by: number} | {kind: "refused"}} Remark a clock was set, and about how
 *   far; or the probe can't be true
 */

import { COARSE, MAX_DRIFT, RESOLUTION, SLEW, SLEW_SPAN, STEADY_DRIFT } from "../protocol/numbers.js";
import { Reading, Readings, contradicts, fastestOf } from "./drift.js";

/** How their clock runs against ours, by what was known of the offset from time to time. */
class Pace {
  /** Their gain in all of our time. */
  #rate = 0;
  /** How wrong that can be: at first, anything. */
  #spread = MAX_DRIFT;
  /** In which its pace is being learned. @type {Stretch | null} */
  #learning = null;
  /** Since the last step, or what was learned last. @type {Stretch | null} */
  #telling = null;

  /** What comes now is no sequel to what was known. */
  beginAnew() {
    this.#learning = this.#telling = null;
  }

  /**
   * Whether the offset can't have come about as it did before.
   *
   * @param {number} now
   * @param {Bounded} offset
   * @returns {Remark | null}
   */
  look(now, offset) {
    const here = { since: now, begin: offset };
    if (this.#learning === null || this.#telling === null) {
      this.#learning = this.#telling = here;
      return null;
    }
    const { elapsed, gained, unsure } = passed(this.#telling, here);
    const by = gained - this.#rate * elapsed;
    const isSlewed = Math.abs(by) > unsure + SLEW + this.#spread * elapsed;
    if (this.#learn(this.#learning, here) || isSlewed) this.#telling = here;
    return isSlewed ? { kind: "stepped", by } : null;
  }

  /** Whether a stretch is over. @param {Stretch} learning @param {Stretch} here */
  #learn(learning, here) {
    const { elapsed, gained, unsure } = passed(learning, here);
    const isFirst = this.#spread === MAX_DRIFT;
    const isClear = unsure <= STEADY_DRIFT * elapsed;
    if (elapsed < SLEW_SPAN && !(isFirst && isClear)) return false;
    const spread = unsure / elapsed + STEADY_DRIFT;
    if (spread < MAX_DRIFT) {
      // Slowly: a slew passes.
      const share = isFirst ? 1 : 0.25;
      this.#rate += share * (gained / elapsed - this.#rate);
      this.#spread += share * (spread - this.#spread);
    }
    this.#learning = here;
    return true;
  }
}

/**
 * How long it took, how far their clock has gained meanwhile, and how wrong that can be.
 *
 * @param {Stretch} stretch
 * @param {Stretch} here
 */
function passed({ since, begin }, here) {
  const gained = here.begin.value - begin.value;
  return { elapsed: here.since - since, gained, unsure: begin.bound + here.begin.bound };
}

export class ClockOffset {
  #readings = new Readings();
  /** Of the connection before this one. */
  #earlier = new Readings();
  #pace = new Pace();

  /** What comes from now on may be of another page than what came before. */
  reconnected() {
    if (this.#readings.end !== null) {
      this.#earlier = this.#readings;
      this.#readings = new Readings();
    }
    this.#pace.beginAnew();
  }

  /** One more probe, in the order of t3. @param {Probe} probe @returns {Remark | null} */
  add(probe) {
    const reading = Reading.byUs(probe.t0, probe.t1, probe.t2, probe.t3);
    if (!reading.isPossible || probe.t2 < probe.t1) return { kind: "refused" };
    if (!this.#readings.isNews(reading)) return null;
    const proof = this.#readings.prove(reading);
    for (const { known, found } of [
      { known: this.#readings, found: proof },
      { known: this.#earlier, found: this.#earlier.prove(reading) },
    ]) {
      if (!contradicts(found, known.rates)) continue;
      const before = /** @type {Bounded} */ (known.at(probe.t3)); // none before the first contradicts nothing
      this.#earlier = new Readings();
      this.#readings = new Readings();
      this.#readings.add(reading, this.#readings.prove(reading));
      this.#pace.beginAnew();
      return { kind: "stepped", by: offsetOf(probe) - before.value };
    }
    this.#readings.add(reading, proof);
    return this.#pace.look(probe.t3, /** @type {Bounded} */ (this.#readings.at(probe.t3)));
  }

  /**
   * How far their clock is ahead of ours.
   *
   * @param {number} now at this time of ours, before or after the probes
   * @returns {Bounded | null} null before the first probe
   */
  at(now) {
    return this.#known.at(now);
  }

  /** A time of theirs on our clock. @param {number} theirs @returns {Bounded | null} */
  toOurs(theirs) {
    const known = this.#known;
    let here = known.end;
    if (here === null) return null;
    let bound = NaN;
    // The offset to use is that of the moment which is looked for: each round comes closer to it.
    for (let round = 0; round < 3; round += 1) {
      const offset = /** @type {Bounded} */ (known.at(here));
      [here, bound] = [theirs - offset.value, offset.bound];
    }
    return { value: here, bound: bound * (1 + fastestOf(known.rates)) };
  }

  /** How long after a time of ours a time of theirs was. @param {number} ours @param {number} theirs */
  since(ours, theirs) {
    const here = this.toOurs(theirs);
    return here === null ? null : { value: here.value - ours, bound: here.bound };
  }

  get #known() {
    return this.#readings.end === null ? this.#earlier : this.#readings;
  }
}

/** Of one session; they outlive connections, as the two peers' clocks do. */
export class Measurements {
  #clock = new ClockOffset();

  /** A channel is open; on its other side may be another page, with another clock. */
  connected() {
    this.#clock.reconnected();
  }

  /** A ping of ours was answered. @param {Probe} probe @returns {Remark | null} */
  ponged(probe) {
    return this.#clock.add(probe);
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
    const remark = this.#clock.add({ t0: sentAt, t1: receivedAt, t2: receivedAt, t3: at });
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

/**
 * The same, once it is known besides that the true value lies between these two.
 *
 * @param {Bounded} bounded
 * @param {number} low
 * @param {number} high
 * @returns {Bounded}
 */
export function within({ value, bound }, low, high) {
  const least = Math.max(value - bound, low);
  const most = Math.min(value + bound, high);
  return { value: (least + most) / 2, bound: Math.max((most - least) / 2, RESOLUTION) };
}

/** Both ways together. @param {Probe} probe */
export function roundTripOf({ t0, t1, t2, t3 }) {
  return t3 - t0 - (t2 - t1);
}

/** If both ways take as long. @param {Probe} probe */
function offsetOf({ t0, t1, t2, t3 }) {
  return (t1 - t0 + (t2 - t3)) / 2;
}
