/**
 * The URL under which an image is seen in this page: its own, or one that is made of its bytes, for one at
 * a time.
 *
 * @import { Listed } from "./manifest.js"
 * @import { OwnPicture } from "./picture_files.js"
 */

import { seenUrl } from "./own_series.js";

export class Sight {
  #changed;
  #url = "";
  /** @type {Blob | null} */
  #blob = null;

  /** @param {(url: string) => void} changed it can be seen by now */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {Listed | undefined} image @returns {string} empty for none, or none yet */
  of(image) {
    const { own } = image ?? {};
    const blob = own?.blob ?? null;
    if (blob !== this.#blob) {
      URL.revokeObjectURL(this.#url);
      this.#url = "";
      this.#blob = blob;
      if (own !== undefined && blob !== null) void this.#make(own);
    }
    return own === undefined ? (image?.signedUrl ?? "") : this.#url;
  }

  /** @param {OwnPicture} own */
  async #make(own) {
    const url = await seenUrl(own);
    if (own.blob !== this.#blob) {
      URL.revokeObjectURL(url);
      return;
    }
    this.#url = url;
    this.#changed(url);
  }
}
