/**
 * All images as thumbnails. One of them is a tab stop, the current one, or the one that is picked to be
 * moved; from there the keys go on.
 *
 * @import { Listed } from "./manifest.js"
 * @import { Standing } from "./journal.js"
 * @import { Phase } from "../words/console.js"
 */

import { describeThumb, nameFate } from "../words/console.js";
import { find, make, setText } from "../page/dom.js";
import { nameListed } from "./listed.js";
import { Thumbnails } from "./thumbnails.js";

/**
 * @typedef {{item: HTMLLIElement, button: HTMLButtonElement, picture: HTMLImageElement, number: HTMLElement,
 *   fate: HTMLElement, name: string}} Thumb
 */

/** More thumbnails than are laid out at once. */
const MANY = 300;

export class Strip {
  #list = find("strip", HTMLOListElement);
  #thumbnails = new Thumbnails(this.#list);
  /** In their order. @type {Thumb[]} */
  #thumbs = [];
  #choose;
  /** @type {number | null} */
  #index = null;
  /** @type {number | null} */
  #picked = null;

  /** @param {(index: number) => void} choose */
  constructor(choose) {
    this.#choose = choose;
    new ResizeObserver(() => this.#centre(this.#index)).observe(this.#list);
  }

  /**
   * @param {readonly Listed[]} images
   * @param {boolean} isNew if not, they are those of before, in another order, under other URLs, or more or
   *   fewer of them
   */
  fill(images, isNew) {
    /** Of an image that is there twice, one after the other. @type {Map<string, Thumb[]>} */
    const had = new Map();
    for (const thumb of isNew ? [] : this.#thumbs) {
      const same = had.get(thumb.button.value) ?? [];
      had.set(thumb.button.value, same);
      same.push(thumb);
    }
    const { scrollLeft } = this.#list;
    this.#thumbs = images.map((image) => had.get(image.imageUrl)?.shift() ?? this.#make(image));
    this.#list.toggleAttribute("data-many", images.length > MANY);
    arrange(this.#list, this.#thumbs.map(({ item }) => item));
    this.#thumbs.forEach(({ picture, number }, place) => {
      this.#thumbnails.show(picture, /** @type {Listed} */ (images[place]));
      setText(number, String(place + 1));
    });
    for (const left of [...had.values()].flat()) this.#thumbnails.forget(left.picture);
    this.#list.scrollLeft = isNew ? 0 : scrollLeft;
    if (isNew) this.#index = this.#picked = null;
  }

  /**
   * @param {number | null} index of the current one
   * @param {ReadonlyMap<number, Standing>} rows by index
   * @param {Phase} phase
   * @param {number | null} picked to be moved; null while none can be
   */
  render(index, rows, phase, picked) {
    const stop = picked ?? index ?? 0;
    this.#thumbs.forEach((thumb, place) => {
      const row = rows.get(place);
      const { button } = thumb;
      setAttribute(button, "data-fate", row?.fate ?? "none");
      if (button.tabIndex !== (place === stop ? 0 : -1)) button.tabIndex = place === stop ? 0 : -1;
      setAttribute(button, "aria-current", place === index ? "true" : null);
      setAttribute(button, "aria-pressed", place === picked ? "true" : null);
      setText(thumb.fate, row === undefined ? "" : nameFate(row, phase));
      const label = describeThumb(place, thumb.name, row, phase);
      if (setAttribute(button, "aria-label", label)) button.title = label;
    });
    const target = picked ?? index;
    const before = this.#picked ?? this.#index;
    if (target !== before) this.#centre(target);
    const hasFocus = this.#list.contains(document.activeElement);
    if (target !== before && hasFocus) this.focus(target);
    [this.#index, this.#picked] = [index, picked];
  }

  /** @param {number | null} index */
  focus(index) {
    if (index !== null) this.#thumbs[index]?.button.focus({ preventScroll: true });
  }

  /** @param {number | null} index */
  #centre(index) {
    const item = index === null ? undefined : this.#thumbs[index]?.item;
    if (item === undefined) return;
    // Not scrollIntoView, which would move the page, too.
    const { left, width } = item.getBoundingClientRect();
    const frame = this.#list.getBoundingClientRect();
    this.#list.scrollLeft += left + width / 2 - (frame.left + frame.width / 2);
  }

  /** @param {Listed} image @returns {Thumb} */
  #make(image) {
    const { imageUrl, trial } = image;
    const picture = make("img", { alt: "", decoding: "async", referrerpolicy: "no-referrer", draggable: "false" });
    const frame = make("span", { class: "frame" }, picture);
    if (trial?.text !== undefined) frame.append(make("span", { class: "card" }, trial.text));
    const fate = make("span", { class: "fate" });
    const number = make("span", { class: "place" });
    const line = make("span", { class: "line" }, number, fate);
    const button = make("button", { type: "button", tabindex: "-1", value: imageUrl }, frame, line);
    const item = make("li", {}, button);
    const thumb = { item, button, picture, number, fate, name: nameListed(image) };
    button.addEventListener("click", () => this.#choose(this.#thumbs.indexOf(thumb)));
    return thumb;
  }
}

/**
 * These become its items, and those of them that are there stay, where that can be: of thousands, one is
 * moved.
 *
 * @param {Element} list @param {readonly Element[]} items
 */
function arrange(list, items) {
  let next = list.firstElementChild;
  for (const item of items) {
    if (next !== null && next !== item && next.nextElementSibling === item) next.remove(); // it comes later, or not at all
    else if (next !== item) list.insertBefore(item, next);
    next = item.nextElementSibling;
  }
  while (next !== null) {
    const left = next;
    next = left.nextElementSibling;
    left.remove();
  }
}

/**
 * Only what is another is written: a list of thousands is drawn anew each time that something happens.
 *
 * @param {Element} element @param {string} name @param {string | null} value null for none
 * @returns {boolean} whether it was another
 */
function setAttribute(element, name, value) {
  if (element.getAttribute(name) === value) return false;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
  return true;
}
