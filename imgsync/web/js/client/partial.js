/**
 * What is here of an image that is being fetched, checked as it comes.
 *
 * @import { Answer, Mark } from "./fetching.js"
 */

import { Inspection } from "../core/pictures/inspection.js";
import { MAX_IMAGE, NOT_AN_IMAGE } from "../core/protocol/numbers.js";
import { ImageFailed } from "./fetching.js";
import { Picture } from "./picture.js";
import { wrapPicture } from "./wrapping.js";

export class Partial {
  size = 0;
  /** Of the answer that has brought it. @type {Mark | null} */
  mark = null;
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #parts = [];
  #inspection = new Inspection();
  #isMissed = false;

  /** A host answers. @param {Answer} answer */
  begin({ offset, mark }) {
    this.mark = mark;
    this.#isMissed = false;
    if (offset > 0) return;
    this.size = 0;
    this.#parts = [];
    this.#inspection = new Inspection();
  }

  /**
   * A try could not begin. A host that does not even answer may be one that does not let pages ask
   * for parts, so that after a second time it is asked for all of it.
   *
   * @param {unknown} error
   */
  missed(error) {
    if (error instanceof ImageFailed && error.keeps) {
      error.keeps = !this.#isMissed;
      this.#isMissed = true;
    }
    return error;
  }

  /** @param {Uint8Array} part @returns {string | null} why it will be no image */
  add(part) {
    this.size += part.length;
    this.#parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (part));
    return this.size > MAX_IMAGE ? "too_large" : this.#inspection.feed(part);
  }

  /** All has come. @returns {Promise<Picture>} @throws {ImageFailed} */
  async finish() {
    const { kind, reason } = this.#inspection.end();
    if (kind === null || reason !== null) throw new ImageFailed(reason ?? NOT_AN_IMAGE, false);
    return new Picture(await wrapPicture(this.#parts, kind), this.#inspection.facts);
  }
}
