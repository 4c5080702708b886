/**
 * What of one recording is held in memory: what is not in storage yet, and, as long as there is room,
 * also what is, in case storage is emptied meanwhile. It decides and does nothing.
 */

/** What all recordings of a page that are not finished may hold. */
export class Memory {
  #left;

  /** @param {number} bytes */
  constructor(bytes) {
    this.#left = bytes;
  }

  /** @param {number} bytes @returns {boolean} whether there is room */
  take(bytes) {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** @param {number} bytes */
  give(bytes) {
    this.#left += bytes;
  }
}

/** @template {{size: number}} T */
export class Parts {
  #memory;
  /** @type {T[]} */
  #held = [];
  /** Number of the first that is held. */
  #first = 0;
  #written = 0;

  /** @param {Memory} memory */
  constructor(memory) {
    this.#memory = memory;
  }

  /** What is to be written next. @returns {{number: number, part: T} | null} */
  get next() {
    const part = this.#held[this.#written - this.#first];
    return part === undefined ? null : { number: this.#written, part };
  }

  /** @param {T} part @returns {boolean} false where there is no room for it */
  add(part) {
    if (!this.#memory.take(part.size)) {
      this.#forgetWritten();
      if (!this.#memory.take(part.size)) return false;
    }
    this.#held.push(part);
    return true;
  }

  /** The next one is in storage. */
  wrote() {
    this.#written += 1;
  }

  /** Storage has lost what was written. @returns {boolean} whether all of it can be written anew */
  startOver() {
    if (this.#first > 0) return false;
    this.#written = 0;
    return true;
  }

  /** None is needed any more. */
  release() {
    for (const { size } of this.#held) this.#memory.give(size);
    this.#first += this.#held.length;
    this.#held = [];
  }

  #forgetWritten() {
    for (const { size } of this.#held.splice(0, this.#written - this.#first)) this.#memory.give(size);
    this.#first = this.#written;
  }
}
