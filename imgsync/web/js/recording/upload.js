/**
 * Recordings to the study's server, where their participants have agreed to it, one after the other,
 * until it has answered each with a 2xx. A server may get one twice, where its answer was lost: it has
 * the same name, and the later one is as good.
 *
 * @import { RecordingStore, Row } from "./store.js"
 */

import { hostOf, mayGoTo } from "./destination.js";
import { fileName, jsonName, jsonOf } from "./files.js";

const MAX_PAUSE_S = 60;
/** For one: a minute, and what it takes at 80 kbit/s. */
const POST_MS = 60_000;
const BYTES_PER_MS = 10;

export class Upload {
  /** Of rounds in a row. */
  failures = 0;
  #store;
  #changed;
  /** @type {string | null} */
  #url = null;
  #isBusy = false;
  /** There may be more by now. */
  #isStale = false;
  /** Failed ones, by the key of the recording. @type {Map<number, number>} */
  #tries = new Map();
  /** @type {number | undefined} */
  #timer;

  /** @param {RecordingStore} store @param {() => void} changed something was sent, or a round is over */
  constructor(store, changed) {
    this.#store = store;
    this.#changed = changed;
    addEventListener("online", () => this.wake());
  }

  /** @param {string | null} url where to post them; null for nowhere */
  sendTo(url) {
    this.#url = url;
    this.wake();
  }

  /** There are more, or the network has come back. */
  wake() {
    this.#isStale = true;
    clearTimeout(this.#timer);
    if (this.#url !== null && !this.#isBusy) void this.#run();
  }

  async #run() {
    this.#isBusy = true;
    let isDone = true;
    while (this.#isStale && isDone) {
      this.#isStale = false;
      await this.#store.alone(async () => {
        isDone = await this.#round();
      });
    }
    this.#isBusy = false;
    if (isDone) {
      this.failures = 0;
    } else {
      this.failures += 1;
      const limit = Math.min(MAX_PAUSE_S, 2 ** this.failures);
      this.#timer = setTimeout(() => this.wake(), limit * (0.5 + Math.random() / 2) * 1000);
    }
    this.#changed();
  }

  /** @returns {Promise<boolean>} whether all are sent that may go there */
  async #round() {
    const url = this.#url;
    if (url === null) return true;
    const rows = (await this.#store.finished()).filter((row) => mayGoTo(row, hostOf(url)));
    const tries = (/** @type {Row} */ { key }) => this.#tries.get(key) ?? 0;
    // One that is not taken, or can't be read, is not to keep back those behind it.
    rows.sort((one, other) => tries(one) - tries(other));
    for (const row of rows) {
      if (!(await this.#post(row, url))) {
        this.#tries.set(row.key, tries(row) + 1);
        return false;
      }
      await this.#store.remove(row.key);
      this.#tries.delete(row.key);
      this.#changed();
    }
    return true;
  }

  /** @param {Row} row @param {string} url @returns {Promise<boolean>} whether the server has it */
  async #post(row, url) {
    try {
      const form = new FormData();
      form.set("metadata", jsonOf(row), jsonName(row));
      form.set("recording", await this.#store.read(row), fileName(row));
      /** @type {RequestInit} */
      const request = {
        method: "POST",
        body: form,
        credentials: "omit",
        referrerPolicy: "no-referrer",
        // Where it leads may answer 2xx without having got anything.
        redirect: "error",
        // Images go first.
        priority: "low",
        signal: AbortSignal.timeout(POST_MS + row.about.size / BYTES_PER_MS),
      };
      return (await fetch(url, request)).ok;
    } catch (error) {
      console.debug(`recording ${row.stem} was not sent: ${error}`);
      return false;
    }
  }
}
