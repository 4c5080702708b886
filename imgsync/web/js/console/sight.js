/**
 * The URL under which an image is seen in this page: its own, or one that is made of its bytes, for one at
 * a time.
 *
 * @import { Listed } from "./manifest.js"
 */

import { seenUrl } from "./own_series.js";

export class Sight {
  #url = "";
  /** @type {Blob | null} */
  #blob = null;

  /** @param {Listed | undefined} image @returns {string} empty for none */
  of(image) {
    const { own } = image ?? {};
    const blob = own?.blob ?? null;
    if (blob !== this.#blob) {
      URL.revokeObjectURL(this.#url);
      this.#url = own === undefined || blob === null ? "" : seenUrl(own);
      this.#blob = blob;
    }
    return own === undefined ? (image?.signedUrl ?? "") : this.#url;
  }
}
