/**
 * Images of one session, fetched and decoded before they are asked for where there is time. They are
 * known by their `imageUrl`: the signed one may be another each time.
 *
 *     preload, load ──▶ core/channel/downloads.js ──▶ tries ──▶ bytes ──▶ kept, decoded
 *
 * What is next, and which try goes on, is decided there; here it is carried out. What was shown goes
 * first when room is needed; while all that is kept is still to be shown, nothing is fetched ahead.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { Counts, DownloadOutput, Start } from "../core/channel/downloads.js"
 * @import { Answer, Mark } from "./fetching.js"
 *
 * @typedef {{element: HTMLImageElement, fetchedAt: number}} Loaded
 * @typedef {{promise: Promise<Loaded>, resolve: (loaded: Loaded) => void, reject: (why: Error) => void}} Waiting
 * @typedef {{parts: BlobPart[], size: number, mark: Mark | null, dumb: number}} Partial
 *   what is here of one that is being fetched; `dumb`: how often its host has not answered to a range
 */

import { MAX_IMAGE } from "../core/protocol/numbers.js";
import { Downloads } from "../core/channel/downloads.js";
import { backoff } from "../peer/backoff.js";
import { Timer, now, seconds } from "../peer/clock.js";
import { ImageFailed, aborted, decodeBlob, loadElement, openTransfer } from "./fetching.js";
import { Shelf } from "./shelf.js";

export class Loader {
  #progressed;
  #downloads = new Downloads(backoff);
  #shelf = new Shelf((name) => this.#downloads.isAnnounced(name));
  /** By number. @type {Map<number, AbortController>} */
  #tries = new Map();
  /** By name. @type {Map<string, Partial>} */
  #partials = new Map();
  /** By name, what somebody waits for. @type {Map<string, Waiting>} */
  #waiting = new Map();
  #timer = new Timer(() => this.#perform(this.#downloads.tick(seconds())));

  /** @param {(counts: Counts) => void} [progressed] is told, now and then, how many of those that were announced are here */
  constructor(progressed = () => {}) {
    this.#progressed = progressed;
  }

  /** What will be shown soon. @param {ImageSource[]} images */
  preload(images) {
    this.#perform(this.#downloads.announce(images, seconds()));
  }

  /**
   * Load one that is to be shown now; what was preloaded is there at once, decoded.
   *
   * @param {ImageSource} image
   * @param {AbortSignal} signal it is no longer to be shown; its reason is thrown
   * @returns {Promise<Loaded>}
   * @throws {ImageFailed}
   */
  async load(image, signal) {
    const { imageUrl } = image;
    this.#perform(this.#downloads.show(image, seconds()));
    const kept = this.#shelf.take(imageUrl);
    if (kept === undefined) return Promise.race([this.#wait(imageUrl).promise, aborted(signal)]);
    // A browser may have dropped its pixels since.
    await kept.element.decode().catch(() => {
      throw new ImageFailed("decode", false);
    });
    this.#makeRoom(imageUrl);
    return kept;
  }

  /** The session is over: nothing of it is kept. */
  clear() {
    for (const control of this.#tries.values()) control.abort();
    this.#tries.clear();
    this.#partials.clear();
    this.#waiting.clear();
    this.#shelf.clear();
    this.#downloads = new Downloads(backoff);
    this.#timer.set(Infinity);
  }

  /** @param {string} name @returns {Waiting} */
  #wait(name) {
    let waiting = this.#waiting.get(name);
    if (waiting === undefined) {
      waiting = newWaiting();
      this.#waiting.set(name, waiting);
    }
    return waiting;
  }

  /** @param {DownloadOutput[]} outputs */
  #perform(outputs) {
    for (const output of outputs) {
      switch (output.kind) {
        case "start":
          void this.#try(output);
          break;
        case "stop":
          this.#tries.get(output.number)?.abort();
          this.#tries.delete(output.number);
          break;
        case "givenUp":
          this.#partials.delete(output.name);
          this.#waiting.get(output.name)?.reject(new ImageFailed(output.reason, false, output.detail));
          this.#waiting.delete(output.name);
          break;
        case "progress":
          this.#progressed(output);
      }
    }
    this.#timer.set(this.#downloads.due);
  }

  /** @param {Start} start */
  async #try(start) {
    const { number, name } = start;
    const control = new AbortController();
    const downloads = this.#downloads;
    this.#tries.set(number, control);
    try {
      const element = await this.#fetch(start, control.signal);
      control.signal.throwIfAborted();
      this.#arrived(name, { element, fetchedAt: now() });
      this.#perform(downloads.done(number, seconds()));
    } catch (error) {
      // One that was stopped has nothing to say any more, whatever it has come to.
      if (control.signal.aborted) return;
      if (!(error instanceof ImageFailed)) throw error;
      this.#perform(downloads.failed(number, error, seconds()));
    } finally {
      this.#tries.delete(number);
    }
  }

  /** @param {Start} start @param {AbortSignal} signal @returns {Promise<HTMLImageElement>} decoded */
  async #fetch({ number, name, url, offset, isUrgent }, signal) {
    if (offset === 0) this.#partials.delete(name);
    const partial = this.#partials.get(name) ?? newPartial();
    this.#partials.set(name, partial);
    const from = { offset, mark: partial.mark, isUrgent };
    const answer = await openTransfer(url, from, signal).catch((error) => {
      // One that does not even answer may not let pages ask for ranges.
      if (error instanceof ImageFailed && error.keeps) error.keeps = (partial.dumb += 1) === 1;
      throw error;
    });
    if (answer === null) {
      this.#downloads.unseen(number, seconds());
      return loadElement(url, "fetch", signal);
    }
    await this.#read(number, answer, partial, signal);
    return decodeBlob(new Blob(partial.parts, { type: answer.mark.type }), signal);
  }

  /** @param {number} number @param {Answer} answer @param {Partial} partial @param {AbortSignal} signal */
  async #read(number, { offset, isResumable, mark, body }, partial, signal) {
    if (offset === 0) Object.assign(partial, { ...newPartial(), mark });
    this.#downloads.answered(number, offset, seconds(), isResumable);
    for (;;) {
      const { done, value } = await body.read().catch(() => {
        signal.throwIfAborted();
        const of = mark.total === null ? "" : ` of ${mark.total}`;
        throw new ImageFailed("fetch", true, `it broke off after ${partial.size}${of} bytes`, true);
      });
      signal.throwIfAborted();
      if (done) return;
      partial.parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (value));
      partial.size += value.length;
      this.#downloads.came(number, value.length, seconds());
      if (partial.size > MAX_IMAGE) {
        void body.cancel();
        throw new ImageFailed("too_large", false);
      }
    }
  }

  /** @param {string} name @param {Loaded} loaded */
  #arrived(name, loaded) {
    this.#partials.delete(name);
    this.#shelf.put(name, loaded);
    this.#waiting.get(name)?.resolve(loaded);
    this.#waiting.delete(name);
    this.#makeRoom(name);
  }

  /** @param {string} but what it is made for */
  #makeRoom(but) {
    for (const name of this.#shelf.clearFor(but)) this.#downloads.evicted(name);
    let halfway = 0;
    for (const { size } of this.#partials.values()) halfway += size;
    this.#perform(this.#downloads.room(this.#shelf.hasRoom(halfway), seconds()));
  }
}

/** @returns {Partial} */
function newPartial() {
  return { parts: [], size: 0, mark: null, dumb: 0 };
}

/** @returns {Waiting} */
function newWaiting() {
  /** @type {Waiting["resolve"]} */
  let resolve = () => {};
  /** @type {Waiting["reject"]} */
  let reject = () => {};
  const promise = new Promise((/** @type {(loaded: Loaded) => void} */ yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Who waited may have left.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
