/** What a run waits for, and how it fails: for both roles. */

export const DEADLINE_MS = 30_000;

/** The one place where a run can fail: its deadline passes, or a part of it gives up. */
export class Watch {
  /** What the contract was hurt by without stopping the run. @type {string[]} */
  complaints = [];
  #failure;
  #timer;

  /** @param {string} role @param {number} deadlineMs */
  constructor(role, deadlineMs) {
    this.role = role;
    this.missing = "";
    this.#failure = deferred();
    // A failure between two waits is met by the next one, so it is never unhandled.
    this.#failure.promise.catch(() => {});
    this.#timer = setTimeout(
      () => this.fail(`gave up after ${deadlineMs} ms, still missing: ${this.missing}`),
      deadlineMs,
    );
  }

  /**
   * Wait for one step, unless the run fails before.
   *
   * @template T
   * @param {string} missing what to name should the deadline pass here
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  until(missing, promise) {
    this.missing = missing;
    return Promise.race([promise, this.#failure.promise]);
  }

  /** @param {string} reason */
  fail(reason) {
    const heard = this.complaints.length ? ` (before that: ${this.complaints.join("; ")})` : "";
    this.#failure.reject(new Error(`${this.role}: ${reason}${heard}`));
  }

  /** @param {string} text */
  complain(text) {
    this.complaints.push(text);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** A promise and the means to settle it from outside. */
export function deferred() {
  /** @type {(value: any) => void} */
  let resolve = () => {};
  /** @type {(reason: Error) => void} */
  let reject = () => {};
  /** @type {Promise<any>} */
  const promise = new Promise((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
