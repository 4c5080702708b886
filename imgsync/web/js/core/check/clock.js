/**
 * How far a clock is from one that is known in whole seconds, as from HTTP's `Date`.
 *
 * A server whose clock tells d has stamped that at some time between our sending and our receiving, while
 * its clock stood between d and d + 1. See commands/doctor/clock.py, which has the same rule.
 *
 * @typedef {{sentAt: number, told: number, receivedAt: number}} Asked one answer, in seconds since the epoch:
 *   two times of our clock, and between them what the other one told
 * @typedef {{low: number, high: number}} Interval where its offset from ours lies; above 0, it is ahead
 */

import { MAX_CLOCK_OFFSET } from "../protocol/numbers.js";

/**
 * What all answers together say.
 *
 * @param {readonly Asked[]} answers
 * @returns {Interval | null} null where they contradict each other, or there are none
 */
export function clockOffset(answers) {
  const low = Math.max(...answers.map(({ told, receivedAt }) => told - receivedAt));
  const high = Math.min(...answers.map(({ told, sentAt }) => told + 1 - sentAt));
  return answers.length > 0 && low <= high ? { low, high } : null;
}

/** Whether it is off by more than a clock may be, however wrong that is. @param {Interval} offset */
export function isOff({ low, high }) {
  return Math.max(low, -high, 0) > MAX_CLOCK_OFFSET;
}

/** The best guess. @param {Interval} offset @returns {number} seconds */
export function middleOf({ low, high }) {
  return (low + high) / 2;
}
