/**
 * The URL under which an image is seen in this page: its own, or one that is made of its bytes, for one at
 * a time.
 *
 * @import { Listed } from "./manifest.js"
 */

export class Sight {
  #url = "";
  /** @type {Blob | null} */
  #blob = null;

  /** @param {Listed | undefined} image @returns {string} empty for none */
  of(image) {
    const blob = image?.own?.blob ?? null;
    if (blob !== this.#blob) {
      URL.revokeObjectURL(this.#url);
      this.#url = blob === null ? "" : URL.createObjectURL(blob);
      this.#blob = blob;
    }
    return image?.own === undefined ? (image?.signedUrl ?? "") : this.#url;
  }
}
