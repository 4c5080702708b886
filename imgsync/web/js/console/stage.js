/**
 * The current image, large, and the ways to choose another one: buttons, a number, and keys.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 *
 * @typedef {"next" | "previous" | "first" | "last" | number} Choice
 */

import { onSubmit } from "./intake.js";
import { find, setText } from "../page/dom.js";
import { nameOf } from "./manifest.js";
import { CANT_SHOW, captionImage, nameImage } from "../words/console.js";

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
  #picture = find("picture", HTMLImageElement);
  #none = find("no-picture", HTMLElement);
  #previous = find("previous", HTMLButtonElement);
  #next = find("next", HTMLButtonElement);
  #number = find("goto", HTMLInputElement);

  /** @param {(choice: Choice) => void} choose */
  constructor(choose) {
    this.#previous.addEventListener("click", () => choose("previous"));
    this.#next.addEventListener("click", () => choose("next"));
    onSubmit("goto-form", () => choose(this.#number.valueAsNumber));
    addEventListener("keydown", (event) => {
      const choice = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (choice === undefined || !isFree(event)) return;
      event.preventDefault();
      // One that is held down would be a flood of images.
      if (!event.repeat) choose(choice);
    });
    this.#picture.addEventListener("error", () => this.#cantShow());
  }

  focus() {
    this.#next.focus();
  }

  /**
   * @param {readonly ImageSource[]} images
   * @param {number | null} index of what is current
   * @param {string} fate of it, in words
   * @param {string} hint where nothing is current
   */
  render(images, index, fate, hint) {
    find("show", HTMLElement).hidden = images.length === 0;
    const image = index === null ? undefined : images[index];
    const url = image?.signedUrl ?? "";
    if (this.#picture.getAttribute("src") !== url) this.#showPicture(url);
    if (image === undefined) setText(this.#none, hint);
    const isAny = index !== null && image !== undefined;
    this.#picture.alt = isAny ? nameImage(index, nameOf(image.imageUrl)) : "";
    setText(find("caption", HTMLElement), isAny ? captionImage(index, nameOf(image.imageUrl)) : "");
    setText(find("fate", HTMLElement), isAny ? fate : "");
    this.#number.max = String(images.length - 1);
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

/** @param {KeyboardEvent} event @returns {boolean} whether nothing else waits for this key */
function isFree({ target, key, ctrlKey, altKey, metaKey, defaultPrevented }) {
  if (ctrlKey || altKey || metaKey || defaultPrevented) return false;
  if (!(target instanceof Element)) return true;
  if (target.closest("input, textarea, select, [contenteditable]") !== null) return false;
  return key !== " " || target.closest("button, summary, a") === null;
}
