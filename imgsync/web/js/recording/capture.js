/**
 * One recording, from the onset of an image to its end. What the recorder gives goes into the store
 * at once, so that a page that dies loses the last second and no more.
 *
 *     start ──▶ begun in the store ──▶ chunks ──▶ stop, or the device has gone ──▶ finished
 *
 * @import { About, RecordingStore } from "./store.js"
 * @import { Image } from "../core/protocol/wire.js"
 */

import { publicUrl } from "../core/protocol/urls.js";
import { now } from "../peer/clock.js";

/** What a page that dies may lose. */
const CHUNK_MS = 1000;
/** For so long the recording of an image that was up only shortly waits for its first frame, without
 * which there would be none; on a busy machine that is some 100 ms. */
const FIRST_MS = 2000;

export class Capture {
  /** All that there is of it is in the store. @type {Promise<void>} rejects as the store does */
  done;
  #recorder;
  #store;
  /** @type {About} */
  #about;
  /** Key of its row. @type {Promise<number>} */
  #key;
  /** The writes are done one after the other. @type {Promise<unknown>} */
  #writes;
  #chunks = 0;

  /**
   * It starts at once.
   *
   * @param {MediaRecorder} recorder that has not been started
   * @param {RecordingStore} store
   * @param {string} userId
   * @param {string | null} destination the host that they have agreed to
   * @param {Image} image
   * @param {number} shownAt as far as it is known
   * @throws {DOMException} where the recorder can't start
   */
  constructor(recorder, store, userId, destination, image, shownAt) {
    this.#recorder = recorder;
    this.#store = store;
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
    recorder.addEventListener("start", () => this.#started());
    recorder.addEventListener("dataavailable", ({ data }) => this.#append(data));
    // First of all: what follows can wait until the frame is on the screen.
    const recordingStartedAt = now();
    recorder.start(CHUNK_MS);
    const { imageIndex, imageUrl, sentAt } = image;
    this.#about = {
      userId,
      imageIndex,
      imageUrl: publicUrl(imageUrl),
      sentAt,
      shownAt,
      recordingStartedAt,
      startEventAt: null,
      offset: shownAt - recordingStartedAt,
      hiddenAt: null,
      mimeType: recorder.mimeType,
      size: 0,
    };
    this.#key = store.begin({ ...this.#about }, destination);
    this.#writes = this.#key;
    this.#writes.catch(() => this.breakOff());
    this.done = stopped.then(() => this.#finish());
  }

  /** Now it is known since when its image is on the screen. @param {number} shownAt */
  shown(shownAt) {
    this.#about.shownAt = shownAt;
    this.#about.offset = shownAt - this.#about.recordingStartedAt;
  }

  /** Its image is not seen any more. @param {number} hiddenAt */
  stop(hiddenAt) {
    // One whose device has gone ended before the image did.
    if (this.#recorder.state === "inactive") return;
    this.#about.hiddenAt = hiddenAt;
    if (this.#about.startEventAt === null) setTimeout(() => this.breakOff(), FIRST_MS);
    else this.breakOff();
  }

  /** Whatever its image does. */
  breakOff() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  #started() {
    this.#about.startEventAt = now();
    if (this.#about.hiddenAt !== null) this.breakOff();
  }

  /** @param {Blob} chunk */
  #append(chunk) {
    if (chunk.size === 0) return;
    const number = this.#chunks++;
    this.#writes = this.#writes.then(async () => {
      const size = this.#about.size + chunk.size;
      await this.#store.append(await this.#key, number, chunk, { ...this.#about, size });
      this.#about.size = size;
      this.#about.mimeType = this.#recorder.mimeType;
    });
    // Behind a hole, what follows can't be played.
    this.#writes.catch(() => this.breakOff());
  }

  async #finish() {
    try {
      await this.#writes;
    } catch (error) {
      this.#about.hiddenAt = null;
      // What was written before is kept; where it was nothing, there is nothing to finish.
      await this.#key.then((key) => this.#store.finish(key, this.#about)).catch(() => {});
      throw error;
    }
    await this.#store.finish(await this.#key, this.#about);
  }
}
