/**
 * Pictures from the evaluator's own disk are put into another order, or taken out: by buttons, by keys, or
 * by dragging. While that is so, the thumbnails pick what is to be moved, and nobody is shown it.
 *
 * @import { Deed } from "./own_pictures.js"
 * @import { Keeping } from "./picture_store.js"
 * @import { Series } from "./own_page.js"
 *
 * @typedef {object} Order what there is to arrange
 * @property {Series | null} series
 * @property {number | null} index of what is current
 * @property {boolean} isLive whether a client sees what is current
 * @property {boolean} canUndo
 * @property {Keeping} keeping
 */

import { Dragging } from "./dragging.js";
import { isLost } from "./own_series.js";
import { nameOf } from "./manifest.js";
import { MAX_SERIES } from "./picture_store.js";
import { find, setText } from "../page/dom.js";
import { ONLY_ONE, ON_SCREEN, UNDONE, describeOwn, describePlace, describeRemoved } from "../words/pictures.js";

export class Arranging {
  /** What is to be moved; null while nothing is. @type {number | null} */
  picked = null;
  #act;
  #changed;
  /** @type {Order | null} */
  #order = null;
  #strip = find("strip", HTMLOListElement);
  #toggle = find("arrange", HTMLButtonElement);
  #tools = {
    earlier: find("earlier", HTMLButtonElement),
    later: find("later", HTMLButtonElement),
    remove: find("take-out", HTMLButtonElement),
    undo: find("undo", HTMLButtonElement),
  };

  /** @param {(deed: Deed) => void} act @param {() => void} changed what is picked */
  constructor(act, changed) {
    this.#act = act;
    this.#changed = changed;
    this.#toggle.addEventListener("click", () => this.#turn(this.picked === null));
    this.#tools.earlier.addEventListener("click", () => this.#move(-1));
    this.#tools.later.addEventListener("click", () => this.#move(1));
    this.#tools.remove.addEventListener("click", () => this.#remove());
    this.#tools.undo.addEventListener("click", () => this.#undo());
    this.#strip.addEventListener("keydown", (event) => this.#press(event));
    new Dragging(this.#strip, { canDrag: () => this.picked !== null, dropped: (from, to) => this.#moveTo(from, to) });
  }

  /** @param {number} place */
  pick(place) {
    this.picked = place;
    this.#changed();
  }

  /** @param {Order} order */
  render(order) {
    this.#order = order;
    const { series, keeping, canUndo } = order;
    const isOwn = series !== null && series.token !== null;
    find("own", HTMLElement).hidden = !isOwn;
    if (!isOwn) this.picked = null;
    else if (this.picked !== null) this.picked = Math.min(this.picked, series.images.length - 1);
    const isOn = this.picked !== null;
    this.#toggle.setAttribute("aria-pressed", String(isOn));
    this.#strip.toggleAttribute("data-arranged", isOn);
    for (const tool of Object.values(this.#tools)) tool.hidden = !isOn;
    find("arrange-hint", HTMLElement).hidden = !isOn;
    if (!isOwn) return;
    const { images } = series;
    this.#tools.earlier.setAttribute("aria-disabled", String(this.picked === 0));
    this.#tools.later.setAttribute("aria-disabled", String(this.picked === images.length - 1));
    this.#tools.undo.setAttribute("aria-disabled", String(!canUndo));
    const bytes = images.reduce((sum, { own }) => sum + (own?.facts.bytes ?? 0), 0);
    const own = { count: images.length, bytes, lost: images.filter(isLost).length };
    setText(find("own-note", HTMLElement), describeOwn(own, keeping, MAX_SERIES));
  }

  /** @param {boolean} isOn */
  #turn(isOn) {
    this.picked = isOn ? (this.#order?.index ?? 0) : null;
    this.#changed();
  }

  /** @param {KeyboardEvent} event on a thumbnail */
  #press(event) {
    const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
    const count = this.#order?.series?.images.length ?? 0;
    if (this.picked === null || altKey) return;
    const isUndo = key.toLowerCase() === "z" && (ctrlKey || metaKey);
    if (!isUndo && (ctrlKey || metaKey)) return;
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, Home: -count, End: count });
    const step = steps[key];
    if (isUndo) this.#undo();
    else if (step !== undefined && shiftKey) this.#move(step);
    else if (step !== undefined) this.pick(Math.max(0, Math.min(this.picked + step, count - 1)));
    else if (key === "Delete" || key === "Backspace") this.#remove();
    else if (key === "Escape") this.#turn(false);
    else if (key !== " ") return;
    // Else the key would drive the session; and so would the next one, where the focus has gone with a
    // thumbnail that was moved or removed.
    event.preventDefault();
    this.#changed();
    const stop = /** @type {HTMLElement | null} */ (this.#strip.querySelector("[tabindex='0']"));
    stop?.focus({ preventScroll: true });
  }

  /** @param {number} step */
  #move(step) {
    if (this.picked !== null) this.#moveTo(this.picked, this.picked + step);
  }

  /** @param {number} from @param {number} to */
  #moveTo(from, to) {
    const images = this.#order?.series?.images ?? [];
    const place = Math.max(0, Math.min(to, images.length - 1));
    if (place !== from) this.#act({ kind: "move", from, to: place });
    this.pick(place);
    this.#say(describePlace(place, nameOf(images[from]?.imageUrl ?? ""), images.length));
  }

  #remove() {
    const { series = null, index = null, isLive = false } = this.#order ?? {};
    const image = this.picked === null ? undefined : series?.images[this.picked];
    if (this.picked === null || image === undefined) return;
    if (series?.images.length === 1) return this.#say(ONLY_ONE);
    if (isLive && this.picked === index) return this.#say(ON_SCREEN);
    this.#act({ kind: "remove", place: this.picked });
    this.#say(describeRemoved(nameOf(image.imageUrl)));
  }

  #undo() {
    if (this.#order?.canUndo !== true) return;
    this.#act({ kind: "undo" });
    this.#say(UNDONE);
  }

  /** @param {string} text what was done, or why it was not */
  #say(text) {
    setText(find("arrange-said", HTMLElement), text);
  }
}
