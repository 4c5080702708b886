/**
 * A connection to the browser's storage. It may be closed at any time: iOS does so by itself, and so
 * does everybody who removes a site's data. It is opened again, where it can be; what is found then may
 * be empty.
 */

/** For how long storage may take to open; some browsers forget to answer at times. */
const OPEN_MS = 5000;
/** Times that it is opened for one deed. */
const TRIES = 3;
/** What is said where a connection has gone in the middle of something. Nobody here aborts anything. */
const GONE = ["InvalidStateError", "AbortError", "UnknownError", "TimeoutError", "NotFoundError"];

/** This device has no room for more. */
export class StorageFull extends Error {}

/** Storage can't be reached now. */
export class StorageGone extends Error {}

export class Connection {
  #name;
  #make;
  /** Where it is open, or being opened. @type {Promise<IDBDatabase> | null} */
  #connection = null;

  /** @param {string} name @param {(database: IDBDatabase) => void} make what a new one has to have */
  constructor(name, make) {
    this.#name = name;
    this.#make = make;
  }

  /**
   * Do it, again on a new connection where that is gone.
   *
   * @template T
   * @param {(database: IDBDatabase) => Promise<T>} act
   * @returns {Promise<T>}
   * @throws {StorageGone}
   * @throws {StorageFull}
   */
  async use(act) {
    for (let tries = 1; ; tries += 1) {
      const connection = this.#connect();
      try {
        return await act(await connection);
      } catch (error) {
        const { name, message } = /** @type {Error} */ (error);
        if (name === "QuotaExceededError") throw new StorageFull();
        if (!GONE.includes(name)) throw error;
        this.#forget(connection);
        if (tries === TRIES) throw new StorageGone(message);
      }
    }
  }

  #connect() {
    if (this.#connection === null) {
      const connection = this.#open();
      this.#connection = connection;
      const forget = () => this.#forget(connection);
      connection.then((database) => {
        // Whoever wants to remove it would wait for this connection.
        database.onversionchange = forget;
        database.onclose = forget;
      }, forget);
    }
    return this.#connection;
  }

  /** @param {Promise<IDBDatabase>} connection that is of no use any more */
  #forget(connection) {
    connection.then((database) => database.close()).catch(() => {});
    if (this.#connection === connection) this.#connection = null;
  }

  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    const opening = indexedDB.open(this.#name, 1);
    opening.onupgradeneeded = () => this.#make(opening.result);
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new DOMException("", "TimeoutError")), OPEN_MS);
    });
    return Promise.race([answer(opening), /** @type {Promise<never>} */ (late)]);
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
export function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
