/**
 * What the tab remembers over a reload: the images, and where the session stands. Their signed URLs
 * are in it, so it goes with the tab.
 *
 * @import { Image, ImageSource } from "../core/protocol/wire.js"
 *
 * @typedef {{name: string, address: string | null, source: string | null, since: number,
 *   readAt: number, images: ImageSource[]}} Series
 *   `address`: the manifest's URL, where the page's own address named it; `source`: where it can be
 *   read again; `since` and `readAt`: when it was loaded, and read last, in milliseconds since the
 *   epoch
 * @typedef {{sessionId: string, clientId: string, current: Image | null, index: number | null,
 *   isOver: boolean}} Place `index`: of what is shown of the series
 */

export class Memory {
  /** @type {Storage | null} */
  storage = null;
  #key;

  /** @param {string} userId */
  constructor(userId) {
    this.#key = `imgsync console of ${userId} at ${location.pathname}`;
    try {
      this.storage = sessionStorage;
      this.storage.getItem(this.#key);
    } catch {
      this.storage = null; // it may be forbidden
    }
  }

  /** What the keys of the record begin with. */
  get recordKey() {
    return `${this.#key}: record`;
  }

  /** @returns {Series | null} */
  get series() {
    return this.#read("series");
  }

  /** @param {Series} series @returns {boolean} whether a reload will find it */
  keepSeries(series) {
    return this.#write("series", series);
  }

  /** @returns {Place | null} */
  get place() {
    return this.#read("place");
  }

  /** @param {Place} place */
  keepPlace(place) {
    return this.#write("place", place);
  }

  /** @param {string} name */
  #read(name) {
    const text = this.storage?.getItem(`${this.#key}: ${name}`);
    return typeof text === "string" ? JSON.parse(text) : null;
  }

  /** @param {string} name @param {object} value */
  #write(name, value) {
    try {
      this.storage?.setItem(`${this.#key}: ${name}`, JSON.stringify(value));
      return this.storage !== null;
    } catch {
      // It is full. What is there of before would be wrong.
      this.storage?.removeItem(`${this.#key}: ${name}`);
      return false;
    }
  }
}
