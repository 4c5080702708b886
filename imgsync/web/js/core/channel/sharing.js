/**
 * Which pictures go over the connection itself, and which by their URLs; and who is sent texts.
 *
 * A picture whose bytes the evaluator has goes over the connection to a client that is known to speak
 * `pictures`, and by its URL to any other. Such a picture may have no URL; then it can't be sent to any
 * other, and while that is not known, it waits for the client's `ready`. Who registers need not name
 * all that its program speaks once it is in a session.
 *
 * A showing that has gone out with its URL keeps it, and one that went out without gets it where it is
 * repeated to a client that needs it: a repeat is right for whoever hears it.
 *
 * A text that is shown in place of a picture goes to a client that is known to speak `text`, and to no
 * other; it waits for the client's `ready` in the same way. It is not announced, as it is not fetched.
 *
 * @import { ImageSource } from "../protocol/wire.js"
 */

import { FEATURE_PICTURES, FEATURE_TEXT } from "../protocol/numbers.js";

/** Whether it is a text in place of a picture. @param {ImageSource} source */
export function isText({ trial }) {
  return trial?.text !== undefined;
}

/** @param {ImageSource} source @returns {string | null} what a client has to speak to be sent it; null where any is */
export function needOf(source) {
  if (isText(source)) return FEATURE_TEXT;
  return source.signedUrl === null ? FEATURE_PICTURES : null;
}

/** What the client on the open channel takes, as far as it is known. */
export class Sharing {
  #isOpen = false;
  /** @type {readonly string[]} */
  #speaks = [];
  /** Whether it has said so itself. */
  #isSaid = false;
  #hasBegun = false;

  /** A channel is open. @param {readonly string[]} features what the client speaks, as far as the relay knows */
  opened(features) {
    this.#isOpen = true;
    this.#speaks = features;
    this.#isSaid = this.#hasBegun = false;
  }

  /**
   * The client says what it speaks.
   *
   * @param {readonly string[]} features
   * @returns {boolean} whether it takes pictures in another way
   */
  greeted(features) {
    const before = this.#speaks;
    this.#speaks = features;
    this.#isSaid = true;
    return before.includes(FEATURE_PICTURES) !== features.includes(FEATURE_PICTURES);
  }

  /** There is no open channel any more. */
  closed() {
    this.#isOpen = this.#isSaid = this.#hasBegun = false;
    this.#speaks = [];
  }

  /** Whether it is known to take this. @param {ImageSource} source */
  #takes(source) {
    const need = needOf(source);
    return need === null || this.#speaks.includes(need);
  }

  /** Whether it is not known yet if the client can be sent this. @param {ImageSource} source */
  isUndecided(source) {
    return !this.#isOpen || !(this.#isSaid || this.#takes(source));
  }

  /**
   * @param {ImageSource} source
   * @param {boolean} [keepsUrl] it has gone out with its URL before
   * @returns {string | null | undefined} what it goes out with, as far as is known; undefined where it can't
   */
  urlOf(source, keepsUrl = false) {
    const { signedUrl, own } = source;
    if (this.isUndecided(source)) return signedUrl;
    if (!this.#takes(source)) return undefined;
    return own && this.#speaks.includes(FEATURE_PICTURES) && !keepsUrl ? null : signedUrl;
  }

  /** Something goes out without a URL. @returns {{kind: "share"}[]} */
  begin() {
    if (this.#hasBegun) return [];
    this.#hasBegun = true;
    return [{ kind: "share" }];
  }
}
