/**
 * One recording for each time that an image is seen, and another one where the devices change
 * meanwhile. Each is thrown away whole once all of it is in the store; nothing of it is left for the
 * next one.
 *
 * @import { Image } from "../core/protocol/wire.js"
 * @import { Keeping } from "./capture.js"
 * @import { Onset } from "../core/channel/onsets.js"
 * @import { RecordingStore } from "./store.js"
 *
 * @typedef {object} Sight an image that is seen
 * @property {Image} image
 * @property {number} shownAt as far as it is known
 * @property {Onset | null} onset once it is known
 * @property {string | null} destination the host that may get the recording
 * @property {Capture[]} captures the recordings of it, one after the other
 *
 * @typedef {object} TakesListener
 * @property {(error: unknown) => void} failed a recording could not be begun, or the rest of it not be kept
 * @property {() => void} kept all of a recording was
 * @property {() => void} over in one way or the other: there may be more in the store
 * @property {(isThere: boolean) => void} reached whether the store can be
 * @property {() => readonly string[]} troubles what is the matter with all that is recorded now
 */

import { Capture } from "./capture.js";
import { kindOf } from "./devices.js";
import { Memory } from "./parts.js";
import { RecordingGone } from "./store.js";
import { chooseType } from "./types.js";

/** For what storage has not taken yet, or may lose: four minutes of sound and pictures. */
const MEMORY = 32 * 1024 * 1024;
const VIDEO_BITS_PER_S = 1_000_000;

export class Takes {
  #userId;
  /** @type {Keeping} */
  #keeping;
  #listener;
  /** What is recorded; null while the devices are off. @type {MediaStream | null} */
  #stream = null;
  /** Made ahead of its image, so that the frame need not wait. @type {MediaRecorder | null} */
  #recorder = null;
  /** What is seen, and the image before until it is known since when. @type {Map<Image, Sight>} */
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
    this.#keeping = { store, memory: new Memory(MEMORY), reached: listener.reached };
    this.#listener = listener;
  }

  get areAllKept() {
    return this.#unfinished.size === 0;
  }

  /** When what is being recorded now has stopped; whether the store can be reached is no matter. */
  get stopped() {
    return Promise.all([...this.#unfinished].map(({ stopped }) => stopped));
  }

  /** From now on, record this. @param {MediaStream | null} stream null for nothing */
  use(stream) {
    for (const { captures } of this.#seen.values()) captures.at(-1)?.breakOff();
    this.#stream = stream;
    this.#prepare();
    this.#record([...this.#seen.values()].at(-1));
  }

  /**
   * An image is seen.
   *
   * @param {Image} image
   * @param {number} shownAt as far as it is known
   * @param {string | null} destination the host that may get the recording
   */
  start(image, shownAt, destination) {
    /** @type {Sight} */
    const sight = { image, shownAt, onset: null, destination, captures: [] };
    this.#seen.set(image, sight);
    this.#record(sight);
  }

  /** Now it is known since when. @param {Image} image @param {Onset} onset */
  shown(image, onset) {
    const sight = this.#seen.get(image);
    if (sight === undefined) return;
    sight.onset = onset;
    // One that a lost device has ended is of this image, too.
    for (const capture of sight.captures) capture.shown(onset);
  }

  /** It is not seen any more. @param {Image} image @param {number} hiddenAt */
  hide(image, hiddenAt) {
    for (const capture of this.#seen.get(image)?.captures ?? []) capture.stop(hiddenAt);
    this.#seen.delete(image);
  }

  /** Something is the matter with what is recorded now. @param {string} what */
  note(what) {
    for (const { captures } of this.#seen.values()) captures.at(-1)?.note(what);
  }

  /** @param {Sight | undefined} sight */
  #record(sight) {
    if (this.#recorder === null || sight === undefined) return;
    const taken = { ...sight, userId: this.#userId, troubles: this.#listener.troubles() };
    let capture;
    try {
      capture = new Capture(this.#recorder, this.#keeping, taken);
    } catch (error) {
      this.#listener.failed(error);
      return;
    } finally {
      this.#recorder = null;
      // After the frame.
      setTimeout(() => this.#prepare());
    }
    sight.captures.push(capture);
    this.#unfinished.add(capture);
    void this.#follow(capture);
  }

  /** @param {Capture} capture */
  async #follow(capture) {
    try {
      await capture.done;
      this.#listener.kept();
    } catch (error) {
      this.#listener.failed(error);
      // It is lost; the rest of its image need not be.
      const sight = [...this.#seen.values()].at(-1);
      if (error instanceof RecordingGone && capture === sight?.captures.at(-1)) this.#record(sight);
    } finally {
      this.#unfinished.delete(capture);
      this.#listener.over();
    }
  }

  #prepare() {
    // One of the devices before is none of these.
    this.#recorder = null;
    try {
      if (this.#stream !== null) this.#recorder = makeRecorder(this.#stream);
    } catch (error) {
      this.#listener.failed(error);
    }
  }
}

/** @param {MediaStream} stream @returns {MediaRecorder} that has not been started */
function makeRecorder(stream) {
  const mimeType = chooseType(stream.getTracks().map(kindOf), (type) => MediaRecorder.isTypeSupported(type));
  return new MediaRecorder(stream, { mimeType, videoBitsPerSecond: VIDEO_BITS_PER_S });
}
