/**
 * What was recorded, on this device until it is elsewhere: sent to the study's server, or saved by
 * the participant.
 *
 * @import { Row } from "./store.js"
 * @import { Recordings } from "./panel.js"
 */

import { download, pickFolder, writeTo } from "./files.js";
import { hostOf } from "./destination.js";
import { Damaged, RecordingStore } from "./store.js";
import { Upload } from "./upload.js";
import { describeNotSaved } from "../words/recording.js";

export class Archive {
  #userId;
  #changed;
  #upload;
  /** @type {string | null} */
  #host = null;
  /** Why the last ones were not saved. */
  #failed = "";

  /**
   * @param {RecordingStore} store
   * @param {string} userId
   * @param {(news: Partial<Recordings>) => void} changed
   */
  constructor(store, userId, changed) {
    this.store = store;
    this.#userId = userId;
    this.#changed = changed;
    this.#upload = new Upload(store, () => void this.#refresh());
  }

  /** Forget what earlier pages have saved, finish what they have left, and look what there is. */
  async tidy() {
    await this.store.purge();
    await this.store.adopt(() => this.wake());
    await this.#refresh();
  }

  /** @param {string | null} url where to send them; null for nowhere */
  sendTo(url) {
    this.#host = hostOf(url);
    this.#upload.sendTo(url);
    void this.#refresh();
  }

  /** Also what was refused. */
  sendAgain() {
    this.#upload.tryAgain();
  }

  /** There may be more in the store. */
  wake() {
    void this.#refresh();
    this.#upload.wake();
  }

  /** Into a folder, which is asked for. @param {() => readonly Row[]} rows those to save, once it is known */
  async saveAll(rows) {
    await this.#attempt(async () => {
      const folder = await pickFolder?.();
      if (folder === undefined) return;
      for (const row of rows()) {
        try {
          await writeTo(folder, this.store, row);
          await this.store.remove(row.key);
        } catch (error) {
          // The others can be saved.
          if (!(error instanceof Damaged)) throw error;
          this.#failed = describeNotSaved(error);
        }
        await this.#refresh();
      }
      this.#changed({ folder: folder.name });
    });
  }

  /** As a download. @param {Row} row */
  async save(row) {
    await this.#attempt(async () => {
      await download(this.store, row);
      await this.store.markSaved(row.key);
      await this.#refresh();
    });
  }

  async #refresh() {
    const all = await this.store.finished().catch(() => null);
    // Storage is not there; whoever writes into it has it opened again, and wakes us.
    if (all === null) return;
    // Those of another participant at this device are nobody else's to see.
    const rows = all.filter(({ about }) => about.userId === this.#userId);
    this.#changed({ rows, sent: { host: this.#host, ...this.#upload.sent }, failed: this.#failed });
  }

  /** @param {() => Promise<void>} save */
  async #attempt(save) {
    this.#failed = "";
    try {
      await save();
    } catch (error) {
      const isDropped = error instanceof DOMException && error.name === "AbortError";
      if (!isDropped) this.#failed = describeNotSaved(/** @type {Error} */ (error));
    }
    this.#changed({ failed: this.#failed });
  }
}
