/**
 * Images of one session, fetched and decoded before they are asked for where there is time. They are
 * known by their key: the signature of their URL may be another each time.
 *
 *     preload, load ──▶ core/channel/downloads.js ──▶ tries ──▶ bytes, checked ──▶ decoded, kept
 *
 * What is next, and which try goes on, is decided there; here it is carried out. What was shown goes
 * first when room is needed; while all that is kept is still to be shown, nothing is fetched ahead.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { Counts, DownloadOutput, Start } from "../core/channel/downloads.js"
 * @import { Decoding } from "./decoding.js"
 * @import { Answer } from "./fetching.js"
 *
 * @typedef {{element: HTMLImageElement, fetchedAt: number}} Loaded `element` is for one showing
 * @typedef {import("./shelf.js").Entry} Entry
 * @typedef {{promise: Promise<Entry>, resolve: (entry: Entry) => void, reject: (why: Error) => void}} Waiting
 */

import { Downloads } from "../core/channel/downloads.js";
import { imageKey } from "../core/protocol/naming.js";
import { DECODE } from "../core/protocol/numbers.js";
import { backoff } from "../peer/backoff.js";
import { Timer, now, seconds } from "../peer/clock.js";
import { ImageFailed, describeNothing, openTransfer } from "./fetching.js";
import { Partial } from "./partial.js";
import { Picture, Undecodable, aborted } from "./picture.js";
import { Shelf } from "./shelf.js";

export class Loader {
  #decoding;
  #progressed;
  #downloads = new Downloads(backoff);
  #shelf = new Shelf((key) => this.#downloads.isAnnounced(key));
  /** By number. @type {Map<number, AbortController>} */
  #tries = new Map();
  /** By key. @type {Map<string, Partial>} */
  #partials = new Map();
  /** By key, what somebody waits for. @type {Map<string, Waiting>} */
  #waiting = new Map();
  #timer = new Timer(() => this.#perform(this.#downloads.tick(seconds())));
  /** Of the session. */
  #control = new AbortController();

  /**
   * @param {Decoding} decoding
   * @param {(counts: Counts) => void} progressed is told, now and then, how many of those that were
   *   announced are here
   */
  constructor(decoding, progressed) {
    this.#decoding = decoding;
    this.#progressed = progressed;
  }

  /** What will be shown soon. @param {ImageSource[]} images */
  preload(images) {
    this.#perform(this.#downloads.announce(images, seconds()));
    for (const key of images.map(imageKey)) {
      const kept = this.#shelf.find(key);
      // What goes wrong here does so again when it is to be shown.
      if (kept !== undefined) this.#prepare(key, kept.picture).catch(() => {});
    }
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
    const key = imageKey(image);
    this.#perform(this.#downloads.show(image, seconds()));
    const kept = this.#shelf.take(key);
    const entry = kept ?? (await Promise.race([this.#wait(key).promise, aborted(signal)]));
    await Promise.race([entry.ready, aborted(signal)]);
    const element = await decoded(entry.picture.take(signal));
    this.#makeRoom(key);
    return { element, fetchedAt: entry.fetchedAt };
  }

  /** The session is over: nothing of it is kept. */
  clear() {
    for (const control of [...this.#tries.values(), this.#control]) control.abort();
    this.#control = new AbortController();
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
    this.#tries.set(number, control);
    try {
      const picture = await this.#fetch(start, control.signal);
      control.signal.throwIfAborted();
      this.#tries.delete(number);
      this.#arrived(number, name, picture);
    } catch (error) {
      // One that was stopped has nothing to say any more, whatever it has come to.
      if (control.signal.aborted) return;
      if (!(error instanceof ImageFailed)) throw error;
      this.#tries.delete(number);
      this.#perform(this.#downloads.failed(number, error, seconds()));
    }
  }

  /** @param {Start} start @param {AbortSignal} signal @returns {Promise<Picture>} */
  async #fetch({ number, name, url, offset, isUrgent }, signal) {
    if (offset === 0) this.#partials.delete(name);
    const partial = this.#partials.get(name) ?? new Partial();
    this.#partials.set(name, partial);
    const from = { offset, mark: partial.mark, isUrgent };
    const answer = await openTransfer(url, from, signal).catch((error) => {
      throw partial.missed(error);
    });
    signal.throwIfAborted();
    if (answer === null) return this.#fetchUnseen(number, url, signal);
    partial.begin(answer);
    this.#downloads.answered(number, answer.offset, seconds(), answer.isResumable);
    await this.#read(number, answer, partial, signal);
    return new Picture(await decoded(partial.finish()));
  }

  /** To an element a host lets pages load what they may not read. @param {number} number @param {string} url @param {AbortSignal} signal */
  async #fetchUnseen(number, url, signal) {
    this.#downloads.unseen(number, seconds());
    const picture = new Picture(url);
    try {
      await picture.prepare(signal);
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      throw new ImageFailed("fetch", true, describeNothing(url));
    }
    return picture;
  }

  /** @param {number} number @param {Answer} answer @param {Partial} partial @param {AbortSignal} signal */
  async #read(number, { body, mark }, partial, signal) {
    for (;;) {
      const { done, value } = await body.read().catch(() => {
        signal.throwIfAborted();
        const of = mark.total === null ? "" : ` of ${mark.total}`;
        throw new ImageFailed("fetch", true, `it broke off after ${partial.size}${of} bytes`, true);
      });
      signal.throwIfAborted();
      if (done) return;
      this.#downloads.came(number, value.length, seconds());
      const reason = partial.add(value);
      if (reason === null) continue;
      void body.cancel();
      throw new ImageFailed(reason, false);
    }
  }

  /** @param {number} number @param {string} key @param {Picture} picture */
  #arrived(number, key, picture) {
    const entry = { picture, fetchedAt: now(), bytes: 0, ready: this.#prepare(key, picture) };
    this.#partials.delete(key);
    this.#shelf.put(key, entry);
    this.#perform(this.#downloads.done(number, seconds()));
    const prepared = (/** @type {number} */ bytes) => {
      entry.bytes = bytes;
      entry.fetchedAt = now();
      this.#waiting.get(key)?.resolve(entry);
      this.#waiting.delete(key);
      this.#makeRoom(key);
    };
    const spoiled = (/** @type {unknown} */ error) => {
      if (!(error instanceof ImageFailed)) return;
      this.#shelf.remove(key);
      this.#perform(this.#downloads.spoiled(key, error.reason, seconds()));
    };
    entry.ready.then(prepared, spoiled);
  }

  /** @param {string} key @param {Picture} picture @returns {Promise<number>} bytes of its pixels */
  #prepare(key, picture) {
    return this.#decoding.inTurn(key, () => decoded(picture.prepare(this.#control.signal)));
  }

  /** @param {string} but what it is made for */
  #makeRoom(but) {
    for (const key of this.#shelf.clearFor(but)) this.#downloads.evicted(key);
    let halfway = 0;
    for (const { size } of this.#partials.values()) halfway += size;
    this.#perform(this.#downloads.room(this.#shelf.hasRoom(halfway), seconds()));
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
    throw error instanceof Undecodable ? new ImageFailed(DECODE, false) : error;
  }
}

/** @returns {Waiting} */
function newWaiting() {
  /** @type {Waiting["resolve"]} */
  let resolve = () => {};
  /** @type {Waiting["reject"]} */
  let reject = () => {};
  const promise = new Promise((/** @type {(entry: Entry) => void} */ yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Who waited may have left.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
