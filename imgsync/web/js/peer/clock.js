/**
 * The wire's clock, in milliseconds since the Unix epoch, with fractions, on this machine; and one
 * that only goes forward, for deadlines.
 */

/** Whole, so that a clock that tells whole milliseconds only can be told by them. */
const origin = Math.round(performance.timeOrigin);

/** @returns {number} now */
export function now() {
  return origin + performance.now();
}

/**
 * @returns {number} how far the wall clock is ahead of `now`: it may be set, and on most systems ours
 *   stands still while the machine sleeps
 */
export function skew() {
  return Date.now() - now();
}

/** @param {DOMHighResTimeStamp} timestamp of a frame, or of what was painted @returns {number} */
export function momentOf(timestamp) {
  return origin + timestamp;
}

/** @returns {number} seconds on a clock that only goes forward */
export function seconds() {
  return performance.now() / 1000;
}

/**
 * What `AbortSignal.timeout` gives, which Safari has from 16 on, and Chrome from 103.
 *
 * @param {number} ms
 * @returns {AbortSignal} aborted then
 */
export function timeout(ms) {
  const control = new AbortController();
  setTimeout(() => control.abort(new DOMException("it took too long", "TimeoutError")), ms);
  return control.signal;
}

/** Rings once at a time of `seconds()`, which may be changed as often as need be. */
export class Timer {
  #ring;
  #due = Infinity;
  /** @type {number | undefined} */
  #id;

  /** @param {() => void} ring may come a little early, as browsers round */
  constructor(ring) {
    this.#ring = ring;
  }

  /** @param {number} due instead of what was set before; Infinity for never */
  set(due) {
    if (due === this.#due) return;
    clearTimeout(this.#id);
    this.#due = due;
    if (due === Infinity) return;
    const wake = () => {
      this.#due = Infinity;
      this.#ring();
    };
    this.#id = setTimeout(wake, Math.max(0, (due - seconds()) * 1000));
  }
}
