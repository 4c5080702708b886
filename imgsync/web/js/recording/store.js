/**
 * Recordings in this browser's storage, until they are somewhere else: in chunks, as they come.
 *
 *     begin ──▶ append ... ──▶ finish ──▶ remove         (the server has it, or a folder)
 *                                    └──▶ markSaved ──▶ purge, when a page is loaded
 *
 * A page that writes holds a lock for as long as it lives. Whoever gets the lock of another page knows
 * that it is gone, and finishes what it has left.
 *
 * Storage may be emptied at any time, as when a site's data is removed, so that no key is ever used for
 * two recordings.
 *
 * @import { Timing } from "../core/protocol/wire.js"
 *
 * @typedef {object} About a recording, as the JSON beside it tells; times in milliseconds since the
 *   epoch, `sentAt` by the evaluator's clock, the others by that of this machine
 * @property {string} userId
 * @property {number} imageIndex
 * @property {string} imageUrl without its query, which may be a permission
 * @property {number} sentAt which showing of that image it is
 * @property {number} shownAt onset: since when the image was on the screen
 * @property {Timing | null} timing what is known of that; null where the page was gone before it was
 *   known: then `shownAt` is the frame that put the image up
 * @property {number | null} within how far from that the onset may be, in milliseconds
 * @property {number} recordingStartedAt when the recorder was told to start, which is where a
 *   recording begins
 * @property {number | null} startEventAt when the recorder said that it had; Chromium says it with
 *   the first that is encoded, which for sound is 80 ms later; null where it ended before
 * @property {number} offset of the onset in the recording, in milliseconds: `shownAt -
 *   recordingStartedAt`
 * @property {number | null} hiddenAt null where the recording broke off before
 * @property {readonly Trouble[]} troubles what is the matter with it; empty where nothing is
 * @property {string} mimeType
 * @property {number} size in bytes
 *
 * @typedef {{what: string, at: number}} Trouble a short word, such as `microphone_ended`, and when
 *
 * @typedef {object} Row
 * @property {number} key
 * @property {string} stem of its files' names
 * @property {string} writer the lock of the page that writes it; empty once it is finished
 * @property {boolean} isSaved downloaded: nobody tells a page whether that has worked
 * @property {string | null} destination the host that its participant's consent named; null for none,
 *   and absent from what older pages have left, which goes nowhere either
 * @property {About} about
 */

import { Connection, answer } from "../page/storage.js";
import { describeLoss } from "../words/recording.js";

/** Relays under several paths of one origin share its storage; their recordings are of other studies. */
const NAME = `imgsync recordings at ${location.pathname}`;
/** For how long another recording of one showing, by a page that was reloaded, gets another name. */
const NAMES_MS = 7 * 24 * 3600 * 1000;

/** Storage was emptied: there is nothing of this recording in it any more. */
export class RecordingGone extends Error {}

/** A part of this recording is not there, or can't be read. */
export class Damaged extends Error {}

export class RecordingStore {
  #connection = new Connection(NAME, (database) => {
    database.createObjectStore("rows", { keyPath: "key" });
    database.createObjectStore("chunks");
    database.createObjectStore("names");
  });
  #writer = `${NAME} ${crypto.randomUUID()}`;

  /** @returns {Promise<RecordingStore>} rejects where the browser keeps nothing for this page */
  static async open() {
    const store = new RecordingStore();
    await store.#connection.use(async () => {});
    void navigator.locks.request(store.#writer, () => new Promise(() => {}));
    return store;
  }

  /**
   * @param {About} about
   * @param {string | null} destination
   * @returns {Promise<number>} the key of a new recording
   */
  async begin(about, destination) {
    return this.#write(["rows", "names"], async (transaction) => {
      const names = transaction.objectStore("names");
      const rows = transaction.objectStore("rows");
      const stem = `${String(about.imageIndex).padStart(4, "0")}-${about.sentAt}`;
      const name = [about.userId, stem];
      const { takes } = (await answer(names.get(name))) ?? { takes: 0 };
      names.put({ takes: takes + 1, at: about.shownAt }, name);
      // In microseconds, as two begin in no one millisecond, but in two tabs.
      let key = Math.round(about.recordingStartedAt * 1000);
      while ((await answer(rows.getKey(key))) !== undefined) key += 1;
      rows.add({
        key,
        stem: takes === 0 ? stem : `${stem}-${takes + 1}`,
        writer: this.#writer,
        isSaved: false,
        destination,
        about,
      });
      return key;
    });
  }

  /**
   * @param {number} key
   * @param {number} number
   * @param {Blob} chunk
   * @param {About} about as it is with it
   * @throws {RecordingGone}
   */
  async append(key, number, chunk, about) {
    await this.#write(["rows", "chunks"], async (transaction) => {
      if (!(await change(transaction, key, { about }))) throw new RecordingGone();
      transaction.objectStore("chunks").put(chunk, [key, number]);
    });
  }

  /**
   * No chunk follows; one that has none was nothing.
   *
   * @param {number} key
   * @param {About} about
   * @throws {RecordingGone}
   */
  async finish(key, about) {
    if (about.size === 0) {
      await this.remove(key);
      return;
    }
    const isThere = await this.#write(["rows"], (t) => change(t, key, { about, writer: "" }));
    if (!isThere) throw new RecordingGone();
  }

  /** @param {number} key */
  async markSaved(key) {
    await this.#write(["rows"], (transaction) => change(transaction, key, { isSaved: true }));
  }

  /** @param {number} key */
  async remove(key) {
    await this.#write(["rows", "chunks"], async (transaction) => {
      transaction.objectStore("rows").delete(key);
      transaction.objectStore("chunks").delete(IDBKeyRange.bound([key], [key, []]));
    });
  }

  /** @returns {Promise<Row[]>} those that are finished, the oldest first */
  async finished() {
    return (await this.#rows()).filter(({ writer }) => writer === "");
  }

  /** @param {Row} row @returns {Promise<Blob>} @throws {Damaged} */
  async read({ key, about }) {
    const parts = await this.#connection.use((database) => {
      const chunks = database.transaction("chunks").objectStore("chunks");
      return answer(chunks.getAll(IDBKeyRange.bound([key], [key, []])));
    });
    const blob = new Blob(parts, { type: about.mimeType });
    if (blob.size !== about.size) throw new Damaged(describeLoss(blob.size, about.size));
    return blob;
  }

  /** Forget what was downloaded while an earlier page was open, and old names. */
  async purge() {
    for (const { key, isSaved } of await this.#rows()) if (isSaved) await this.remove(key);
    await this.#write(["names"], async (transaction) => {
      const names = transaction.objectStore("names");
      for (const name of await answer(names.getAllKeys())) {
        const { at } = await answer(names.get(name));
        if (at < Date.now() - NAMES_MS) names.delete(name);
      }
    });
  }

  /**
   * Finish what other pages have left, each as soon as it is gone.
   *
   * @param {() => void} finished
   */
  async adopt(finished) {
    const rows = (await this.#rows()).filter(({ writer }) => !["", this.#writer].includes(writer));
    for (const writer of new Set(rows.map((row) => row.writer))) {
      void navigator.locks.request(writer, async () => {
        for (const { key, about, ...row } of await this.#rows()) {
          if (row.writer === writer) await this.finish(key, about);
        }
        finished();
      });
    }
  }

  /** Do this while no other page does the same. @param {() => Promise<void>} act */
  async alone(act) {
    await navigator.locks.request(`${NAME} sender`, act);
  }

  /** @returns {Promise<Row[]>} */
  #rows() {
    return this.#connection.use((database) => answer(database.transaction("rows").objectStore("rows").getAll()));
  }

  /**
   * @template T
   * @param {string[]} stores
   * @param {(transaction: IDBTransaction) => Promise<T>} act
   * @returns {Promise<T>} once it is written @throws {StorageFull}
   */
  async #write(stores, act) {
    return this.#connection.use(async (database) => {
      const transaction = database.transaction(stores, "readwrite");
      const written = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
      });
      const [result] = await Promise.all([act(transaction), written]);
      return result;
    });
  }
}

/**
 * @param {IDBTransaction} transaction
 * @param {number} key
 * @param {Partial<Row>} news
 * @returns {Promise<boolean>} whether there is such a row
 */
async function change(transaction, key, news) {
  const rows = transaction.objectStore("rows");
  const row = await answer(rows.get(key));
  if (row !== undefined) rows.put({ ...row, ...news });
  return row !== undefined;
}
