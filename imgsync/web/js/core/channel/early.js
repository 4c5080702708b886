/**
 * What comes in on a channel before our own side of it is open.
 *
 * Who answers a channel may speak at once (RFC 8832, section 6), and its first words can be here
 * before our stack calls the channel open. They wait until we can answer, as many as an honest client
 * may say then: its `ready`, its last stages, and the answers that were not acknowledged.
 *
 * @typedef {{data: unknown, at: number}} Came what came in, and when on our clock
 */

import { MAX_EARLY, MAX_EARLY_TEXT } from "../protocol/numbers.js";

/** Of one channel; a new one keeps anew. */
export class Early {
  #isOpen = false;
  /** @type {Came[]} */
  #kept = [];
  /** Characters of what is kept. */
  #size = 0;

  /**
   * A message came in.
   *
   * @param {unknown} data of its event
   * @param {number} at
   * @returns {Came[]} what is to be read now: it, or nothing
   */
  come(data, at) {
    if (this.#isOpen) return [{ data, at }];
    if (typeof data !== "string" || this.#kept.length >= MAX_EARLY) return [];
    const size = this.#size + [...data].length;
    if (size > MAX_EARLY_TEXT) return [];
    this.#size = size;
    this.#kept.push({ data, at });
    return [];
  }

  /** Our side is open. @returns {Came[]} what is to be read now, in the order in which it came */
  opened() {
    this.#isOpen = true;
    return this.#kept.splice(0);
  }
}
