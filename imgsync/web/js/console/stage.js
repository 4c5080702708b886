/**
 * The current image, large, and the ways to choose another one: buttons, a number, and keys.
 *
 * @import { Listed } from "./manifest.js"
 *
 * @typedef {"next" | "previous" | "first" | "last" | number} Choice
 */

import { onSubmit } from "./intake.js";
import { keyed } from "./keys.js";
import { find, setText } from "../page/dom.js";
import { nameListed } from "./listed.js";
import { isLost } from "./own_series.js";
import { Sight } from "./sight.js";
import { CANT_SHOW, captionImage, nameImage } from "../words/console.js";
import { NOT_HERE } from "../words/pictures.js";

/** @type {Record<string, Choice>} */
const KEYS = {
  ArrowRight: "next",
  " ": "next",
  n: "next",
  ArrowLeft: "previous",
  p: "previous",
  Home: "first",
  End: "last",
};

export class Stage {
  #show = find("show", HTMLElement);
  #picture = find("picture", HTMLImageElement);
  #none = find("no-picture", HTMLElement);
  #previous = find("previous", HTMLButtonElement);
  #next = find("next", HTMLButtonElement);
  #number = find("goto", HTMLInputElement);
  #figure = find("stage", HTMLElement);
  #sight = new Sight((url) => this.#showPicture(url));

  /** @param {(choice: Choice) => void} choose */
  constructor(choose) {
    this.#previous.addEventListener("click", () => choose("previous"));
    this.#next.addEventListener("click", () => choose("next"));
    onSubmit("goto-form", () => {
      choose(this.#number.valueAsNumber - 1);
      // Out of the field, so that the keys drive again; and Enter, pressed twice, does nothing there.
      this.#figure.focus({ preventScroll: true });
    });
    addEventListener("keydown", (event) => {
      const choice = this.#choiceOf(event);
      if (choice === undefined) return;
      event.preventDefault();
      // One that is held down would be a flood of images.
      if (!event.repeat) choose(choice);
    });
    // A button is pressed when space is let go: in Firefox, whatever became of the keydown.
    addEventListener("keyup", (event) => {
      if (event.key === " " && this.#choiceOf(event) !== undefined) event.preventDefault();
    });
    this.#picture.addEventListener("error", () => this.#cantShow());
  }

  /**
   * What a key asks for. Enter is what presses the button that has the focus.
   *
   * @param {KeyboardEvent} event
   * @returns {Choice | undefined}
   */
  #choiceOf(event) {
    return this.#show.hidden ? undefined : keyed(KEYS, event);
  }

  focus() {
    this.#next.focus();
  }

  /**
   * @param {readonly Listed[]} images
   * @param {number | null} index of what is current
   * @param {string} fate of it, in words
   * @param {string} hint where nothing is current
   */
  render(images, index, fate, hint) {
    this.#show.hidden = images.length === 0;
    const image = index === null ? undefined : images[index];
    const url = this.#sight.of(image);
    if (this.#picture.getAttribute("src") !== url) this.#showPicture(url);
    const text = image?.trial?.text;
    this.#none.toggleAttribute("data-text", text !== undefined);
    if (text !== undefined) setText(this.#none, text);
    else if (image === undefined || isLost(image)) setText(this.#none, image === undefined ? hint : NOT_HERE);
    const isAny = index !== null && image !== undefined;
    this.#picture.alt = isAny ? nameImage(index, nameListed(image)) : "";
    setText(find("caption", HTMLElement), isAny ? captionImage(index, nameListed(image)) : "");
    setText(find("fate", HTMLElement), isAny ? fate : "");
    this.#number.max = String(images.length);
    // A button that is disabled under a finger or the focus loses it: it stays, and does nothing.
    setDisabled(this.#previous, index === null || index === 0);
    setDisabled(this.#next, index === images.length - 1);
  }

  /** @param {string} url empty for none */
  #showPicture(url) {
    this.#picture.src = url;
    this.#picture.hidden = url === "";
    this.#none.hidden = url !== "";
  }

  #cantShow() {
    if (this.#picture.getAttribute("src") === "") return;
    this.#picture.hidden = true;
    this.#none.hidden = false;
    setText(this.#none, CANT_SHOW);
  }
}

/** @param {HTMLButtonElement} button @param {boolean} isDisabled */
function setDisabled(button, isDisabled) {
  button.setAttribute("aria-disabled", String(isDisabled));
}
