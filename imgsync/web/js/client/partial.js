/**
 * What is here of an image that is being fetched, checked as it comes.
 *
 * Its parts are given to the browser every now and then, in whose hands they are no more memory of the
 * page, and need not be copied into one.
 *
 * @import { Answer, Mark } from "./fetching.js"
 */

import { Inspection } from "../core/pictures/inspection.js";
import { BAD_HASH, MAX_IMAGE, NOT_AN_IMAGE } from "../core/protocol/numbers.js";
import { ImageFailed } from "./fetching.js";
import { Picture } from "./picture.js";
import { wrapPicture } from "../page/wrapping.js";

/** Bytes of parts of which one is made. */
const STEP = 1024 * 1024;

export class Partial {
  size = 0;
  /** Of the answer that has brought it. @type {Mark | null} */
  mark = null;
  /** @type {Blob[]} */
  #blobs = [];
  /** What has come behind them. @type {Uint8Array<ArrayBuffer>[]} */
  #parts = [];
  #inspection = new Inspection();
  #isMissed = false;

  /** A host answers. @param {Answer} answer */
  begin({ offset, mark }) {
    this.mark = mark;
    this.#isMissed = false;
    if (offset > 0) return;
    this.size = 0;
    this.#blobs = [];
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
    if (Math.floor(this.size / STEP) > Math.floor((this.size - part.length) / STEP)) this.#pass();
    return this.size > MAX_IMAGE ? "too_large" : this.#inspection.feed(part);
  }

  /** All has come. @returns {Promise<Picture>} @throws {ImageFailed} */
  async finish() {
    const { kind, reason } = this.#inspection.end();
    if (kind === null || reason !== null) throw new ImageFailed(reason ?? NOT_AN_IMAGE, false);
    if (![null, this.#inspection.facts.sha256].includes(this.mark?.sha256 ?? null)) {
      throw new ImageFailed(BAD_HASH, true, "other bytes have come than the evaluator has said");
    }
    const blob = await wrapPicture([...this.#blobs, ...this.#parts], kind.mediaType);
    return new Picture(blob, this.#inspection.facts);
  }

  /** To the browser. */
  #pass() {
    this.#blobs.push(new Blob(this.#parts));
    this.#parts = [];
  }
}
