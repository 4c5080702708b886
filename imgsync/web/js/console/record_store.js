/**
 * What a console keeps in this browser until it is downloaded or removed: the record, the series, and
 * where the session stands. Each page writes under a number of its own, and never over another's. It
 * takes over what pages before it have left, and leaves alone what another tab has open:
 *
 *     page ── writes, holds a lock ──▶ gone ──▶ taken over by the next one ──▶ ...
 *                                               ├──▶ dropped, once it was downloaded
 *                                               └──▶ dropped when it is old, a day after that was told
 *
 * Where there is no storage, or it fails, the console goes on without: `isKept` says so.
 *
 * @import { Image, ImageSource } from "../core/protocol/wire.js"
 * @import { RecordEvent } from "./journal.js"
 *
 * @typedef {{name: string, address: string | null, source: string | null, since: number,
 *   readAt: number, images: ImageSource[]}} Series
 *   `address`: the manifest's URL, where the page's own address named it; `source`: where it can be
 *   read again; `since` and `readAt`: when it was loaded, and read last, in milliseconds since the
 *   epoch
 * @typedef {{sessionId: string, clientId: string, current: Image | null, index: number | null,
 *   isOver: boolean}} Place `index`: of what is shown of the series
 *
 * @typedef {object} PageRow what one page has kept
 * @property {number} id
 * @property {string} tab which tab's it is, over reloads
 * @property {number} at when it was written last, as `warnedAt` in milliseconds since the epoch
 * @property {number} count events
 * @property {number} showings
 * @property {boolean} isDownloaded
 * @property {number | null} warnedAt when it was told that it is old, and will be dropped
 * @property {Place | null} place
 */

/** What was not downloaded is dropped then, too. */
export const KEEP_DAYS = 30;

const OPEN_MS = 3000;
/** A page that is being replaced by its successor is gone by then. */
const HANDOVER_MS = 1000;
const DAY_MS = 24 * 3600 * 1000;

const STORES = ["pages", "events", "series"];

export class RecordStore {
  /** Whether the browser keeps all of it. */
  isKept = false;
  /** Whether some of it is to be dropped soon. */
  isOld = false;
  /** Whether this tab had a page before this one. */
  isReload = false;
  /** Showings that were not downloaded. */
  unsaved = 0;
  /** What pages before this one have left. @type {RecordEvent[]} */
  earlier = [];
  /** @type {Series | null} */
  series = null;
  /** What goes wrong later is told. */
  changed = () => {};
  #name;
  /** @type {IDBDatabase | null} */
  #database = null;
  /** @type {PageRow} */
  #row;
  /** Events that are not written yet. @type {RecordEvent[]} */
  #unwritten = [];
  #isWriteDue = false;

  /** @param {string} userId */
  constructor(userId) {
    // Relays under several paths of one origin share its storage; their records are of other studies.
    this.#name = `imgsync console of ${userId} at ${location.pathname}`;
    const [tab, at] = [tabOf(this.#name), Date.now()];
    const nothing = { count: 0, showings: 0, isDownloaded: false, warnedAt: null, place: null };
    this.#row = { id: 0, tab, at, ...nothing };
  }

  /** @param {string} userId @returns {Promise<RecordStore>} in any case */
  static async open(userId) {
    const store = new RecordStore(userId);
    try {
      await store.#begin();
    } catch {
      store.#database = null; // a private window, or one whose storage is forbidden
    }
    store.isKept = store.#database !== null;
    return store;
  }

  async #begin() {
    const database = await openDatabase(this.#name);
    database.onclose = () => this.#fail();
    const held = await heldLocks();
    /** @type {PageRow[]} */
    const rows = await answer(database.transaction("pages").objectStore("pages").getAll());
    const nameOf = (/** @type {PageRow} */ { id }) => `${this.#name} ${id}`;
    for (const row of rows.filter(({ tab }) => tab === this.#row.tab)) {
      if (!held.has(nameOf(row)) || (await isLetGo(nameOf(row)))) held.delete(nameOf(row));
      // A tab that was duplicated has the memory of the first one.
      else this.#row.tab = newTab(this.#name);
    }
    const { id, ...row } = this.#row;
    this.#row.id = Number(await answer(write(database, (t) => t.objectStore("pages").add(row))));
    void navigator.locks?.request(nameOf(this.#row), () => new Promise(() => {}));
    await this.#takeOver(database, rows.filter((one) => !held.has(nameOf(one))));
    this.#database = database;
  }

  /** @param {IDBDatabase} database @param {PageRow[]} left by pages that are gone, the oldest first */
  async #takeOver(database, left) {
    for (const row of left) {
      const isOurs = row.tab === this.#row.tab;
      this.isReload ||= isOurs;
      if (isOurs) this.#row.isDownloaded = row.isDownloaded;
      const events = await answer(database.transaction("events").objectStore("events").getAll(rangeOf(row.id)));
      const series = await answer(database.transaction("series").objectStore("series").get(row.id));
      const isSpent = (row.isDownloaded && !isOurs) || this.#isOverdue(row);
      const isEmpty = row.count < 2; // but for its header
      if (!isSpent) {
        if (!isEmpty) this.earlier.push(...events.flat());
        this.series = series ?? this.series;
        this.#row.place = row.place ?? this.#row.place;
        if (!row.isDownloaded) this.unsaved += row.showings;
      }
      await done(
        write(database, (transaction) => {
          // Of what it has, the series and its place go on with this page.
          transaction.objectStore("series").delete(row.id);
          if (isSpent || isEmpty) drop(transaction, row.id);
          else transaction.objectStore("pages").put({ ...row, tab: this.#row.tab, place: null });
          return transaction.objectStore("series").put(this.series, this.#row.id);
        }),
      );
    }
  }

  /** Whether it is too old to be kept, and that was told in time. @param {PageRow} row */
  #isOverdue(row) {
    if (row.isDownloaded || row.showings === 0 || Date.now() - row.at < KEEP_DAYS * DAY_MS) return false;
    if (row.warnedAt !== null && Date.now() - row.warnedAt > DAY_MS) return true;
    row.warnedAt ??= Date.now();
    this.isOld = true;
    return false;
  }

  /** Where a session stands that was left without an end. @returns {Place | null} */
  get place() {
    return this.#row.place;
  }

  /** @param {RecordEvent} event */
  add(event) {
    this.#unwritten.push(event);
    this.#row.count += 1;
    this.#row.at = Date.now();
    if (event.event === "show") {
      this.#row.showings += 1;
      this.#row.isDownloaded = false;
      this.unsaved += 1;
    }
    this.#writeSoon();
  }

  /** @param {Place} place */
  keepPlace(place) {
    if (JSON.stringify(place) === JSON.stringify(this.#row.place)) return;
    this.#row.place = place;
    this.#writeSoon();
  }

  /** @param {Series} series */
  keepSeries(series) {
    if (series.since !== this.series?.since) this.#row.isDownloaded = false;
    this.series = series;
    this.#write((transaction) => transaction.objectStore("series").put(series, this.#row.id));
  }

  /** All of it was downloaded, as far as a page can know. */
  async markDownloaded() {
    this.unsaved = 0;
    this.isOld = false;
    this.#row.isDownloaded = true;
    this.#writeSoon();
    for (const row of await this.#rows()) {
      this.#write((transaction) => transaction.objectStore("pages").put({ ...row, isDownloaded: true }));
    }
  }

  /** Forget all of it, and keep nothing more. */
  async remove() {
    const ids = (await this.#rows()).map(({ id }) => id);
    this.unsaved = 0;
    const database = this.#database;
    this.#database = null;
    if (database === null) return;
    for (const id of [...ids, this.#row.id]) {
      await done(
        write(database, (transaction) => {
          drop(transaction, id);
          return transaction.objectStore("series").delete(id);
        }),
      );
    }
  }

  /** Of the pages before this one. @returns {Promise<PageRow[]>} */
  async #rows() {
    if (this.#database === null) return [];
    const rows = await answer(this.#database.transaction("pages").objectStore("pages").getAll());
    return rows.filter(({ id, tab }) => tab === this.#row.tab && id !== this.#row.id);
  }

  #writeSoon() {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    // Writing takes milliseconds, and what is to be sent now must not wait for it.
    queueMicrotask(() => {
      this.#isWriteDue = false;
      const events = this.#unwritten.splice(0);
      const { id, count } = this.#row;
      this.#write((transaction) => {
        if (events.length > 0) transaction.objectStore("events").put(events, [id, count]);
        return transaction.objectStore("pages").put(this.#row);
      });
    });
  }

  /** @param {(transaction: IDBTransaction) => IDBRequest} act */
  #write(act) {
    if (this.#database === null) return;
    try {
      const { transaction } = write(this.#database, act);
      if (transaction !== null) transaction.onabort = () => this.#fail();
    } catch {
      this.#fail(); // the connection is closed, as iOS does
    }
  }

  /** What follows is in this window only. */
  #fail() {
    this.isKept = false;
    this.changed();
  }
}

/** @param {string} name @returns {string} which tab this is, over reloads */
function tabOf(name) {
  try {
    return sessionStorage.getItem(`${name}: tab`) ?? newTab(name);
  } catch {
    return newTab(name); // it may be forbidden
  }
}

/** @param {string} name */
function newTab(name) {
  // Not randomUUID, which only secure pages have.
  const tab = crypto.getRandomValues(new Uint32Array(4)).join("-");
  try {
    sessionStorage.setItem(`${name}: tab`, tab);
  } catch {
    // Then a reload is another tab.
  }
  return tab;
}

/** @param {string} name @returns {Promise<IDBDatabase>} */
function openDatabase(name) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    setTimeout(reject, OPEN_MS, new Error("it does not answer"));
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("pages", { keyPath: "id", autoIncrement: true });
      opening.result.createObjectStore("events");
      opening.result.createObjectStore("series");
    };
    answer(opening).then(resolve, reject);
  });
}

/** @returns {Promise<Set<string | undefined>>} names; none on a page that is not secure, which has no locks */
async function heldLocks() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return new Set(held.map((lock) => lock.name));
}

/** @param {string} name @returns {Promise<boolean>} whether the lock becomes free in a moment */
function isLetGo(name) {
  const options = { signal: AbortSignal.timeout(HANDOVER_MS) };
  return navigator.locks.request(name, options, () => true).catch(() => false);
}

/** @param {number} id of a page @returns {IDBKeyRange} the keys of its events */
function rangeOf(id) {
  return IDBKeyRange.bound([id], [id, []]);
}

/** @param {IDBTransaction} transaction @param {number} id of a page */
function drop(transaction, id) {
  transaction.objectStore("pages").delete(id);
  transaction.objectStore("events").delete(rangeOf(id));
}

/**
 * It is committed at once: a page that goes away now has written it.
 *
 * @param {IDBDatabase} database
 * @param {(transaction: IDBTransaction) => IDBRequest} act
 */
function write(database, act) {
  const transaction = database.transaction(STORES, "readwrite", { durability: "relaxed" });
  const request = act(transaction);
  transaction.commit?.();
  return request;
}

/** @param {IDBRequest} request @returns {Promise<void>} once all of its transaction is written */
function done({ transaction }) {
  return new Promise((resolve, reject) => {
    if (transaction === null) return resolve();
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
