/**
 * The offset between two clocks, with a bound that the true one lies inside.
 *
 *     ours    t0 ────┐                 ┌──▶ t3
 *     theirs         └──▶ t1 ─── t2 ───┘
 *
 * No message arrives before it was sent. So their clock is at most t1 - t0 ahead of ours, and at
 * least t2 - t3: the middle is the best guess, and half the round trip is how wrong it can be. Of the
 * last probes the one decides whose bound is narrowest by now, as each is widened with its age by what
 * clocks drift apart.
 *
 * What slews a clock contradicts no probe, and every bound holds; it is told as a step once it has added
 * up: when the clock has moved further than it would have, as it ran before.
 *
 * A probe that contradicts the others means that a clock was set; those before it say nothing any
 * more. Nor do they on a new connection, once it has a probe of its own: behind it there may be
 * another page, with another clock. A ping and its pong are a probe, and so are an image and its ack.
 * Times are in milliseconds.
 *
 * @typedef {{t0: number, t1: number, t2: number, t3: number}} Probe t0 and t3 are of our clock
 * @typedef {{value: number, bound: number}} Bounded the true value lies within `bound` of it
 * @typedef {{kind: "stepped", by: number} | {kind: "refused"}} Remark a clock was set, and about how
 *   far; or the probe can't be true
 */

import {
  COARSE,
  MAX_DRIFT,
  PROBE_WINDOW,
  RESOLUTION,
  SLEW,
  SLEW_SPAN,
  STEADY_DRIFT,
} from "../protocol/numbers.js";

/** How their clock runs against ours, by what was known of the offset from time to time. */
class Pace {
  /** Their gain in all of our time. */
  #rate = 0;
  /** How wrong that can be: in the first stretch, anything. */
  #spread = MAX_DRIFT;
  /** When the stretch began. */
  #since = 0;
  /** What the offset was then. @type {Bounded | null} */
  #begin = null;

  /** What comes now is no sequel to what was known. */
  beginAnew() {
    this.#begin = null;
  }

  /**
   * Whether the offset can't have come about as it did before.
   *
   * @param {number} now
   * @param {Bounded} offset
   * @returns {Remark | null}
   */
  look(now, offset) {
    const begin = this.#begin;
    const elapsed = now - this.#since;
    if (begin === null) {
      [this.#since, this.#begin] = [now, offset];
      return null;
    }
    const moved = offset.value - begin.value;
    const unsure = begin.bound + offset.bound;
    const by = moved - this.#rate * elapsed;
    const isSlewed = Math.abs(by) > unsure + SLEW + this.#spread * elapsed;
    if (!isSlewed && elapsed < SLEW_SPAN) return null;
    const spread = unsure / elapsed + STEADY_DRIFT;
    if (spread < MAX_DRIFT) {
      // Slowly: of a slew that has only begun, most is still to be noticed, and it passes.
      const share = this.#spread === MAX_DRIFT ? 1 : isSlewed ? 0.125 : 0.25;
      this.#rate += share * (moved / elapsed - this.#rate);
      this.#spread += share * (spread - this.#spread);
    }
    [this.#since, this.#begin] = [now, offset];
    return isSlewed ? { kind: "stepped", by } : null;
  }
}

export class ClockOffset {
  /** @type {Probe[]} */
  #probes = [];
  /** Of connections before this one. @type {Probe[]} */
  #earlier = [];
  #pace = new Pace();

  /** What comes from now on may be of another page than what came before. */
  reconnected() {
    this.#earlier = [...this.#earlier, ...this.#probes].slice(-PROBE_WINDOW);
    this.#probes = [];
    this.#pace.beginAnew();
  }

  /** One more probe, in the order of t3. @param {Probe} probe @returns {Remark | null} */
  add(probe) {
    if (roundTripOf(probe) < -2 * resolution(probe) || probe.t2 < probe.t1) return { kind: "refused" };
    const known = bestOf([...this.#earlier, ...this.#probes], probe.t3);
    this.#probes = [...this.#probes, probe].slice(-PROBE_WINDOW);
    const by = known === null ? 0 : offsetOf(probe) - known.value;
    if (known !== null && Math.abs(by) > known.bound + boundAt(probe, probe.t3)) {
      this.#earlier = [];
      this.#probes = [probe];
      this.#pace.beginAnew();
      return { kind: "stepped", by };
    }
    const here = this.at(probe.t3);
    return here === null ? null : this.#pace.look(probe.t3, here);
  }

  /**
   * How far their clock is ahead of ours.
   *
   * @param {number} now at this time of ours, before or after the probes
   * @returns {Bounded | null} null before the first probe
   */
  at(now) {
    return bestOf(this.#probes.length > 0 ? this.#probes : this.#earlier, now);
  }

  /** A time of theirs on our clock. @param {number} theirs @returns {Bounded | null} */
  toOurs(theirs) {
    const rough = this.at(theirs);
    if (rough === null) return null;
    // The offset was looked up for a time of theirs; what matters is when that was here.
    const offset = /** @type {Bounded} */ (this.at(theirs - rough.value));
    return { value: theirs - offset.value, bound: offset.bound };
  }

  /** How long after a time of ours a time of theirs was. @param {number} ours @param {number} theirs */
  since(ours, theirs) {
    const here = this.toOurs(theirs);
    return here === null ? null : { value: here.value - ours, bound: here.bound };
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

/** @param {readonly Probe[]} probes @param {number} now @returns {Bounded | null} */
function bestOf(probes, now) {
  /** @type {Bounded | null} */
  let best = null;
  for (const probe of probes) {
    const bound = boundAt(probe, now);
    if (best === null || bound < best.bound) best = { value: offsetOf(probe), bound };
  }
  return best;
}

/** If both ways take as long. @param {Probe} probe */
function offsetOf({ t0, t1, t2, t3 }) {
  return (t1 - t0 + (t2 - t3)) / 2;
}

/** @param {Probe} probe @param {number} now */
function boundAt(probe, now) {
  // It was true at some time in between; the other end is the one that is further away.
  const age = Math.max(now - probe.t0, probe.t3 - now);
  return roundTripOf(probe) / 2 + resolution(probe) + MAX_DRIFT * age;
}

/** How coarse a clock is, by times that it has told. @param {...number} times */
export function resolutionOf(...times) {
  return times.some((time) => time % 1 !== 0) ? RESOLUTION : COARSE;
}

/** That of the coarser of the two clocks. @param {Probe} probe */
function resolution({ t0, t1, t2, t3 }) {
  return Math.max(resolutionOf(t0, t3), resolutionOf(t1, t2));
}
