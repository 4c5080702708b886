/**
 * One recording, from the onset of an image to its end. What the recorder gives goes into the store
 * at once, so that a page that dies loses the last second and no more.
 *
 *     start ──▶ begun in the store ──▶ parts ──▶ stop, or a device has gone ──▶ onset known ──▶ finished
 *                    ▲                   │
 *                    └── storage was emptied: all of it is written anew, as far as it is held
 *
 * What is written before the onset is known has the frame that put the image up, and says so.
 * While the store can't be reached, parts are held, and written once it can be.
 *
 * @import { About, RecordingStore } from "./store.js"
 * @import { Onset } from "../core/channel/onsets.js"
 * @import { Image } from "../core/protocol/wire.js"
 *
 * @typedef {object} Taken what is recorded
 * @property {string} userId
 * @property {string | null} destination the host that they have agreed to
 * @property {Image} image
 * @property {number} shownAt as far as it is known
 * @property {Onset | null} onset where that is known already
 * @property {readonly string[]} troubles what is the matter already
 *
 * @typedef {object} Keeping
 * @property {RecordingStore} store
 * @property {Memory} memory for what is not in it yet
 * @property {(isThere: boolean) => void} reached whether the store can be
 */

import { publicUrl } from "../core/protocol/urls.js";
import { now } from "../peer/clock.js";
import { backoff } from "../peer/backoff.js";
import { Memory, Parts } from "./parts.js";
import { StorageFull, StorageGone } from "../page/storage.js";
import { RecordingGone } from "./store.js";

/** What a page that dies may lose. */
const CHUNK_MS = 1000;
/** For so long the recording of an image that was up only shortly waits for its first frame, without
 * which there would be none; on a busy machine that is some 100 ms. */
const FIRST_MS = 2000;
/** For a recorder that was stopped to say that it has. */
const STOP_MS = 5000;

/** The devices gave nothing in all its time. */
export class NothingCame extends Error {}

export class Capture {
  /** All that there is of it is in the store. @type {Promise<void>} rejects as the store does */
  done;
  /** Its devices are not needed any more. @type {Promise<void>} */
  stopped;
  #recorder;
  #keeping;
  #destination;
  /** @type {About} */
  #about;
  /** @type {Parts<Blob>} */
  #parts;
  #isStopped = false;
  /** Whether nothing more will be known of when its image was shown. */
  #isSettled = false;
  /** Called when it has stopped. */
  #release = () => {};
  /** Called when there is more to be kept, or it has stopped. */
  #wake = () => {};

  /**
   * It starts at once.
   *
   * @param {MediaRecorder} recorder that has not been started
   * @param {Keeping} keeping
   * @param {Taken} taken
   * @throws {DOMException} where the recorder can't start
   */
  constructor(recorder, keeping, taken) {
    this.#recorder = recorder;
    this.#keeping = keeping;
    this.#destination = taken.destination;
    this.#parts = new Parts(keeping.memory);
    recorder.addEventListener("start", () => this.#started());
    recorder.addEventListener("dataavailable", ({ data }) => this.#append(data));
    recorder.addEventListener("error", () => this.note("recorder_failed"));
    recorder.addEventListener("stop", () => this.#stopped());
    this.stopped = new Promise((resolve) => (this.#release = resolve));
    // First of all: what follows can wait until the frame is on the screen.
    const recordingStartedAt = now();
    recorder.start(CHUNK_MS);
    this.#about = aboutOf(taken, recordingStartedAt, recorder.mimeType);
    if (taken.onset !== null) this.shown(taken.onset);
    this.done = this.#keep().then((size) => {
      const isEmpty = size === 0 || this.#about.startEventAt === null;
      if (isEmpty && now() - recordingStartedAt > FIRST_MS) throw new NothingCame();
    });
  }

  /** Now it is known since when its image is on the screen. @param {Onset} onset */
  shown({ at, timing, within }) {
    Object.assign(this.#about, { shownAt: at, timing, within, offset: at - this.#about.recordingStartedAt });
    this.#settle();
  }

  /** Its image is not seen any more. @param {number} hiddenAt */
  stop(hiddenAt) {
    this.#settle();
    // One whose device has gone ended before the image did.
    if (this.#recorder.state === "inactive") return;
    this.#about.hiddenAt = hiddenAt;
    if (this.#about.startEventAt === null) setTimeout(() => this.breakOff(), FIRST_MS);
    else this.breakOff();
  }

  /** Whatever its image does. */
  breakOff() {
    if (this.#recorder.state === "inactive") return;
    this.#recorder.stop();
    // One that has got nothing may wait for it for ever.
    setTimeout(() => this.#stopped(), STOP_MS);
  }

  #settle() {
    this.#isSettled = true;
    this.#wake();
  }

  /** Something is the matter with it now. @param {string} what */
  note(what) {
    this.#about.troubles = [...this.#about.troubles, { what, at: now() }];
  }

  // ── the recorder ───────────────────────────────────────────────────────────────────────────────

  #started() {
    this.#about.startEventAt = now();
    if (this.#about.hiddenAt !== null) this.breakOff();
  }

  /** @param {Blob} chunk */
  #append(chunk) {
    if (chunk.size === 0 || this.#isStopped) return;
    if (!this.#parts.add(chunk)) {
      // Behind a hole, what follows can't be played.
      this.#giveUp("memory_full");
      return;
    }
    this.#about.mimeType = this.#recorder.mimeType;
    this.#wake();
  }

  /** @param {string} what is the matter */
  #giveUp(what) {
    this.note(what);
    this.#about.hiddenAt = null;
    this.#isStopped = true;
    this.#wake();
    this.breakOff();
  }

  #stopped() {
    // Of a device that gives nothing there is a file with a beginning and nothing else.
    if (!this.#isStopped && this.#about.startEventAt === null) this.note("nothing_came");
    this.#isStopped = true;
    this.#release();
    this.#wake();
  }

  // ── the store ──────────────────────────────────────────────────────────────────────────────────

  /** @returns {Promise<number>} bytes, once all of it is in the store */
  async #keep() {
    /** What is in the store. */
    let written = { key: 0, size: 0 };
    try {
      for (;;) {
        try {
          if (written.key === 0) written = { key: await this.#begin(), size: 0 };
          const next = this.#parts.next;
          if (next !== null) {
            const size = written.size + next.part.size;
            const { key } = written;
            await this.#reach(async (store) =>
              store.append(key, next.number, next.part, { ...this.#about, size }),
            );
            written.size = size;
            this.#parts.wrote();
          } else if (this.#isStopped && this.#isSettled) {
            await this.#finish(written);
            return written.size;
          } else {
            await new Promise((resolve) => (this.#wake = () => resolve(null)));
          }
        } catch (error) {
          if (!(error instanceof RecordingGone) || !this.#parts.startOver()) throw error;
          written.key = 0;
        }
      }
    } catch (error) {
      this.#giveUp(error instanceof StorageFull ? "storage_full" : "storage_lost");
      // What was written before is kept.
      await this.#finish(written).catch(() => {});
      throw error;
    } finally {
      this.#parts.release();
    }
  }

  #begin() {
    return this.#reach((store) => store.begin({ ...this.#about }, this.#destination));
  }

  /** @param {{key: number, size: number}} written */
  async #finish({ key, size }) {
    if (key !== 0) await this.#reach((store) => store.finish(key, { ...this.#about, size }));
  }

  /**
   * As often as it takes until the store can be reached.
   *
   * @template T
   * @param {(store: RecordingStore) => Promise<T>} act
   * @returns {Promise<T>}
   */
  async #reach(act) {
    const { store, reached } = this.#keeping;
    for (let failures = 0; ; failures += 1) {
      try {
        const result = await act(store);
        if (failures > 0) reached(true);
        return result;
      } catch (error) {
        if (!(error instanceof StorageGone)) throw error;
      }
      reached(false);
      await new Promise((resolve) => setTimeout(resolve, backoff(failures) * 1000));
    }
  }
}

/** Of one that begins. @param {Taken} taken @param {number} recordingStartedAt @param {string} mimeType @returns {About} */
function aboutOf({ userId, image, shownAt, troubles }, recordingStartedAt, mimeType) {
  return {
    userId,
    imageIndex: image.imageIndex,
    imageUrl: publicUrl(image.imageUrl),
    sentAt: image.sentAt,
    shownAt,
    timing: null,
    within: null,
    recordingStartedAt,
    startEventAt: null,
    offset: shownAt - recordingStartedAt,
    hiddenAt: null,
    troubles: troubles.map((what) => ({ what, at: recordingStartedAt })),
    mimeType,
    size: 0,
  };
}
