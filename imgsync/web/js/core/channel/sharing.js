/**
 * Which pictures go over the connection itself, and which by their URLs.
 *
 * A picture whose bytes the evaluator has goes over the connection to a client that is known to speak
 * `pictures`, and by its URL to any other. Such a picture may have no URL; then it can't be sent to any
 * other, and while that is not known, it waits for the client's `ready`. Who registers need not name
 * all that its program speaks once it is in a session.
 *
 * A showing that has gone out with its URL keeps it, and one that went out without gets it where it is
 * repeated to a client that needs it: a repeat is right for whoever hears it.
 *
 * @import { ImageSource } from "../protocol/wire.js"
 */

import { FEATURE_PICTURES } from "../protocol/numbers.js";

/** What the client on the open channel takes, as far as it is known. */
export class Sharing {
  #isOpen = false;
  #speaks = false;
  /** Whether it has said so itself. */
  #isSaid = false;
  #hasBegun = false;

  /** A channel is open. @param {readonly string[]} features what the client speaks, as far as the relay knows */
  opened(features) {
    this.#isOpen = true;
    this.#speaks = features.includes(FEATURE_PICTURES);
    this.#isSaid = this.#hasBegun = false;
  }

  /** The client says what it speaks. @param {readonly string[]} features @returns {boolean} whether that is news */
  greeted(features) {
    const before = this.#speaks;
    this.#speaks = features.includes(FEATURE_PICTURES);
    this.#isSaid = true;
    return before !== this.#speaks;
  }

  /** There is no open channel any more. */
  closed() {
    this.#isOpen = this.#speaks = this.#isSaid = this.#hasBegun = false;
  }

  /** Whether it is not known yet if the client can be sent this. @param {ImageSource} source */
  isUndecided({ signedUrl }) {
    return !this.#isOpen || (signedUrl === null && !this.#speaks && !this.#isSaid);
  }

  /**
   * @param {ImageSource} source
   * @param {boolean} [keepsUrl] it has gone out with its URL before
   * @returns {string | null | undefined} what it goes out with, as far as is known; undefined where it can't
   */
  urlOf(source, keepsUrl = false) {
    const { signedUrl, own } = source;
    if (this.isUndecided(source)) return signedUrl;
    if ((own || signedUrl === null) && this.#speaks && !keepsUrl) return null;
    return signedUrl ?? undefined;
  }

  /** Something goes out without a URL. @returns {{kind: "share"}[]} */
  begin() {
    if (this.#hasBegun) return [];
    this.#hasBegun = true;
    return [{ kind: "share" }];
  }
}
