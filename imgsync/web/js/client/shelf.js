/**
 * Images that are here, decoded, and which of them go when room is needed: those first that were
 * shown, the longest ago before the others.
 *
 * @import { Loaded } from "./loader.js"
 */

const MAX_KEPT = 64;
/** Of decoded pixels; a phone ends a page that takes much more. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;

export class Shelf {
  /** In the order of their last use. @type {Map<string, Loaded>} */
  #kept = new Map();
  #isWanted;

  /** @param {(name: string) => boolean} isWanted whether an image is still to be shown */
  constructor(isWanted) {
    this.#isWanted = isWanted;
  }

  /** @param {string} name @param {Loaded} loaded */
  put(name, loaded) {
    this.#kept.delete(name);
    this.#kept.set(name, loaded);
  }

  /** It is used now. @param {string} name @returns {Loaded | undefined} */
  take(name) {
    const loaded = this.#kept.get(name);
    if (loaded !== undefined) this.put(name, loaded);
    return loaded;
  }

  clear() {
    this.#kept.clear();
  }

  /** Whether what is still to be shown leaves room for more. @param {number} halfway bytes that are being fetched */
  hasRoom(halfway) {
    const wanted = [...this.#kept].filter(([name]) => this.#isWanted(name));
    const bytes = wanted.reduce((sum, [, loaded]) => sum + bytesOf(loaded), halfway);
    return wanted.length < MAX_KEPT && bytes < MAX_KEPT_BYTES;
  }

  /** @param {string} but one that stays @returns {string[]} those that had to go */
  clearFor(but) {
    const others = [...this.#kept.keys()].filter((name) => name !== but);
    const spent = others.filter((name) => !this.#isWanted(name));
    const order = [...spent, ...others.filter((name) => this.#isWanted(name))];
    let bytes = [...this.#kept.values()].reduce((sum, loaded) => sum + bytesOf(loaded), 0);
    const gone = [];
    for (const name of order) {
      if (this.#kept.size <= MAX_KEPT && bytes <= MAX_KEPT_BYTES) break;
      bytes -= bytesOf(/** @type {Loaded} */ (this.#kept.get(name)));
      this.#kept.delete(name);
      gone.push(name);
    }
    return gone;
  }
}

/** @param {Loaded} loaded */
function bytesOf({ element }) {
  return element.naturalWidth * element.naturalHeight * 4;
}
