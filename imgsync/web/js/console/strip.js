/**
 * All images as thumbnails. One of them is a tab stop, the current one; from there the keys go on.
 *
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { Standing } from "./journal.js"
 * @import { Phase } from "../words/console.js"
 */

import { describeThumb, nameFate } from "../words/console.js";
import { find, make, setText } from "../page/dom.js";
import { nameOf } from "./manifest.js";

/**
 * @typedef {{button: HTMLButtonElement, picture: HTMLImageElement, fate: HTMLElement, name: string}} Thumb
 */

export class Strip {
  #list = find("strip", HTMLOListElement);
  /** @type {Thumb[]} */
  #thumbs = [];
  #choose;
  /** @type {number | null} */
  #index = null;

  /** @param {(index: number) => void} choose */
  constructor(choose) {
    this.#choose = choose;
    new ResizeObserver(() => this.#centre(this.#index)).observe(this.#list);
  }

  /** @param {readonly ImageSource[]} images */
  fill(images) {
    this.#thumbs = images.map((image, index) => this.#make(image, index));
    this.#list.replaceChildren(...this.#thumbs.map(({ button }) => make("li", {}, button)));
    this.#index = null;
    this.#list.scrollLeft = 0;
  }

  /** Those that could not be loaded, or have not been yet, may be so now. @param {readonly ImageSource[]} images */
  renew(images) {
    images.forEach(({ signedUrl }, place) => {
      const picture = this.#thumbs[place]?.picture;
      if (signedUrl === null || picture === undefined || picture.naturalWidth > 0) return;
      picture.hidden = false;
      picture.src = signedUrl;
    });
  }

  /**
   * @param {number | null} index of the current one
   * @param {ReadonlyMap<number, Standing>} rows by index
   * @param {Phase} phase
   */
  render(index, rows, phase) {
    this.#thumbs.forEach((thumb, place) => {
      const row = rows.get(place);
      const isCurrent = place === index;
      thumb.button.dataset.fate = row?.fate ?? "none";
      thumb.button.tabIndex = place === (index ?? 0) ? 0 : -1;
      if (isCurrent) thumb.button.setAttribute("aria-current", "true");
      else thumb.button.removeAttribute("aria-current");
      setText(thumb.fate, row === undefined ? "" : nameFate(row, phase));
      const label = describeThumb(place, thumb.name, row, phase);
      if (thumb.button.getAttribute("aria-label") !== label) {
        thumb.button.setAttribute("aria-label", label);
        thumb.button.title = label;
      }
    });
    if (index !== this.#index) this.#centre(index);
    const current = index === null ? undefined : this.#thumbs[index]?.button;
    const hasFocus = this.#list.contains(document.activeElement);
    if (index !== this.#index && hasFocus) current?.focus({ preventScroll: true });
    this.#index = index;
  }

  /** @param {number | null} index */
  #centre(index) {
    const button = index === null ? undefined : this.#thumbs[index]?.button;
    if (button === undefined) return;
    // Not scrollIntoView, which would move the page, too.
    const { left, width } = button.getBoundingClientRect();
    const frame = this.#list.getBoundingClientRect();
    this.#list.scrollLeft += left + width / 2 - (frame.left + frame.width / 2);
  }

  /** @param {ImageSource} image @param {number} index @returns {Thumb} */
  #make({ imageUrl, signedUrl }, index) {
    const picture = make("img", {
      alt: "",
      loading: "lazy",
      decoding: "async",
      referrerpolicy: "no-referrer",
      draggable: "false",
      src: signedUrl ?? "",
    });
    picture.addEventListener("error", () => (picture.hidden = true));
    const frame = make("span", { class: "frame" }, picture);
    const fate = make("span", { class: "fate" });
    const number = make("span", { class: "place" }, String(index + 1));
    const line = make("span", { class: "line" }, number, fate);
    const button = make("button", { type: "button", tabindex: "-1" }, frame, line);
    button.addEventListener("click", () => this.#choose(index));
    return { button, picture, fate, name: nameOf(imageUrl) };
  }
}
