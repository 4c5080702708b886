/**
 * What thumbnails show: an image by its URL; a picture from the evaluator's own disk only while it is in
 * sight, or nearly so, by a URL that is given back as soon as it was read. Thousands of them would be more
 * than a browser can decode and hold.
 *
 * @import { Listed } from "./manifest.js"
 * @import { OwnPicture } from "./picture_files.js"
 */

import { seenUrl } from "./own_series.js";

/** Beside what is in sight, so that scrolling finds them there. */
const MARGIN = "0px 800px";

export class Thumbnails {
  /** What there is to show. @type {WeakMap<Element, Listed>} */
  #images = new WeakMap();
  #watch;

  /** @param {Element} frame that they scroll in */
  constructor(frame) {
    const options = { root: frame, rootMargin: MARGIN };
    this.#watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#turn(target, isIntersecting);
    }, options);
  }

  /** @param {HTMLImageElement} picture @param {Listed} image */
  show(picture, image) {
    const had = this.#images.get(picture);
    this.#images.set(picture, image);
    if (image.own !== undefined) {
      if (had === undefined) this.#watch.observe(itemOf(picture));
      else if (had.own?.blob !== image.own.blob) this.#turn(itemOf(picture), true);
      return;
    }
    if (had === undefined) {
      picture.loading = "lazy";
      picture.addEventListener("error", () => (picture.hidden = true));
    } else if (had.signedUrl === image.signedUrl || picture.naturalWidth > 0) {
      return; // those that could not be loaded, or have not been yet, may be so now
    }
    picture.hidden = image.signedUrl === null; // as of a text
    if (image.signedUrl !== null) picture.src = image.signedUrl;
  }

  /** It is not there any more. @param {HTMLImageElement} picture */
  forget(picture) {
    this.#watch.unobserve(itemOf(picture));
    this.#images.delete(picture);
  }

  /** @param {Element} item @param {boolean} isInSight */
  #turn(item, isInSight) {
    const picture = /** @type {HTMLImageElement} */ (item.querySelector("img"));
    const { own } = this.#images.get(picture) ?? {};
    picture.hidden = own === undefined || own.blob === null || !isInSight;
    if (own === undefined || picture.hidden) {
      picture.removeAttribute("src");
      return;
    }
    void this.#load(picture, own);
  }

  /** @param {HTMLImageElement} picture @param {OwnPicture} own */
  async #load(picture, own) {
    const url = await seenUrl(own);
    if (picture.hidden || this.#images.get(picture)?.own?.blob !== own.blob) {
      URL.revokeObjectURL(url);
      return;
    }
    picture.onload = () => URL.revokeObjectURL(url);
    picture.onerror = () => {
      URL.revokeObjectURL(url);
      picture.hidden = true;
    };
    picture.src = url;
  }
}

/** It has a place even while nothing in it is laid out. @param {Element} picture */
function itemOf(picture) {
  return /** @type {Element} */ (picture.closest("li"));
}
