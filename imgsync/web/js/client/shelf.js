/**
 * Images that are here, decoded, and which of them go when room is needed: those first that were
 * shown, the longest ago before the others.
 *
 * @import { Picture } from "./picture.js"
 *
 * @typedef {{picture: Picture, fetchedAt: number, bytes: number, ready: Promise<number>}} Entry `bytes`:
 *   of its pixels, once it is decoded; `ready`: the same, as soon as it is
 */

const MAX_KEPT = 64;
/** Of decoded pixels; a phone ends a page that takes much more. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;

export class Shelf {
  /** In the order of their last use. @type {Map<string, Entry>} */
  #kept = new Map();
  #isWanted;

  /** @param {(name: string) => boolean} isWanted whether an image is still to be shown */
  constructor(isWanted) {
    this.#isWanted = isWanted;
  }

  /** @param {string} name @param {Entry} entry */
  put(name, entry) {
    this.#kept.delete(name);
    this.#kept.set(name, entry);
  }

  /** @param {string} name */
  find(name) {
    return this.#kept.get(name);
  }

  /** @param {string} name */
  remove(name) {
    this.#kept.delete(name);
  }

  /** It is used now. @param {string} name @returns {Entry | undefined} */
  take(name) {
    const entry = this.#kept.get(name);
    if (entry !== undefined) this.put(name, entry);
    return entry;
  }

  clear() {
    this.#kept.clear();
  }

  /** Whether what is still to be shown leaves room for more. @param {number} halfway bytes that are being fetched */
  hasRoom(halfway) {
    const wanted = [...this.#kept].filter(([name]) => this.#isWanted(name));
    const bytes = wanted.reduce((sum, [, entry]) => sum + entry.bytes, halfway);
    return wanted.length < MAX_KEPT && bytes < MAX_KEPT_BYTES;
  }

  /** @param {string} but one that stays @returns {string[]} those that had to go */
  clearFor(but) {
    const others = [...this.#kept.keys()].filter((name) => name !== but);
    const spent = others.filter((name) => !this.#isWanted(name));
    const order = [...spent, ...others.filter((name) => this.#isWanted(name))];
    let bytes = [...this.#kept.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    const gone = [];
    for (const name of order) {
      if (this.#kept.size <= MAX_KEPT && bytes <= MAX_KEPT_BYTES) break;
      bytes -= this.#kept.get(name)?.bytes ?? 0;
      this.#kept.delete(name);
      gone.push(name);
    }
    return gone;
  }
}
