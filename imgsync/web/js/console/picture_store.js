/**
 * Pictures in this browser's storage, for a reload: each under the token of its series and its name.
 *
 * In IndexedDB, not in the origin's private file system (OPFS), which has no way to write in Safari before
 * 26, and is not there at all on pages by plain http. Blobs lie on the disk in either.
 *
 * A series that no page has is dropped by whoever comes next. Which those are the record store knows,
 * where it can tell the pages that are there still: by locks. On a page without them a series is dropped by
 * the page that has made it, or after a day.
 *
 * @import { Listed } from "./manifest.js"
 *
 * @typedef {{state: "keeping" | "kept" | "full" | "none", kept: number}} Keeping `kept`: how many of them are
 */

import { Connection, StorageFull, answer } from "../page/storage.js";

/** Bytes of one series, where the browser gives as much. */
export const MAX_SERIES = 1024 * 1024 * 1024;
/** What is left free, for the record and other pages. */
const FREE = 0.2;
/** Bytes that are written at a time, so that a page that goes away has not written in vain. */
const BATCH = 8 * 1024 * 1024;
const MAX_BATCH = 100;
const DAY_MS = 24 * 3600 * 1000;

export class PictureStore {
  /** @type {Keeping} */
  keeping = { state: "keeping", kept: 0 };
  #connection;
  #changed;
  /** Tokens of series that this page has made. @type {Set<string>} */
  #mine = new Set();
  /** What is to be kept now. @type {{token: string, images: readonly Listed[]} | null} */
  #wanted = null;
  #isBusy = false;

  /** @param {string} userId @param {() => void} changed what is kept */
  constructor(userId, changed) {
    this.#changed = changed;
    this.#connection = new Connection(`imgsync pictures of ${userId} at ${location.pathname}`, (database) => {
      database.createObjectStore("series");
      database.createObjectStore("pictures");
    });
  }

  /**
   * @param {string} token
   * @returns {Promise<Map<string, Blob>>} by `imageUrl`
   */
  load(token) {
    return this.#connection.use(async (database) => {
      const pictures = database.transaction("pictures").objectStore("pictures");
      const [keys, blobs] = await Promise.all([
        answer(pictures.getAllKeys(rangeOf(token))),
        answer(pictures.getAll(rangeOf(token))),
      ]);
      return new Map(keys.map((key, place) => [/** @type {string[]} */ (key)[1] ?? "", blobs[place]]));
    });
  }

  /** In the place of what was to be kept. @param {string} token @param {readonly Listed[]} images */
  keep(token, images) {
    this.#wanted = { token, images };
    this.#mine.add(token);
    this.#tell({ state: "keeping", kept: 0 });
    void this.#keepAll();
  }

  /**
   * Drop what no page has any more.
   *
   * @param {ReadonlySet<string | null>} used tokens of series that pages have
   */
  async purge(used) {
    const rows = await this.#connection.use(async (database) => {
      const series = database.transaction("series").objectStore("series");
      const [keys, ats] = await Promise.all([answer(series.getAllKeys()), answer(series.getAll())]);
      return keys.map((key, place) => ({ token: String(key), at: Number(ats[place]) }));
    });
    const isOver = (/** @type {{token: string, at: number}} */ { token, at }) =>
      navigator.locks !== undefined || this.#mine.has(token) || Date.now() - at > DAY_MS;
    for (const row of rows.filter(({ token }) => !used.has(token)).filter(isOver)) await this.drop(row.token);
  }

  /** @param {string} token */
  async drop(token) {
    if (this.#wanted?.token === token) this.#wanted = null;
    await this.#write((transaction) => {
      transaction.objectStore("pictures").delete(rangeOf(token));
      transaction.objectStore("series").delete(token);
    });
  }

  /** One after the other: what is wanted may be another before all of it is written. */
  async #keepAll() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#wanted !== null) {
      const wanted = this.#wanted;
      const keeping = await this.#keepThese(wanted).catch(
        /** @returns {Keeping} */ (error) => ({ state: error instanceof StorageFull ? "full" : "none", kept: 0 }),
      );
      if (this.#wanted !== wanted) continue;
      this.#wanted = null;
      this.#tell(keeping);
    }
    this.#isBusy = false;
  }

  /** @param {{token: string, images: readonly Listed[]}} wanted @returns {Promise<Keeping>} */
  async #keepThese(wanted) {
    const { token, images } = wanted;
    await this.#write((transaction) => transaction.objectStore("series").put(Date.now(), token));
    const there = await this.#namesOf(token);
    const named = new Set(images.map(({ imageUrl }) => imageUrl));
    const surplus = [...there].filter((name) => !named.has(name));
    await this.#write((transaction) => {
      for (const name of surplus) transaction.objectStore("pictures").delete([token, name]);
    });
    const candidates = images.filter((image) => isHere(image) || there.has(image.imageUrl));
    let room = await roomFor();
    let size = 0;
    let kept = 0;
    for (const batch of inBatches([...new Map(candidates.map((image) => [image.imageUrl, image])).values()])) {
      if (this.#wanted !== wanted) break;
      const fitting = batch.filter(({ own }) => (size += own?.facts.bytes ?? 0) <= MAX_SERIES);
      const fresh = fitting.filter(({ imageUrl }) => !there.has(imageUrl));
      const bytes = fresh.reduce((sum, { own }) => sum + (own?.facts.bytes ?? 0), 0);
      if (bytes > room) return { state: "full", kept };
      room -= bytes;
      if (fresh.length > 0) {
        const isKept = await this.#write((transaction) => {
          for (const { imageUrl, own } of fresh) transaction.objectStore("pictures").put(own?.blob, [token, imageUrl]);
        }).then(() => true, refuseAllButFull);
        if (!isKept) return { state: "full", kept };
      }
      kept += fitting.length;
      if (fitting.length < batch.length) return { state: "full", kept };
    }
    return { state: "kept", kept };
  }

  /** @param {string} token @returns {Promise<Set<string>>} */
  async #namesOf(token) {
    const keys = await this.#connection.use((database) =>
      answer(database.transaction("pictures").objectStore("pictures").getAllKeys(rangeOf(token))),
    );
    return new Set(keys.map((key) => /** @type {string[]} */ (key)[1] ?? ""));
  }

  /** @param {(transaction: IDBTransaction) => void} act @returns {Promise<void>} once it is written */
  #write(act) {
    return this.#connection.use(
      (database) =>
        new Promise((resolve, reject) => {
          const transaction = database.transaction(["series", "pictures"], "readwrite");
          transaction.oncomplete = () => resolve();
          transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
          act(transaction);
        }),
    );
  }

  /** @param {Keeping} keeping */
  #tell(keeping) {
    this.keeping = keeping;
    this.#changed();
  }
}

/** @param {string} token @returns {IDBKeyRange} the keys of its pictures */
function rangeOf(token) {
  return IDBKeyRange.bound([token], [token, []]);
}

/** @param {Listed} image */
function isHere({ own }) {
  return own !== undefined && own.blob !== null;
}

/** @param {unknown} error @returns {false} */
function refuseAllButFull(error) {
  if (!(error instanceof StorageFull)) throw error;
  return false;
}

/** @returns {Promise<number>} bytes that may be written; no browser says it exactly */
async function roomFor() {
  const estimate = await navigator.storage?.estimate?.().catch(() => null);
  return (estimate?.quota ?? Infinity) * (1 - FREE) - (estimate?.usage ?? 0);
}

/** @param {readonly Listed[]} images */
function* inBatches(images) {
  /** @type {Listed[]} */
  let batch = [];
  let size = 0;
  for (const image of images) {
    batch.push(image);
    size += image.own?.facts.bytes ?? 0;
    if (size < BATCH && batch.length < MAX_BATCH) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}
