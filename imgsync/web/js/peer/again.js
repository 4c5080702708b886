/**
 * What a relay could not carry out is said again some time later. Such a relay is cut off from what it
 * shares with its others, and answers so at once. Nothing tells when it has it back; all its peers wait
 * for that, and are not to ask at the same moment.
 */

import { AGAIN_PAUSE } from "../core/protocol/numbers.js";

export class Again {
  #say;
  /** @type {number | undefined} */
  #timer;

  /** @param {() => void} say says all of it, whatever it was */
  constructor(say) {
    this.#say = say;
  }

  /** Something was not carried out; what is said after the pause has it, too. */
  later() {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#say();
      },
      AGAIN_PAUSE * (0.5 + Math.random() / 2) * 1000,
    );
  }
}
