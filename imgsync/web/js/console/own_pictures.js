/**
 * What the console does with a series from the evaluator's own disk beside showing it: keep its pictures
 * in the browser, and change its order.
 *
 * @import { Keeping } from "./picture_store.js"
 * @import { Listed } from "./manifest.js"
 * @import { RecordStore } from "./record_store.js"
 * @import { Selection } from "./selection.js"
 * @import { Series } from "./own_page.js"
 *
 * @typedef {{kind: "move", from: number, to: number} | {kind: "remove", place: number} | {kind: "undo"}} Deed
 */

import { Arrangement } from "./arrangement.js";
import { PictureStore } from "./picture_store.js";
import { within } from "../page/storage.js";

/** A person does not wait longer for what was kept. */
const LOAD_MS = 5000;

export class OwnPictures {
  /** What is to be seen has changed. */
  changed = () => {};
  #store;
  #record;
  #arrangement = new Arrangement();
  /** Of the series that is kept. @type {string | null} */
  #token = null;

  /** @param {string} userId @param {RecordStore} record */
  constructor(userId, record) {
    this.#store = new PictureStore(userId, () => this.changed());
    this.#record = record;
  }

  /**
   * The series that the record has gets the pictures that were kept for it.
   *
   * @param {string} userId @param {RecordStore} record @returns {Promise<OwnPictures>} in any case, and soon
   */
  static async open(userId, record) {
    const own = new OwnPictures(userId, record);
    const { series } = record;
    if (series !== null && series.token !== null) {
      /** @type {Map<string, Blob>} */
      const kept = await within(LOAD_MS, own.#store.load(series.token)).catch(() => new Map());
      record.series = { ...series, images: series.images.map((image) => withBytes(image, kept)) };
    }
    void own.#purge();
    return own;
  }

  /** @returns {{keeping: Keeping, canUndo: boolean}} */
  get state() {
    return { keeping: this.#store.keeping, canUndo: this.#arrangement.canUndo };
  }

  /** With the record; of pictures, their bytes. @param {Series} series @param {boolean} isNew */
  keep(series, isNew) {
    const { token, images } = series;
    this.#record.keepSeries(series);
    if (isNew) this.#arrangement.forget();
    if (token !== null) this.#store.keep(token, images);
    if (token !== this.#token || isNew) void this.#purge();
    this.#token = token;
  }

  /** @param {Selection} selection @param {Deed} deed */
  arrange(selection, deed) {
    const { images } = selection;
    switch (deed.kind) {
      case "move":
        return selection.rearrange(this.#arrangement.move(images, deed.from, deed.to));
      case "remove":
        return selection.rearrange(this.#arrangement.remove(images, deed.place));
      case "undo":
        return selection.rearrange(this.#arrangement.undo(images));
    }
  }

  /** How it was before there were others in it can't be had back. @param {Selection} selection @param {readonly Listed[]} images */
  join(selection, images) {
    this.#arrangement.forget();
    selection.rearrange(images);
  }

  /** All that is kept, and begin anew. */
  async removeAll() {
    if (this.#token !== null) await this.#store.drop(this.#token).catch(() => {});
    await this.#record.remove();
    location.reload();
  }

  /** Where the record is not kept, nobody knows what others have. */
  async #purge() {
    if (!this.#record.isKept) return;
    try {
      await this.#store.purge(await this.#record.usedTokens());
    } catch {
      // The next page does it.
    }
  }
}

/** @param {Listed} image @param {ReadonlyMap<string, Blob>} kept @returns {Listed} */
function withBytes(image, kept) {
  const { own } = image;
  return own === undefined ? image : { ...image, own: { ...own, blob: kept.get(image.imageUrl) ?? null } };
}
