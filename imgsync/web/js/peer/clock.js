/** The wire's clock: milliseconds since the Unix epoch, with fractions, on this machine. */

/** Whole, so that a clock that tells whole milliseconds only can be told by them. */
const origin = Math.round(performance.timeOrigin);

/** @returns {number} now */
export function now() {
  return origin + performance.now();
}

/**
 * @param {DOMHighResTimeStamp} timestamp what requestAnimationFrame gives
 * @returns {number} the time of that frame
 */
export function frameTime(timestamp) {
  return origin + timestamp;
}

/** @returns {number} seconds on a clock that only goes forward */
export function seconds() {
  return performance.now() / 1000;
}
