/**
 * The door before the client's page: it takes part once a person has touched it, so that no tab that
 * nobody looks at, no second one and nothing that follows links becomes the participant. The same tap
 * fills the screen and keeps it awake. Where another window takes part, the door says where that is.
 *
 * @import { PresenceState } from "../core/protocol/wire.js"
 * @import { Key } from "../languages/en.js"
 * @import { Threshold } from "../page/threshold.js"
 */

import { find, setText } from "../page/dom.js";
import { say } from "../words/language.js";

export class Door {
  #threshold;
  #entered;
  #card = find("door", HTMLDivElement);
  #button = find("door-ready", HTMLButtonElement);
  /** Where the user stands by other windows. @type {PresenceState} */
  #others = "offline";
  /** Whether there was another window that took part, and that there is not now. */
  #isLeftAlone = false;
  /** Whether the other one is in this browser; null where that is not known. @type {boolean | null} */
  #isHere = null;

  /** @param {Threshold} threshold @param {() => void} entered somebody has touched it */
  constructor(threshold, entered) {
    this.#threshold = threshold;
    this.#entered = entered;
    this.#button.disabled = false;
    this.#button.addEventListener("click", () => void this.#open());
    const check = find("door-check", HTMLElement).querySelector("a");
    if (check !== null) check.href = `check${location.search}`;
    if (threshold.isInDoubt) void this.#openIfKilled();
  }

  get isOpen() {
    return this.#threshold.state === "entered";
  }

  /** What the relay says of other windows. @param {PresenceState} others @param {boolean} isSentBack one of them has taken our place */
  told(others, isSentBack) {
    if (isSentBack) this.#threshold.leave();
    this.#isLeftAlone ||= this.#others !== "offline" && others === "offline";
    this.#others = others;
    void this.#tell();
  }

  /** @param {boolean} isNeeded whether nothing else is to be said first */
  show(isNeeded) {
    const isShown = isNeeded && !this.isOpen;
    const isNew = isShown && this.#card.hidden;
    this.#card.hidden = !isShown;
    document.body.toggleAttribute("data-door", isShown);
    if (isNew || (isShown && document.activeElement === document.body)) this.#button.focus({ preventScroll: true });
  }

  async #open() {
    if (this.isOpen) return;
    this.#threshold.enter();
    this.#isLeftAlone = false;
    // As soon as the relay tells other windows, they look where this one is.
    await this.#threshold.told;
    this.#entered();
  }

  /** The page before this one in its tab was killed, as mobile systems do with one that is not looked at. */
  async #openIfKilled() {
    if ((await this.#threshold.isTakenHere()) === false && this.#others === "offline") void this.#open();
  }

  async #tell() {
    this.#isHere = this.#others === "offline" ? null : await this.#threshold.isTakenHere();
    const { title, text, button } = this.#words();
    setText(find("door-title", HTMLElement), say(title));
    setText(find("door-text", HTMLElement), say(text));
    setText(this.#button, say(button));
  }

  /** @returns {{title: Key, text: Key, button: Key}} */
  #words() {
    if (this.#others === "offline") {
      const text = this.#isLeftAlone ? "door.leftAlone" : "door.text";
      return { title: "door.title", text, button: "door.ready" };
    }
    const text = this.#isHere === null ? "door.elsewhere" : this.#isHere ? "door.inThisBrowser" : "door.inAnother";
    return { title: "door.titleElsewhere", text, button: "door.takeOver" };
  }
}
