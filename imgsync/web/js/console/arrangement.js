/**
 * The order of a series, as a person changes it, and how it was before each change.
 *
 * What is shown gets the place that it has at that moment as its `imageIndex`, and keeps it in the record;
 * its name says which picture it was, wherever that is moved to.
 *
 * @import { Listed } from "./manifest.js"
 */

/** Changes that can be undone. */
const MAX_UNDO = 100;

export class Arrangement {
  /** The last one is the youngest. @type {(readonly Listed[])[]} */
  #earlier = [];

  get canUndo() {
    return this.#earlier.length > 0;
  }

  /** It is another series, or has others in it, and begins anew. */
  forget() {
    this.#earlier = [];
  }

  /**
   * @param {readonly Listed[]} images
   * @param {number} from
   * @param {number} to the place that it has then; the nearest one where there is none
   * @returns {readonly Listed[]} the very same where that changes nothing
   */
  move(images, from, to) {
    const place = Math.max(0, Math.min(to, images.length - 1));
    const moved = images[from];
    if (moved === undefined || place === from) return images;
    const others = images.filter((_, index) => index !== from);
    return this.#change(images, [...others.slice(0, place), moved, ...others.slice(place)]);
  }

  /** @param {readonly Listed[]} images @param {number} place @returns {readonly Listed[]} */
  remove(images, place) {
    return this.#change(images, images.filter((_, index) => index !== place));
  }

  /** @param {readonly Listed[]} images @returns {readonly Listed[]} as they were before the last change */
  undo(images) {
    return this.#earlier.pop() ?? images;
  }

  /** @param {readonly Listed[]} images @param {readonly Listed[]} changed */
  #change(images, changed) {
    this.#earlier.push(images);
    if (this.#earlier.length > MAX_UNDO) this.#earlier.shift();
    return changed;
  }
}

/**
 * Where what is current is by now.
 *
 * @param {readonly Listed[]} before
 * @param {number | null} index
 * @param {readonly Listed[]} after the same images, but for some
 * @returns {number | null} where it was removed, that of what took its place; null before the first
 */
export function indexAfter(before, index, after) {
  const current = index === null ? undefined : before[index];
  if (index === null || current === undefined || after.length === 0) return null;
  // One that was lost is another object once it is found.
  const same = after.findIndex((image) => image.imageUrl === current.imageUrl && image.extra === current.extra);
  return same === -1 ? Math.min(index, after.length - 1) : same;
}
