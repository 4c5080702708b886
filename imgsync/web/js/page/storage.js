/**
 * A connection to the browser's storage. It may be closed at any time: iOS does so by itself, and so
 * does everybody who removes a site's data; and in Safari one that is open may answer no more. It is
 * opened again, where it can be; what is found then may be empty.
 */

/** For how long storage may take to open; some browsers forget to answer at times. */
const OPEN_MS = 5000;
/** For how long one deed may take: a recording is megabytes, and a telephone slow. */
const ANSWER_MS = 30_000;
/** Times that it is opened for one deed. */
const TRIES = 3;
/** What is said where a connection has gone in the middle of something. Nobody here aborts anything. */
const GONE = ["InvalidStateError", "AbortError", "UnknownError", "TimeoutError", "NotFoundError"];

/** This device has no room for more. */
export class StorageFull extends Error {}

/** Storage can't be reached now. */
export class StorageGone extends Error {}

export class Connection {
  name;
  #make;
  #patience;
  /** Where it is open, or being opened. @type {Promise<IDBDatabase> | null} */
  #connection = null;

  /**
   * @param {string} name
   * @param {(database: IDBDatabase) => void} make what a new one has to have
   * @param {number} [patience] milliseconds that one deed may take
   */
  constructor(name, make, patience = ANSWER_MS) {
    this.name = name;
    this.#make = make;
    this.#patience = patience;
  }

  /**
   * Do it, again on a new connection where that is gone, or does not answer. So what was done may be
   * done twice.
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
        return await within(this.#patience, act(await connection));
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
    const opening = indexedDB.open(this.name, 1);
    opening.onupgradeneeded = () => this.#make(opening.result);
    const opened = answer(opening);
    return within(OPEN_MS, opened).catch((error) => {
      opened.then((database) => database.close()).catch(() => {}); // it may still come
      throw error;
    });
  }
}

/**
 * @template T
 * @param {number} ms
 * @param {Promise<T>} act
 * @returns {Promise<T>}
 * @throws {DOMException} TimeoutError
 */
export function within(ms, act) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException("it does not answer", "TimeoutError")), ms);
    act.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
export function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
