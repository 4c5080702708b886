/**
 * The series, and which of its images is current. URLs are good for a time only: where the manifest has
 * a URL of its own, it is read again; the images stay the ones that they are, in their order.
 *
 * @import { Choice } from "./stage.js"
 * @import { Image } from "../core/protocol/wire.js"
 * @import { Listed } from "./manifest.js"
 * @import { Presentation } from "./presentation.js"
 * @import { Loaded, Series } from "./own_page.js"
 *
 * @typedef {object} SelectionListener
 * @property {(series: Series, isNew: boolean) => void} changed if it is not new, its URLs alone are, or its order
 * @property {(why: string) => void} complain it could not be read again
 */

import { indexAfter } from "./arrangement.js";
import { isLost } from "./own_series.js";
import { Renewal } from "../core/channel/renewal.js";
import { now } from "../peer/clock.js";
import { describeChanged, describeOld } from "../words/manifest.js";
import { BadManifest, areSame, fetchManifest, signedAnew } from "./manifest.js";

export class Selection {
  /** What is current; null before the first. @type {number | null} */
  index = null;
  /** @type {Series | null} */
  series = null;
  /** The signed URL that the client was told of what is current. @type {string | null} */
  shownUrl = null;
  #renewal = new Renewal();
  #listener;

  /** @param {SelectionListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** @returns {readonly Listed[]} */
  get images() {
    return this.series?.images ?? [];
  }

  /** Whether the client was told another signed URL of what is current than it has now. */
  get isRenewed() {
    return this.shownUrl !== null && this.index !== null && this.images[this.index]?.signedUrl !== this.shownUrl;
  }

  /** Whether what is current is what the client was shown last. @param {Presentation | null} presentation */
  isShownIn(presentation) {
    return this.index === null || this.images[this.index]?.imageUrl === presentation?.current?.imageUrl;
  }

  /** What is current, where it is here. @param {Presentation | null} presentation @returns {boolean} whether something is */
  show(presentation) {
    if (this.index === null || presentation === null || isLost(this.images[this.index])) return false;
    this.shownUrl = this.images[this.index]?.signedUrl ?? null;
    presentation.show(this.images, this.index);
    return true;
  }

  /** One that a page before this had. @param {Series} series */
  restore(series) {
    this.#use(series, true);
    void this.#readAgain();
  }

  /**
   * It begins anew; or goes on where it stands, if it is in use, and was only signed anew, or the page
   * before this one has used it and nothing of it was kept.
   *
   * @param {Loaded} loaded
   * @param {string | null} address of the manifest that the page's own address names
   * @param {boolean} isInUse
   * @param {Image | null} [shown] in the session that goes on
   */
  load({ images, name, source, token, study = null }, address, isInUse, shown = null) {
    const at = now();
    const series = { name, address, source, token, study, since: at, readAt: at, images };
    const isNew = !isInUse || !areSame(this.images, images);
    const isLost = isInUse && this.series === null && shown !== null;
    const isAtHand = isLost && isAlike(images[shown.imageIndex], shown);
    const index = isAtHand ? shown.imageIndex : null;
    this.#use(isNew ? series : { ...series, since: this.series?.since ?? at }, isNew, index);
  }

  /**
   * The same series, with its images in another order, or with more or fewer of them. What is current
   * stays so.
   *
   * @param {readonly Listed[]} images
   */
  rearrange(images) {
    const { series } = this;
    if (series === null || images === series.images) return;
    this.index = indexAfter(series.images, this.index, images);
    this.#use({ ...series, images }, false);
  }

  /**
   * @param {Choice} choice
   * @param {boolean} [canRetry] whether what is current may be chosen again
   * @returns {number | null} the new index; null where there is nothing new to be shown
   */
  choose(choice, canRetry = false) {
    const here = this.index ?? -1;
    const count = this.images.length;
    const places = { next: here + 1, previous: here - 1, first: 0, last: count - 1 };
    const index = typeof choice === "number" ? choice : places[choice];
    if (!Number.isInteger(index) || index < 0 || index >= count) return null;
    if (index === this.index && !canRetry) return null;
    this.index = index;
    return index;
  }

  /**
   * A client could not load one of the images; resolves once what can be done about it is.
   *
   * @param {string} reason
   */
  async imageFailed(reason) {
    const isPossible = this.series !== null && this.series.source !== null;
    if (isPossible && this.#renewal.failed(reason, now())) await this.#readAgain();
  }

  async #readAgain() {
    const { series } = this;
    if (series === null || series.source === null) return;
    try {
      const { images: fresh } = await fetchManifest(series.source, series.study ?? null);
      if (this.series !== series) return;
      this.#use({ ...series, images: signedAnew(series.images, fresh), readAt: now() }, false);
      if (!areSame(series.images, fresh)) this.#listener.complain(describeChanged(series.name));
    } catch (error) {
      if (!(error instanceof BadManifest)) throw error;
      if (this.series !== series) return;
      this.#listener.complain(describeOld(error.message, now() - series.readAt));
    }
  }

  /** @param {Series} series @param {boolean} isNew @param {number | null} [index] of what is current of a new one */
  #use(series, isNew, index = null) {
    this.series = series;
    if (isNew) {
      this.index = index;
      this.#renewal = new Renewal();
    }
    this.#listener.changed(series, isNew);
  }
}

/**
 * Whether it was shown as this one. Pictures that the browser has not kept have another token since.
 *
 * @param {Listed | undefined} image @param {Image} shown
 */
function isAlike(image, shown) {
  if (image === undefined) return false;
  const nameIn = (/** @type {string} */ url) => (image.own === undefined ? url : url.split("/").at(-1));
  return nameIn(image.imageUrl) === nameIn(shown.imageUrl);
}
