/** The wire's clock: milliseconds since the Unix epoch, with fractions, on this machine. */

/** @returns {number} now */
export function now() {
  return performance.timeOrigin + performance.now();
}

/**
 * @param {DOMHighResTimeStamp} timestamp what requestAnimationFrame gives
 * @returns {number} the time of that frame
 */
export function frameTime(timestamp) {
  return performance.timeOrigin + timestamp;
}

/** @returns {number} seconds on a clock that only goes forward */
export function seconds() {
  return performance.now() / 1000;
}
