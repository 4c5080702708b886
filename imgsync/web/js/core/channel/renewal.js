/** When a manifest is to be read again: its URLs may have expired, and been signed anew since. */

import { EXPIRY_REASONS, RENEWAL_PAUSE } from "../protocol/numbers.js";

/** Of one series in one session. */
export class Renewal {
  #readAt = -Infinity;

  /**
   * A client could not fetch an image: whether to read the manifest again, which is done then. What is
   * refused although it was read again just now is refused for something else.
   *
   * @param {string} reason
   * @param {number} now milliseconds since the epoch
   * @returns {boolean}
   */
  failed(reason, now) {
    const isRefused = /** @type {readonly string[]} */ (EXPIRY_REASONS).includes(reason);
    if (!isRefused || now - this.#readAt < RENEWAL_PAUSE * 1000) return false;
    this.#readAt = now;
    return true;
  }
}
