/**
 * What one page of the console keeps: its row, the events of its record, and the series. All of it is
 * in memory, too. What could not be written is written with what comes next, and all of it anew where
 * storage was emptied meanwhile.
 *
 * @import { Image } from "../core/protocol/wire.js"
 * @import { RecordEvent } from "./journal.js"
 * @import { Listed, Study } from "./manifest.js"
 *
 * @typedef {{images: readonly Listed[], name: string, source: string | null, token: string | null,
 *   study?: Study | null}} Loaded `source`: the manifest's URL, where it can be read again; `token`: of pictures
 *   from the evaluator's own disk, see own_series.js; `study`: where it is one
 * @typedef {Loaded & {address: string | null, since: number, readAt: number}} Series
 *   `address`: the manifest's URL, where the page's own address named it; `since` and `readAt`: when it
 *   was loaded, and read last, in milliseconds since the epoch
 * @typedef {{sessionId: string, clientId: string, current: Image | null, index: number | null,
 *   isOver: boolean, isGoing?: boolean}} Place `index`: of what is shown of the series; `isGoing`: by itself
 *
 * @typedef {object} PageRow what one page has kept
 * @property {number} id
 * @property {string} page that writes it
 * @property {string} tab which tab's it is, over reloads
 * @property {number} at when it was written last, as `warnedAt` in milliseconds since the epoch
 * @property {number} count events
 * @property {number} showings
 * @property {boolean} isDownloaded
 * @property {number | null} warnedAt when it was told that it is old, and will be dropped
 * @property {Place | null} place
 */

import { Connection, answer } from "../page/storage.js";
import { withoutBytes } from "./own_series.js";

/** Nothing that the console keeps takes long; a person waits for some of it. */
const ANSWER_MS = 5000;

/** @param {string} name @returns {Connection} to what the pages of a console have kept */
export function connectionTo(name) {
  const make = (/** @type {IDBDatabase} */ database) => {
    database.createObjectStore("pages", { keyPath: "id", autoIncrement: true });
    database.createObjectStore("events");
    database.createObjectStore("series");
  };
  return new Connection(name, make, ANSWER_MS);
}

export class OwnPage {
  /** Whether the browser keeps all of it. */
  isKept = false;
  row;
  /** @type {Series | null} */
  series = null;
  #connection;
  #earlier;
  #changed;
  /** In parts, each under a key that it has for good. @type {Map<number, readonly RecordEvent[]>} */
  #parts = new Map();
  /** Keys of those that are not written. @type {Set<number>} */
  #unwritten = new Set();
  #isSeriesWritten = true;
  /** The one that this page is in, or enters. @type {IDBDatabase | null} */
  #known = null;
  /** @type {Promise<void>} */
  #entered = Promise.resolve();
  #writing = 0;

  /**
   * @param {Connection} connection
   * @param {PageRow} row whose id is 0 as long as it has none
   * @param {readonly RecordEvent[]} earlier of pages before this one, which may be filled later
   * @param {() => void} changed whether it is kept
   */
  constructor(connection, row, earlier, changed) {
    this.#connection = connection;
    this.row = row;
    this.#earlier = earlier;
    this.#changed = changed;
  }

  /** @param {readonly RecordEvent[]} events */
  add(events) {
    this.#parts.set(this.row.count, events);
    this.#unwritten.add(this.row.count);
  }

  /** @param {Series} series */
  keepSeries(series) {
    this.series = series;
    this.#isSeriesWritten = false;
  }

  /** Write what there is to be written. Never rejects: `isKept` says whether it has come to anything. */
  async write() {
    // Where storage does not answer, one waits for it, and later ones write what that could not.
    if (!this.isKept && this.#writing > 0) return;
    this.#writing += 1;
    const isKept = await this.#connection.use((database) => this.#write(database)).then(
      () => true,
      () => false, // forbidden, full, gone, or silent
    );
    if (!isKept) this.#known = null;
    this.#writing -= 1;
    if (isKept === this.isKept) return;
    this.isKept = isKept;
    this.#changed();
    // What came meanwhile did not wait for its turn.
    if (isKept && this.#unwritten.size > 0) await this.write();
  }

  /** @param {IDBDatabase} database */
  async #write(database) {
    if (database !== this.#known) {
      this.#known = database;
      this.#entered = this.#enter(database);
    }
    await this.#entered;
    const keys = [...this.#unwritten];
    const { series, row } = this;
    await done(
      write(database, (transaction) => {
        for (const key of keys) {
          transaction.objectStore("events").put(this.#parts.get(key), [row.id, key]);
        }
        if (!this.#isSeriesWritten) transaction.objectStore("series").put(series && bare(series), row.id);
        return transaction.objectStore("pages").put(row);
      }),
    );
    for (const key of keys) this.#unwritten.delete(key);
    if (series === this.series) this.#isSeriesWritten = true;
  }

  /** Be in it, with an id that no other page has. @param {IDBDatabase} database */
  async #enter(database) {
    const { id, ...row } = this.row;
    const pages = database.transaction("pages").objectStore("pages");
    const found = id === 0 ? undefined : await answer(pages.get(id));
    if (found?.page !== row.page) {
      this.row.id = Number(await answer(write(database, (t) => t.objectStore("pages").add(row))));
      // What pages before this one have left was lost with the rest.
      if (id !== 0) this.#parts.set(0, this.#earlier);
      for (const key of this.#parts.keys()) this.#unwritten.add(key);
      this.#isSeriesWritten = this.series === null;
      void navigator.locks?.request(lockOf(this.#connection.name, this.row), () => new Promise(() => {}));
    }
  }
}

/** @param {Series} series @returns {Series} without what the picture store keeps */
function bare(series) {
  return series.token === null ? series : { ...series, images: withoutBytes(series.images) };
}

/**
 * @param {Connection} connection
 * @param {number} id of a page
 * @returns {Promise<Set<string | null>>} the tokens of all series that other pages have
 */
export function otherTokens(connection, id) {
  return connection.use(async (database) => {
    const series = database.transaction("series").objectStore("series");
    const [keys, all] = await Promise.all([answer(series.getAllKeys()), answer(series.getAll())]);
    return new Set(all.filter((_, place) => keys[place] !== id).map((one) => one?.token ?? null));
  });
}

/** Who has it is the page that writes this row. @param {string} name @param {PageRow} row */
export function lockOf(name, { id }) {
  return `${name} ${id}`;
}

/**
 * It is committed at once: a page that goes away now has written it.
 *
 * @param {IDBDatabase} database
 * @param {(transaction: IDBTransaction) => IDBRequest} act
 */
export function write(database, act) {
  const stores = ["pages", "events", "series"];
  const transaction = database.transaction(stores, "readwrite", { durability: "relaxed" });
  const request = act(transaction);
  transaction.commit?.();
  return request;
}

/** @param {IDBRequest} request @returns {Promise<void>} once all of its transaction is written */
export function done({ transaction }) {
  return new Promise((resolve, reject) => {
    if (transaction === null) return resolve();
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
  });
}
