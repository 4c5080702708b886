/**
 * The series, and which of its images is current.
 *
 * @import { Choice } from "./stage.js"
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { Series } from "./memory.js"
 */

export class Selection {
  /** What is current; null before the first. @type {number | null} */
  index = null;
  /** @type {Series | null} */
  #series = null;

  /** @returns {readonly ImageSource[]} */
  get images() {
    return this.#series?.images ?? [];
  }

  /** When the series was loaded. */
  get since() {
    return this.#series?.since ?? 0;
  }

  /** It begins anew. @param {Series} series */
  load(series) {
    this.#series = series;
    this.index = null;
  }

  /** @param {Choice} choice @returns {number | null} the new index; null where there is no such image */
  choose(choice) {
    const here = this.index ?? -1;
    const count = this.images.length;
    const places = { next: here + 1, previous: here - 1, first: 0, last: count - 1 };
    const index = typeof choice === "number" ? choice : places[choice];
    if (!Number.isInteger(index) || index < 0 || index >= count) return null;
    this.index = index;
    return index;
  }
}
