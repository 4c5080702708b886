/**
 * The image that was to be shown last, as it goes out.
 *
 * @import { Image, ImageSource } from "../protocol/wire.js"
 * @import { Heard } from "./responses.js"
 * @import { Sharing } from "./sharing.js"
 */

import { newestUrl } from "../protocol/naming.js";
import { encodeMessage } from "../protocol/wire.js";
import { newShowing } from "./showings.js";

/**
 * @template T
 * @param {() => T} say
 * @returns {T | null} null for a message that is too large
 */
export function orTooLarge(say) {
  try {
    return say();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null;
  }
}

export class Current {
  /** It has gone out with its URL. */
  keepsUrl = false;

  /**
   * @param {Image} image as it goes out
   * @param {ImageSource} source
   * @param {readonly Heard[]} [responses] the answers to it that were heard
   */
  constructor(image, source, responses) {
    this.image = image;
    this.source = source;
    this.showing = newShowing(image, responses);
  }

  /**
   * Go out as the client on the open channel needs it.
   *
   * @param {Sharing} sharing @param {number} limit bytes of a message
   * @returns {boolean} whether it can
   * @throws {RangeError} for one that is too large
   */
  address(sharing, limit) {
    const signedUrl = sharing.urlOf(this.source, this.keepsUrl);
    if (signedUrl === undefined) return false;
    const image = { ...this.image, signedUrl };
    encodeMessage(image, limit);
    this.image = image;
    return true;
  }

  /** Have the newest URL; one that fits into no message of this size is left alone. @param {readonly ImageSource[]} images @param {number} limit bytes */
  renew(images, limit) {
    const signedUrl = newestUrl(this.source, images);
    const image = { ...this.image, signedUrl };
    if (orTooLarge(() => encodeMessage(image, limit)) === null) return;
    this.source = { ...this.source, signedUrl };
    if (this.image.signedUrl !== null) this.image = image;
  }
}
