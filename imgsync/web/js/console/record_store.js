/**
 * What a console keeps in this browser until it is downloaded or removed: the record, the series, and
 * where the session stands. Each page writes under a number of its own, and never over another's. It
 * takes over what pages before it have left, and leaves alone what another tab has open:
 *
 *     page ── writes, holds a lock ──▶ gone ──▶ taken over by the next one ──▶ ...
 *                                               ├──▶ dropped, once it was downloaded
 *                                               └──▶ dropped when it is old, a day after that was told
 *
 * Where there is no storage, or it fails, or does not answer, the console goes on without: `isKept` says
 * so. It is tried again with all that comes.
 *
 * @import { RecordEvent } from "./journal.js"
 * @import { PageRow, Place, Series } from "./own_page.js"
 */

import { answer, within } from "../page/storage.js";
import { timeout } from "../peer/clock.js";
import { OwnPage, connectionTo, done, lockOf, otherTokens, write } from "./own_page.js";

/** What was not downloaded is dropped then, too. */
export const KEEP_DAYS = 30;

/** A person does not wait longer for what pages before have left. */
const START_MS = 3000;
/** A page that is being replaced by its successor is gone by then. */
const HANDOVER_MS = 1000;
const DAY_MS = 24 * 3600 * 1000;

export class RecordStore {
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
  #connection;
  #own;
  /** Events that are not on their way. @type {RecordEvent[]} */
  #unwritten = [];
  #isWriteDue = false;
  /** Whether the page has begun without what was left. */
  #isLate = false;
  #isRemoved = false;

  /** @param {string} userId */
  constructor(userId) {
    // Relays under several paths of one origin share its storage; their records are of other studies.
    const name = `imgsync console of ${userId} at ${location.pathname}`;
    const nothing = { count: 0, showings: 0, isDownloaded: false, warnedAt: null, place: null };
    const row = { id: 0, page: random(), tab: tabOf(name), at: Date.now(), ...nothing };
    this.#connection = connectionTo(name);
    this.#own = new OwnPage(this.#connection, row, this.earlier, () => this.changed());
  }

  /** @param {string} userId @returns {Promise<RecordStore>} in any case, and soon */
  static async open(userId) {
    const store = new RecordStore(userId);
    try {
      await within(START_MS, store.#begin());
    } catch {
      store.#isLate = true; // a private window, or one whose storage is forbidden, or silent
    }
    return store;
  }

  async #begin() {
    const row = this.#own.row;
    const held = await heldLocks();
    const rows = await this.#allRows();
    const nameOf = (/** @type {PageRow} */ one) => lockOf(this.#connection.name, one);
    for (const one of rows.filter(({ tab }) => tab === row.tab)) {
      if (!held.has(nameOf(one)) || (await isLetGo(nameOf(one)))) held.delete(nameOf(one));
      // A tab that was duplicated has the memory of the first one.
      else row.tab = newTab(this.#connection.name);
    }
    await this.#own.write();
    const left = rows.filter((one) => !held.has(nameOf(one)));
    for (const one of left) if (!this.#isLate) await this.#takeOver(one);
  }

  /** @param {PageRow} row left by a page that is gone */
  async #takeOver(row) {
    const own = this.#own.row;
    const isOurs = row.tab === own.tab;
    const [parts, found] = await this.#connection.use((database) => {
      const transaction = database.transaction(["events", "series"]);
      const events = answer(transaction.objectStore("events").getAll(rangeOf(row.id)));
      return Promise.all([events, answer(transaction.objectStore("series").get(row.id))]);
    });
    if (this.#isLate) return;
    const isSpent = (row.isDownloaded && !isOurs) || this.#isOverdue(row);
    const isEmpty = row.count < 2; // but for its header
    this.isReload ||= isOurs;
    if (isOurs) own.isDownloaded = row.isDownloaded;
    if (!isSpent) {
      if (!isEmpty) this.earlier.push(...parts.flat());
      this.series = found ?? this.series;
      own.place = row.place ?? own.place;
      if (!row.isDownloaded) this.unsaved += row.showings;
    }
    const { series } = this;
    await this.#change((transaction) => {
      // Of what it has, the series and its place go on with this page.
      transaction.objectStore("series").delete(row.id);
      if (isSpent || isEmpty) drop(transaction, row.id);
      else transaction.objectStore("pages").put({ ...row, tab: own.tab, place: null });
      return transaction.objectStore("series").put(series, own.id);
    });
    if (series !== null) this.#own.keepSeries(series);
  }

  /** Whether it is too old to be kept, and that was told in time. @param {PageRow} row */
  #isOverdue(row) {
    if (row.isDownloaded || row.showings === 0 || Date.now() - row.at < KEEP_DAYS * DAY_MS) return false;
    if (row.warnedAt !== null && Date.now() - row.warnedAt > DAY_MS) return true;
    row.warnedAt ??= Date.now();
    this.isOld = true;
    return false;
  }

  /** Whether the browser keeps all of it, as far as is known. */
  get isKept() {
    return this.#own.isKept && !this.#isLate;
  }

  /** Where a session stands that was left without an end. @returns {Place | null} */
  get place() {
    return this.#own.row.place;
  }

  /** @param {RecordEvent} event */
  add(event) {
    const { row } = this.#own;
    this.#unwritten.push(event);
    row.count += 1;
    row.at = Date.now();
    if (event.event === "show") {
      row.showings += 1;
      row.isDownloaded = false;
      this.unsaved += 1;
    }
    this.#writeSoon();
  }

  /** @param {Place} place */
  keepPlace(place) {
    const { row } = this.#own;
    if (JSON.stringify(place) === JSON.stringify(row.place)) return;
    row.place = place;
    this.#writeSoon();
  }

  /** @param {Series} series */
  keepSeries(series) {
    if (series.since !== this.series?.since) this.#own.row.isDownloaded = false;
    this.series = series;
    this.#own.keepSeries(series);
    this.#writeSoon();
  }

  /** Of the pictures of all series that pages have, this one and others. */
  async usedTokens() {
    const used = await otherTokens(this.#connection, this.#own.row.id);
    return used.add(this.series?.token ?? null);
  }

  /** All of it was downloaded, as far as a page can know. */
  async markDownloaded() {
    this.unsaved = 0;
    this.isOld = false;
    this.#own.row.isDownloaded = true;
    this.#writeSoon();
    for (const row of await this.#rows()) {
      await this.#change((t) => t.objectStore("pages").put({ ...row, isDownloaded: true })).catch(() => {});
    }
  }

  /** Forget all of it, as far as that can be, and keep nothing more. */
  async remove() {
    this.unsaved = 0;
    this.#isRemoved = true;
    for (const { id } of [...(await this.#rows()), this.#own.row]) {
      await this.#change((transaction) => {
        drop(transaction, id);
        return transaction.objectStore("series").delete(id);
      }).catch(() => {});
    }
  }

  /** Of the pages before this one. @returns {Promise<PageRow[]>} none where that can't be known */
  async #rows() {
    const { tab, id } = this.#own.row;
    const rows = await this.#allRows().catch(() => []);
    return rows.filter((one) => one.tab === tab && one.id !== id);
  }

  /** @returns {Promise<PageRow[]>} the oldest first */
  #allRows() {
    return this.#connection.use((database) => answer(database.transaction("pages").objectStore("pages").getAll()));
  }

  /** @param {(transaction: IDBTransaction) => IDBRequest} act */
  #change(act) {
    return this.#connection.use((database) => done(write(database, act)));
  }

  #writeSoon() {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    // Writing takes milliseconds, and what is to be sent now must not wait for it.
    queueMicrotask(() => {
      this.#isWriteDue = false;
      const events = this.#unwritten.splice(0);
      if (events.length > 0) this.#own.add(events);
      if (!this.#isRemoved) void this.#own.write();
    });
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
  const tab = random();
  try {
    sessionStorage.setItem(`${name}: tab`, tab);
  } catch {
    // Then a reload is another tab.
  }
  return tab;
}

/** Not randomUUID, which only secure pages have. */
function random() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/** @returns {Promise<Set<string | undefined>>} names; none on a page that is not secure, which has no locks */
async function heldLocks() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return new Set(held.map((lock) => lock.name));
}

/** @param {string} name @returns {Promise<boolean>} whether the lock becomes free in a moment */
function isLetGo(name) {
  const options = { signal: timeout(HANDOVER_MS) };
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
