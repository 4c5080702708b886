/**
 * Which pictures are decoded ahead, and whose turn it is. Browsers decode one image after the other:
 * one that is to be seen now would wait for those that are decoded ahead, and the frame that puts it
 * up beside them.
 *
 *     order to show ──▶ held: no other image begins ──▶ it is on the screen ──▶ released
 *
 * Ahead, one is decoded at a time, so that an order waits for one at most. It decides and does
 * nothing: the numbers of those that may begin now are returned.
 */

/** Bytes of pixels that are decoded ahead; a phone ends a page that takes much more. */
const MAX_DECODED = 256 * 1024 * 1024;

/**
 * Which of the pictures that are here are to be decoded: the next ones, as far as there is room for
 * their pixels. The first one is in any case.
 *
 * @param {readonly string[]} coming their keys, the next one first
 * @param {(key: string) => number} pixelsOf bytes of its pixels; 0 where that is not known
 */
export function choose(coming, pixelsOf) {
  /** @type {Set<string>} */
  const near = new Set();
  let size = 0;
  for (const key of coming) {
    size += pixelsOf(key);
    if (size > MAX_DECODED && near.size > 0) break;
    near.add(key);
  }
  return near;
}

export class Turns {
  /** What is to be seen now, or was last; null where nothing is held back. @type {string | null} */
  #due = null;
  /** What is decoded ahead. @type {number | null} */
  #ahead = null;
  /** In the order in which they begin. @type {{number: number, key: string, place: number}[]} */
  #waiting = [];

  /** This image is to be seen now. @param {string} key @returns {number[]} */
  hold(key) {
    this.#due = key;
    return this.#advance();
  }

  /**
   * It is on the screen, or will not be. Nothing changes where another is due by now.
   *
   * @param {string} key
   * @returns {number[]}
   */
  release(key) {
    if (key === this.#due) this.#due = null;
    return this.#advance();
  }

  /**
   * One is there to be decoded.
   *
   * @param {number} number its own
   * @param {string} key
   * @param {number} place among what is to be shown: the next one begins before others
   * @returns {number[]}
   */
  ask(number, key, place) {
    this.#waiting.push({ number, key, place });
    this.#waiting.sort((one, other) => one.place - other.place);
    return this.#advance();
  }

  /** It is decoded, or can't be. @param {number} number @returns {number[]} */
  done(number) {
    if (number === this.#ahead) this.#ahead = null;
    return this.#advance();
  }

  #advance() {
    const begun = this.#waiting.filter(({ number, key }) => this.#mayBegin(number, key));
    this.#waiting = this.#waiting.filter((one) => !begun.includes(one));
    return begun.map(({ number }) => number);
  }

  /** @param {number} number @param {string} key */
  #mayBegin(number, key) {
    if (key === this.#due) return true;
    if (this.#due !== null || this.#ahead !== null) return false;
    this.#ahead = number;
    return true;
  }
}
