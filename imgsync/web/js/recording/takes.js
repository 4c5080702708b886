/**
 * One recording for each time that an image is seen. Each is thrown away whole once all of it is in
 * the store; nothing of it is left for the next one.
 *
 * @import { Image } from "../core/protocol/wire.js"
 * @import { RecordingStore } from "./store.js"
 *
 * @typedef {object} TakesListener
 * @property {(error: unknown) => void} failed the rest of a recording could not be kept
 * @property {() => void} kept all of a recording was
 * @property {() => void} over in one way or the other: there may be more in the store
 */

import { Capture } from "./capture.js";
import { makeRecorder } from "./devices.js";

export class Takes {
  #userId;
  #store;
  #listener;
  /** What is recorded; null while the devices are off. @type {MediaStream | null} */
  #stream = null;
  /** Made ahead of its image, so that the frame need not wait. @type {MediaRecorder | null} */
  #recorder = null;
  /** Of the image that is seen, and of the one before until it is known since when. @type {Map<Image, Capture>} */
  #seen = new Map();
  /**
   * Those that are not in the store yet: as many as images are shown until a recorder has stopped and
   * the store has written what it gave.
   *
   * @type {Set<Capture>}
   */
  #unfinished = new Set();

  /** @param {string} userId @param {RecordingStore} store @param {TakesListener} listener */
  constructor(userId, store, listener) {
    this.#userId = userId;
    this.#store = store;
    this.#listener = listener;
  }

  get areAllKept() {
    return this.#unfinished.size === 0;
  }

  /** When what is being recorded now has stopped, and is in the store or lost. */
  get settled() {
    return Promise.allSettled([...this.#unfinished].map(({ done }) => done));
  }

  /** From the next image on, record this. @param {MediaStream | null} stream null for nothing */
  use(stream) {
    this.#stream = stream;
    this.#prepare();
  }

  /**
   * An image is seen.
   *
   * @param {Image} image
   * @param {number} shownAt as far as it is known
   * @param {string | null} destination the host that may get the recording
   */
  start(image, shownAt, destination) {
    if (this.#recorder === null) return;
    const capture = new Capture(this.#recorder, this.#store, this.#userId, destination, image, shownAt);
    this.#seen.set(image, capture);
    this.#recorder = null;
    this.#unfinished.add(capture);
    // After the frame.
    setTimeout(() => this.#prepare());
    const kept = capture.done.then(() => this.#listener.kept());
    kept.catch((error) => this.#listener.failed(error)).finally(() => {
      this.#unfinished.delete(capture);
      this.#listener.over();
    });
  }

  /** Now it is known since when. @param {Image} image @param {number} shownAt */
  shown(image, shownAt) {
    this.#seen.get(image)?.shown(shownAt);
  }

  /** It is not seen any more. @param {Image} image @param {number} hiddenAt */
  hide(image, hiddenAt) {
    this.#seen.get(image)?.stop(hiddenAt);
    this.#seen.delete(image);
  }

  /** Whatever its image does. */
  breakOff() {
    for (const capture of this.#seen.values()) capture.breakOff();
  }

  #prepare() {
    this.#recorder = this.#stream === null ? null : makeRecorder(this.#stream);
  }
}
