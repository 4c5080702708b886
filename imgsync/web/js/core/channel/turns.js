/**
 * Whose turn it is to be decoded. Browsers decode one image after the other: one that is to be seen
 * now would wait for those that are decoded ahead, and the frame that puts it up beside them.
 *
 *     order to show ──▶ held: no other image begins ──▶ it is on the screen ──▶ released
 *
 * Ahead, one is decoded at a time, so that an order waits for one at most. It decides and does
 * nothing: the numbers of those that may begin now are returned.
 */
export class Turns {
  /** What is to be seen now, or was last; null where nothing is held back. @type {string | null} */
  #due = null;
  /** What is decoded ahead. @type {number | null} */
  #ahead = null;
  /** @type {{number: number, key: string}[]} */
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

  /** One is there to be decoded. @param {number} number its own @param {string} key @returns {number[]} */
  ask(number, key) {
    this.#waiting.push({ number, key });
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
