/** Decodes images when it is their turn, which `Turns` decides. */

import { Turns } from "../core/channel/turns.js";

export class Decoding {
  #turns = new Turns();
  #count = 0;
  /** What waits for its turn, by its number. @type {Map<number, () => void>} */
  #waiting = new Map();

  /** This is to be seen now: others wait. @param {string} key */
  hold(key) {
    this.#begin(this.#turns.hold(key));
  }

  /** It is on the screen, or will not be. @param {string} key */
  release(key) {
    this.#begin(this.#turns.release(key));
  }

  /**
   * @template T
   * @param {string} key
   * @param {number} place among what is to be shown
   * @param {() => Promise<T>} decode
   * @returns {Promise<T>}
   */
  async inTurn(key, place, decode) {
    const number = (this.#count += 1);
    await new Promise((resolve) => {
      this.#waiting.set(number, () => resolve(undefined));
      this.#begin(this.#turns.ask(number, key, place));
    });
    try {
      return await decode();
    } finally {
      this.#begin(this.#turns.done(number));
    }
  }

  /** @param {number[]} numbers */
  #begin(numbers) {
    for (const number of numbers) {
      this.#waiting.get(number)?.();
      this.#waiting.delete(number);
    }
  }
}
