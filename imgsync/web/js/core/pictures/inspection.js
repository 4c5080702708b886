/**
 * A picture in one pass over its bytes: whether it is whole, and what is to be known of it. The rules
 * of `core/pictures/inspection.py`.
 *
 *     const inspection = new Inspection();
 *     for await (const part of parts) inspection.feed(part);
 *     const { kind, reason } = inspection.end();
 *     const { facts } = inspection; // of a whole picture
 *
 * @import { Facts } from "./facts.js"
 * @import { Verdict } from "./check.js"
 */

import { PictureCheck } from "./check.js";
import { Sha256 } from "./sha256.js";

/** Of one picture, while its bytes come in; it keeps none of them but a few. */
export class Inspection {
  #check = new PictureCheck();
  #hash = new Sha256();
  #size = 0;
  /** @type {Facts | null} */
  #facts = null;

  /** @param {Uint8Array} data the next bytes @returns {string | null} why it can't be shown */
  feed(data) {
    this.#hash.update(data);
    this.#size += data.length;
    return this.#check.feed(data);
  }

  /** All has come. @returns {Verdict} */
  end() {
    const verdict = this.#check.end();
    const { width, height } = this.#check.size ?? { width: null, height: null };
    if (verdict.kind !== null) {
      const contentType = verdict.kind.mediaType;
      this.#facts = { sha256: this.#hash.digest(), contentType, bytes: this.#size, width, height };
    }
    return verdict;
  }

  /** Of a whole picture, once it has ended. @returns {Facts} */
  get facts() {
    if (this.#facts === null) throw new Error("it is no picture, or has not ended");
    return this.#facts;
  }
}
