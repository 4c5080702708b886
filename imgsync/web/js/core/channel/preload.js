/**
 * What will be shown soon, in messages that hold up no image for long.
 *
 * @import { ImageSource, Preload } from "../protocol/wire.js"
 */

/** Bytes that a message stays under, as the protocol says. */
const MAX_PRELOAD = 16 * 1024;
/** Images that the client is told of before they are shown. */
const AHEAD = 50;

/** @param {unknown} value */
function sizeOf(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

const EMPTY = sizeOf({ type: "preload", images: [] });

/**
 * @param {readonly ImageSource[]} images
 * @returns {Preload[]} which together name them in their order; one that is too large has its own
 */
export function splitPreload(images) {
  /** @type {Preload[]} */
  const messages = [];
  let size = Infinity;
  for (const { imageUrl, signedUrl } of images) {
    const image = { imageUrl, signedUrl };
    const more = sizeOf(image) + 1; // a comma
    if (size + more >= MAX_PRELOAD) {
      messages.push({ type: "preload", images: [] });
      size = EMPTY;
    }
    messages.at(-1)?.images.push(image);
    size += more;
  }
  return messages;
}

/** What a client knows to come, of one series in one session. */
export class Announcements {
  /** Since it was told last. @type {Set<number>} */
  #announced = new Set();

  /**
   * @param {readonly ImageSource[]} images the series
   * @param {number | null} current the index of what is shown; null before the first
   * @returns {ImageSource[] | null} to announce; null where it knows most of it
   */
  next(images, current) {
    const first = current === null ? 0 : current + 1;
    const coming = range(first, Math.min(first + AHEAD, images.length));
    if (coming.slice(0, AHEAD / 2).every((index) => this.#announced.has(index))) return null;
    // A person may go back; what comes first in the series is what is wanted then.
    const before = range(0, Math.min(first, AHEAD - coming.length));
    const places = [...coming, ...before];
    this.#announced = new Set(places);
    return places.map((index) => /** @type {ImageSource} */ (images[index]));
  }
}

/** @param {number} from @param {number} to */
function range(from, to) {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
