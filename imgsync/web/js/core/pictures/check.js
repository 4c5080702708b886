/**
 * What comes in as a picture: which kind it is, and whether it is all there and sound. The rules of
 * `core/pictures/check.py`.
 *
 *     const check = new PictureCheck();
 *     for await (const part of parts) {
 *       if (check.feed(part) !== null) ...  // it will be none, whatever comes; its reason
 *     }
 *     const { kind, reason } = check.end(); // the reason why it can't be shown, or null
 *
 * @import { Format } from "./reading.js"
 * @import { Kind } from "./kinds.js"
 *
 * @typedef {{kind: Kind | null, reason: string | null}} Verdict
 *   kind: what it begins like; null for what is no picture that browsers show
 */

import { DECODE, NOT_AN_IMAGE, OF_TYPE, PICTURE_HEAD, TRUNCATED } from "../protocol/numbers.js";
import { readAvif } from "./avif.js";
import { readBmp, readGif, readJpeg, readPng, readWebp } from "./bitmaps.js";
import { UTF_16, UTF_8_MARK, mediaTypeOf, sniff } from "./kinds.js";
import { NoPicture, Reader, textOf } from "./reading.js";
import { Narrow, readSvg } from "./svg.js";

/** @type {Record<string, () => Format>} */
const FORMATS = {
  png: readPng,
  jpg: readJpeg,
  gif: readGif,
  webp: readWebp,
  avif: readAvif,
  bmp: readBmp,
  svg: readSvg,
};

/** Of one picture, while its bytes come in. It keeps none of them but the first few. */
export class PictureCheck {
  /** @type {Kind | null} */
  #kind = null;
  /** @type {string | null} */
  #reason = null;
  #head = new Uint8Array(0);
  /** @type {Reader | null} */
  #reader = null;
  /** @type {Narrow | null} */
  #narrow = null;

  /** @param {Uint8Array} data the next bytes @returns {string | null} as soon as it is known */
  feed(data) {
    if (this.#reader !== null) {
      this.#read(this.#reader, data);
    } else if (this.#reason === null) {
      const head = new Uint8Array(this.#head.length + data.length);
      head.set(this.#head);
      head.set(data, this.#head.length);
      this.#head = head;
      if (head.length >= PICTURE_HEAD) this.#begin();
    }
    return this.#reason;
  }

  /** All has come. @returns {Verdict} */
  end() {
    if (this.#reader === null && this.#reason === null) this.#begin();
    if (this.#reason === null && this.#reader?.isWhole !== true) this.#reason = TRUNCATED;
    const isCertain = this.#kind?.name !== "svg" || this.#reader?.isFound === true;
    return { kind: isCertain ? this.#kind : null, reason: this.#reason };
  }

  /** In pixels, as it is shown; null where it is not known (yet). */
  get size() {
    return this.#reader?.size ?? null;
  }

  #begin() {
    let data = this.#head;
    this.#head = new Uint8Array(0);
    const head = textOf(data.subarray(0, PICTURE_HEAD));
    this.#kind = sniff(head);
    const read = FORMATS[this.#kind?.name ?? ""];
    if (read === undefined) {
      const mediaType = mediaTypeOf(head);
      this.#reason = mediaType === null ? NOT_AN_IMAGE : OF_TYPE + mediaType;
      return;
    }
    this.#reader = new Reader(read());
    if (read === readSvg) {
      const order = UTF_16.get(head.slice(0, 2));
      this.#narrow = order === undefined ? null : new Narrow(order);
      if (head.startsWith(UTF_8_MARK)) data = data.subarray(UTF_8_MARK.length);
      if (order !== undefined && !head.slice(0, 2).includes("<")) data = data.subarray(2);
    }
    this.#read(this.#reader, data);
  }

  /** @param {Reader} reader @param {Uint8Array} data */
  #read(reader, data) {
    reader.feed(this.#narrow === null ? data : this.#narrow.narrow(data));
    if (reader.failure instanceof NoPicture) {
      this.#kind = null;
      this.#reason = NOT_AN_IMAGE;
    } else if (reader.failure !== null) {
      this.#reason = DECODE;
    }
  }
}

/** @param {Uint8Array} data of a whole one @returns {Verdict} */
export function checkPicture(data) {
  const check = new PictureCheck();
  check.feed(data);
  return check.end();
}
