/**
 * The offset between two clocks, with a bound that the true one lies inside.
 *
 *     ours    t0 ────┐                 ┌──▶ t3
 *     theirs         └──▶ t1 ─── t2 ───┘
 *
 * Their clock is at most t1 - t0 ahead of ours, and at least t2 - t3: the middle is the best guess,
 * and half the round trip is how wrong it can be. Of the last probes the one decides whose bound is
 * narrowest by now, as each is widened with its age by what clocks drift apart. A probe that
 * contradicts the others means that a clock was set; those before it say nothing any more.
 *
 * @typedef {{t0: number, t1: number, t2: number, t3: number}} Probe milliseconds
 * @typedef {{value: number, bound: number}} Offset how far their clock is ahead of ours
 * @typedef {{kind: "stepped", by: number} | {kind: "refused"}} Remark a clock was set, and about how
 *   far; or the probe can't be true
 */

/** Of one clock against another: crystals are sold to within 100 ppm each. */
const MAX_DRIFT = 200e-6;
/** Milliseconds: what a clock is off by that tells fractions of them, and one that does not. */
const RESOLUTION = 0.1;
const COARSE = 1;
/** Probes that are kept: two minutes of pings. */
const WINDOW = 64;

export class ClockOffset {
  /** @type {Probe[]} */
  #probes = [];

  /** One more probe, in the order of t3. @param {Probe} probe @returns {Remark | null} */
  take(probe) {
    if (roundTripOf(probe) < -2 * resolutionOf(probe) || probe.t2 < probe.t1) return { kind: "refused" };
    const known = this.at(probe.t3);
    this.#probes = [...this.#probes, probe].slice(-WINDOW);
    if (known === null) return null;
    const by = offsetOf(probe) - known.value;
    if (Math.abs(by) <= known.bound + boundAt(probe, probe.t3)) return null;
    this.#probes = [probe];
    return { kind: "stepped", by };
  }

  /** @param {number} now at this time of ours @returns {Offset | null} null before the first probe */
  at(now) {
    /** @type {Offset | null} */
    let best = null;
    for (const probe of this.#probes) {
      const bound = boundAt(probe, now);
      if (best === null || bound < best.bound) best = { value: offsetOf(probe), bound };
    }
    return best;
  }
}

/** Both ways together. @param {Probe} probe */
export function roundTripOf({ t0, t1, t2, t3 }) {
  return t3 - t0 - (t2 - t1);
}

/** If both ways take as long. @param {Probe} probe */
function offsetOf({ t0, t1, t2, t3 }) {
  return (t1 - t0 + (t2 - t3)) / 2;
}

/** @param {Probe} probe @param {number} now */
function boundAt(probe, now) {
  const age = Math.max(Math.abs(now - probe.t0), Math.abs(now - probe.t3));
  return roundTripOf(probe) / 2 + resolutionOf(probe) + MAX_DRIFT * age;
}

/** Of the coarser of the two clocks. @param {Probe} probe */
function resolutionOf({ t0, t1, t2, t3 }) {
  const isFine = (t0 % 1 !== 0 || t3 % 1 !== 0) && (t1 % 1 !== 0 || t2 % 1 !== 0);
  return isFine ? RESOLUTION : COARSE;
}
