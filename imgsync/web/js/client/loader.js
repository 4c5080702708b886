/**
 * Images of one session, fetched and decoded before they are asked for where there is time. They are
 * known by their key: the signature of their URL may be another each time.
 *
 *     preload, load ──▶ core/channel/downloads.js ──▶ tries ──▶ bytes, checked ──▶ kept
 *                       core/channel/turns.js ──▶ the next ones of them, decoded
 *
 * What is next, which try goes on, and what is kept is decided there; here it is carried out. Each is
 * decoded once as soon as it is there, which tells whether it can be, and again when it is near.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { Counts, DownloadOutput, Start } from "../core/channel/downloads.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { Decoding } from "./decoding.js"
 * @import { DataEvent } from "../peer/shared.js"
 * @import { Answer } from "./fetching.js"
 *
 * @typedef {{element: HTMLImageElement, fetchedAt: number, facts: Facts | null}} Loaded `element` is for one
 *   showing; `facts`: null where the page may not read the picture's bytes
 * @typedef {{picture: Picture, fetchedAt: number, pixels: number, ready: Promise<number>, isInTurn: boolean}} Entry
 *   `fetchedAt`: when it was decoded first; `pixels`: bytes of them, known from then on; `ready`: the
 *   same, as soon as it is decoded; `isInTurn`: it waits for that, or is being decoded
 * @typedef {{promise: Promise<Entry>, resolve: (entry: Entry) => void, reject: (why: Error) => void}} Waiting
 */

import { Downloads } from "../core/channel/downloads.js";
import { choose } from "../core/channel/turns.js";
import { imageKey, nameInKey } from "../core/protocol/naming.js";
import { DECODE } from "../core/protocol/numbers.js";
import { Undecodable } from "../page/wrapping.js";
import { backoff } from "../peer/backoff.js";
import { Timer, now, seconds } from "../peer/clock.js";
import { ImageFailed, describeNothing, openTransfer } from "./fetching.js";
import { inTurns } from "./in_turns.js";
import { Partial } from "./partial.js";
import { Picture, aborted } from "./picture.js";
import { Receiving } from "./receiving.js";

/** Of the bytes of its pixels, what a picture takes that nobody can see come: as a photograph in JPEG. */
const UNSEEN_SHARE = 1 / 16;

export class Loader {
  #decoding;
  #progressed;
  #downloads = new Downloads(backoff);
  #receiving;
  /** What is here, by key. @type {Map<string, Entry>} */
  #kept = new Map();
  /** The key of what is to be shown. */
  #due = "";
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
   * @param {(counts: Counts) => void} progressed is told, now and then, how many are here
   * @param {(text: string) => void} ask on the channel of pictures
   */
  constructor(decoding, progressed, ask) {
    this.#decoding = decoding;
    this.#progressed = progressed;
    this.#receiving = new Receiving(ask, {
      parked: (number) => this.#downloads.parked(number),
      goesOn: (number) => this.#downloads.came(number, 0, seconds()),
    });
  }

  /** Something is new on that channel. @param {DataEvent} event */
  take(event) {
    this.#receiving.take(event);
    this.#timer.set(this.#downloads.due);
  }

  /** What will be shown soon. @param {ImageSource[]} images */
  preload(images) {
    this.#perform(this.#downloads.announce(images, seconds()));
    this.#decodeNear();
  }

  /**
   * Load one that is to be shown now; what was preloaded is there at once, and decoded where it is near.
   *
   * @param {ImageSource} image
   * @param {AbortSignal} signal it is no longer to be shown; its reason is thrown
   * @returns {Promise<Loaded>}
   * @throws {ImageFailed}
   */
  async load(image, signal) {
    const key = (this.#due = imageKey(image));
    this.#perform(this.#downloads.show(image, seconds()));
    const entry = this.#kept.get(key) ?? (await Promise.race([waitFor(this.#waiting, key), aborted(signal)]));
    await Promise.race([entry.ready, aborted(signal)]);
    const element = await decoded(entry.picture.take(signal));
    this.#decodeNear();
    return { element, fetchedAt: entry.fetchedAt, facts: entry.picture.facts };
  }

  /** The session is over: nothing of it is kept, and nothing more comes of it. */
  close() {
    for (const control of [...this.#tries.values(), this.#control]) control.abort();
    this.#kept.clear();
    this.#receiving.close();
    this.#timer.set(Infinity);
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
        case "evict":
          for (const here of [this.#kept, this.#partials]) here.delete(output.name);
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
    const opening =
      url === null
        ? this.#receiving.open(number, nameInKey(name), from, signal)
        : openTransfer(url, from, signal);
    const answer = await opening.catch((error) => {
      throw partial.missed(error);
    });
    signal.throwIfAborted();
    if (answer === null) return fetchUnseen(this.#downloads, number, url ?? "", signal);
    partial.begin(answer);
    this.#downloads.answered(number, answer.offset, seconds(), answer.isResumable);
    this.#timer.set(this.#downloads.due); // it may have been parked
    await this.#read(number, answer, partial, signal);
    return decoded(partial.finish());
  }

  /** What is counted is there: a later try goes on behind it. @param {number} number @param {Answer} answer @param {Partial} partial @param {AbortSignal} signal */
  async #read(number, { body, mark }, partial, signal) {
    for (;;) {
      const { value } = await body.read().catch((error) => {
        signal.throwIfAborted();
        throw error instanceof ImageFailed ? error : brokenOff(partial.size, mark.total);
      });
      signal.throwIfAborted();
      if (value === undefined) return;
      for await (const part of inTurns(value)) {
        signal.throwIfAborted();
        this.#downloads.came(number, part.length, seconds());
        const reason = partial.add(part);
        if (reason === null) continue;
        void body.cancel();
        throw new ImageFailed(reason, false);
      }
    }
  }

  /** @param {number} number @param {string} key @param {Picture} picture */
  #arrived(number, key, picture) {
    const entry = newEntry(picture);
    this.#partials.delete(key);
    this.#kept.set(key, entry);
    void this.#decode(key, entry);
    this.#perform(this.#downloads.done(number, seconds()));
    this.#waiting.get(key)?.resolve(entry);
    this.#waiting.delete(key);
  }

  /** @param {string} key @param {Entry} entry */
  async #decode(key, entry) {
    const { signal } = this.#control;
    entry.isInTurn = true;
    // What is to be shown now is not among them, and goes first.
    const place = this.#downloads.coming.indexOf(key);
    entry.ready = this.#decoding.inTurn(key, place, () => decoded(entry.picture.prepare(signal)));
    try {
      entry.pixels = await entry.ready;
      entry.fetchedAt ||= now();
    } catch (error) {
      // It may have had to go meanwhile, or the session is over.
      if (!(error instanceof ImageFailed) || this.#kept.get(key) !== entry) return;
      this.#kept.delete(key);
      this.#perform(this.#downloads.spoiled(key, error.reason, seconds()));
    } finally {
      entry.isInTurn = false;
    }
    this.#decodeNear();
  }

  /** Have the next ones decoded, and no others. */
  #decodeNear() {
    const near = choose(this.#downloads.coming, (key) => this.#kept.get(key)?.pixels ?? 0);
    for (const [key, entry] of this.#kept) {
      if (entry.isInTurn || key === this.#due) continue;
      if (!near.has(key)) entry.picture.release();
      else if (!entry.picture.isPrepared) void this.#decode(key, entry);
    }
  }
}

/**
 * To an element a host lets pages load what they may not read.
 *
 * @param {Downloads} downloads @param {number} number @param {string} url @param {AbortSignal} signal
 * @returns {Promise<Picture>}
 */
async function fetchUnseen(downloads, number, url, signal) {
  downloads.unseen(number, seconds());
  const picture = new Picture(url, null);
  try {
    const pixels = await picture.prepare(signal);
    downloads.came(number, Math.ceil(pixels * UNSEEN_SHARE), seconds());
    return picture;
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    throw new ImageFailed("fetch", true, describeNothing(url));
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

/** @param {number} size that has come @param {number | null} total where that is known */
function brokenOff(size, total) {
  const of = total === null ? "" : ` of ${total}`;
  return new ImageFailed("fetch", true, `it broke off after ${size}${of} bytes`, true);
}

/** @param {Picture} picture @returns {Entry} */
function newEntry(picture) {
  return { picture, fetchedAt: 0, pixels: 0, ready: Promise.resolve(0), isInTurn: false };
}

/** @param {Map<string, Waiting>} waiting @param {string} key @returns {Promise<Entry>} */
function waitFor(waiting, key) {
  const found = waiting.get(key) ?? newWaiting();
  waiting.set(key, found);
  return found.promise;
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
