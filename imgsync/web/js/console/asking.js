/**
 * A button for what can't be undone, by which nothing is done yet: it asks, in its own place, and the
 * focus goes to the answer that changes nothing. Its id is that of the elements behind it, with
 * `-ask`, `-no` and `-yes`.
 */

import { find } from "../page/dom.js";

export class Asking {
  #button;
  #question;
  isWanted = false;

  /**
   * @param {string} id
   * @param {() => void} act
   * @param {HTMLElement} after where the focus goes then; no key does any harm there
   */
  constructor(id, act, after) {
    this.#button = find(id, HTMLButtonElement);
    this.#question = find(`${id}-ask`, HTMLElement);
    const no = find(`${id}-no`, HTMLButtonElement);
    const close = () => {
      this.#ask(false);
      after.focus({ preventScroll: true });
    };
    this.#button.addEventListener("click", () => {
      if (this.#button.getAttribute("aria-disabled") === "true") return;
      this.#ask(true);
      no.focus();
    });
    no.addEventListener("click", close);
    this.#question.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") close();
    });
    find(`${id}-yes`, HTMLButtonElement).addEventListener("click", () => {
      close();
      act();
    });
  }

  /** @param {boolean} isWanted @param {boolean} isPossible */
  render(isWanted, isPossible) {
    this.isWanted = isWanted;
    this.#button.setAttribute("aria-disabled", String(!isPossible));
    this.#ask(!this.#question.hidden && isWanted && isPossible);
  }

  /** @param {boolean} isAsked */
  #ask(isAsked) {
    this.#question.hidden = !isAsked;
    this.#button.hidden = isAsked || !this.isWanted;
  }
}
