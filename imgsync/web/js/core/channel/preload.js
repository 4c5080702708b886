/**
 * What will be shown soon, in messages that hold up no image for long.
 *
 * @import { ImageSource, Preload } from "../protocol/wire.js"
 */

import { AHEAD, MAX_PRELOAD } from "../protocol/numbers.js";
import { encodeMessage } from "../protocol/wire.js";

/** Each image costs its own size and a comma, but the first one no comma. */
const FRAME = encodeMessage({ type: "preload", images: [] }).length - 1;

/**
 * @param {readonly ImageSource[]} images
 * @returns {Preload[]} which together name them in their order; one that is too large has its own
 * @throws {RangeError} for one that fits into no message
 */
export function splitPreload(images) {
  /** @type {Preload[]} */
  const messages = [];
  let size = Infinity;
  for (const { imageUrl, signedUrl } of images) {
    const image = { imageUrl, signedUrl };
    const more = encodeMessage({ type: "preload", images: [image] }).length - FRAME;
    if (size + more >= MAX_PRELOAD) {
      messages.push({ type: "preload", images: [] });
      size = FRAME;
    }
    messages.at(-1)?.images.push(image);
    size += more;
  }
  return messages;
}

/** What a client knows to come, of one series in one session. */
export class Announcements {
  /** Places in the series, since it was told last. @type {Set<number>} */
  #announced = new Set();

  /**
   * @param {number} count how many images the series has
   * @param {number | null} current the place of what is shown; null before the first
   * @returns {number[] | null} the places to announce now; null where it knows most of it
   */
  next(count, current) {
    const first = current === null ? 0 : current + 1;
    const coming = range(first, Math.min(first + AHEAD, count));
    if (coming.slice(0, AHEAD / 2).every((place) => this.#announced.has(place))) return null;
    // A person may go back; what comes first in the series is what is wanted then.
    const places = [...coming, ...range(0, Math.min(first, AHEAD - coming.length))];
    this.#announced = new Set(places);
    return places;
  }
}

/** @param {number} from @param {number} to */
function range(from, to) {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
