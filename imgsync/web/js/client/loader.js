/**
 * Images that are decoded before they are asked for. They are known by their `imageUrl`: the signed
 * one may be another each time.
 *
 *     preload ──▶ queued ── at most 4 at a time ──▶ loading ──▶ kept, decoded ── shown ──▶ spent
 *     load    ───────────── at once ───────────────────▲
 *
 * What is spent goes first when room is needed; while all that is kept is still to be shown, the
 * queue waits.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { Decoding } from "./decoding.js"
 * @import { Picture } from "./picture.js"
 *
 * @typedef {{element: HTMLImageElement, fetchedAt: number}} Loaded `element` is for one showing
 *
 * @typedef {object} Entry
 * @property {string} signedUrl
 * @property {Promise<{picture: Picture, fetchedAt: number}>} loading
 * @property {AbortController} control
 * @property {number} bytes of its pixels, once it is decoded
 * @property {boolean} isWanted whether it was preloaded and has not been shown yet
 * @property {boolean} isDone
 */

import { MAX_ANNOUNCED, MAX_FETCHES } from "../core/protocol/numbers.js";
import { now } from "../peer/clock.js";
import { ImageFailed, fetchImage } from "./fetching.js";
import { Undecodable } from "./picture.js";

const MAX_KEPT = 64;
/** Of decoded pixels; a phone ends a page that takes much more. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;

export class Loader {
  /** In the order of their last use. @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {ImageSource[]} */
  #queue = [];
  #loading = 0;
  #decoding;

  /** @param {Decoding} decoding */
  constructor(decoding) {
    this.#decoding = decoding;
  }

  /** What will be shown soon. @param {ImageSource[]} images */
  preload(images) {
    for (const image of images) {
      if (this.#queue.length >= MAX_ANNOUNCED) break;
      const entry = this.#entries.get(image.imageUrl);
      if (entry !== undefined) this.#renew(image.imageUrl, entry);
      else if (!this.#isQueued(image.imageUrl)) this.#queue.push(image);
    }
    this.#advance();
  }

  /**
   * Load one that is to be shown now; what was preloaded is there at once, decoded.
   *
   * @param {ImageSource} image
   * @param {AbortSignal} signal it is no longer to be shown: unless it was preloaded, its loading
   *   ends; its reason is thrown
   * @returns {Promise<Loaded>}
   * @throws {ImageFailed}
   */
  async load(image, signal) {
    const { imageUrl } = image;
    const early = this.#entries.get(imageUrl);
    const drop = () => this.#drop(imageUrl);
    signal.addEventListener("abort", drop, { once: true });
    try {
      if (early !== undefined) {
        try {
          return await this.#finish(imageUrl, early, signal);
        } catch (error) {
          // Its signed URL may have been too old; the one that we have now is not.
          if (early.signedUrl === image.signedUrl) throw error;
          signal.throwIfAborted();
        }
      }
      return await this.#finish(imageUrl, this.#begin(image, false), signal);
    } finally {
      signal.removeEventListener("abort", drop);
      this.#advance();
    }
  }

  /** @param {string} imageUrl @param {Entry} entry @param {AbortSignal} signal @returns {Promise<Loaded>} */
  async #finish(imageUrl, entry, signal) {
    this.#touch(imageUrl, entry);
    const { picture, fetchedAt } = await entry.loading;
    const element = await decoded(picture.take(signal));
    entry.isWanted = false;
    this.#makeRoom(entry);
    return { element, fetchedAt };
  }

  /** It is to be shown again. @param {string} imageUrl @param {Entry} entry */
  #renew(imageUrl, entry) {
    entry.isWanted = true;
    // What goes wrong here does so again when it is to be shown.
    entry.loading
      .then(({ picture }) => this.#prepare(imageUrl, picture, entry.control.signal))
      .catch(() => {});
  }

  /** @param {string} imageUrl @param {Picture} picture @param {AbortSignal} signal */
  async #prepare(imageUrl, picture, signal) {
    return this.#decoding.inTurn(imageUrl, () => decoded(picture.prepare(signal)));
  }

  /** @param {string} imageUrl */
  #drop(imageUrl) {
    const entry = this.#entries.get(imageUrl);
    if (entry !== undefined && !entry.isDone && !entry.isWanted) {
      this.#entries.delete(imageUrl);
      entry.control.abort();
    }
  }

  /** The session is over: nothing of it is kept. */
  clear() {
    this.#queue = [];
    for (const { control } of this.#entries.values()) control.abort();
    this.#entries.clear();
  }

  /** @param {string} imageUrl */
  #isQueued(imageUrl) {
    return this.#queue.some((image) => image.imageUrl === imageUrl);
  }

  #advance() {
    while (this.#queue.length > 0 && this.#loading < MAX_FETCHES && this.#hasRoom()) {
      const image = /** @type {ImageSource} */ (this.#queue.shift());
      if (this.#entries.has(image.imageUrl)) continue;
      this.#loading += 1;
      const settled = () => {
        this.#loading -= 1;
        this.#advance();
      };
      this.#begin(image, true).loading.then(settled, settled);
    }
  }

  /** Whether what is still to be shown leaves room for more. */
  #hasRoom() {
    const wanted = [...this.#entries.values()].filter((entry) => entry.isWanted);
    return wanted.length < MAX_KEPT && sum(wanted) < MAX_KEPT_BYTES;
  }

  /** @param {ImageSource} image @param {boolean} isWanted @returns {Entry} */
  #begin({ imageUrl, signedUrl }, isWanted) {
    const control = new AbortController();
    const loading = fetchImage(signedUrl, control.signal).then(async (picture) => {
      entry.bytes = await this.#prepare(imageUrl, picture, control.signal);
      entry.isDone = true;
      this.#makeRoom(entry);
      return { picture, fetchedAt: now() };
    });
    // What fails while it is preloaded is tried again when it is to be shown.
    loading.catch(() => {
      if (this.#entries.get(imageUrl) === entry) this.#entries.delete(imageUrl);
    });
    /** @type {Entry} */
    const entry = { signedUrl, loading, control, bytes: 0, isWanted, isDone: false };
    this.#entries.set(imageUrl, entry);
    return entry;
  }

  /** @param {string} imageUrl @param {Entry} entry */
  #touch(imageUrl, entry) {
    if (this.#entries.get(imageUrl) !== entry) return;
    this.#entries.delete(imageUrl);
    this.#entries.set(imageUrl, entry);
  }

  /** Spent ones go first, those used longest ago before the others. @param {Entry} but */
  #makeRoom(but) {
    const done = [...this.#entries].filter(([, entry]) => entry.isDone && entry !== but);
    const order = [...done.filter(([, e]) => !e.isWanted), ...done.filter(([, e]) => e.isWanted)];
    let kept = done.length + 1;
    let bytes = sum(done.map(([, entry]) => entry)) + but.bytes;
    for (const [imageUrl, entry] of order) {
      if (kept <= MAX_KEPT && bytes <= MAX_KEPT_BYTES) break;
      this.#entries.delete(imageUrl);
      kept -= 1;
      bytes -= entry.bytes;
    }
  }
}

/**
 * @template T
 * @param {Promise<T>} made of a picture
 * @throws {ImageFailed}
 */
async function decoded(made) {
  try {
    return await made;
  } catch (error) {
    throw error instanceof Undecodable ? new ImageFailed("decode", false) : error;
  }
}

/** @param {Entry[]} entries */
function sum(entries) {
  return entries.reduce((bytes, entry) => bytes + entry.bytes, 0);
}
