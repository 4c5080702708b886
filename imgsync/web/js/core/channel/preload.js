/**
 * What will be shown soon, in messages that hold up no image for long.
 *
 * @import { ImageSource, Preload, UpcomingImage } from "../protocol/wire.js"
 * @import { Sharing } from "./sharing.js"
 */

import { firstConflict } from "../protocol/naming.js";
import { AHEAD, MAX_CHANNEL_MESSAGE, MAX_PRELOAD, MAX_UNSENT } from "../protocol/numbers.js";
import { encodeMessage } from "../protocol/wire.js";
import { isText } from "./sharing.js";

/** Each image costs its own size and a comma, but the first one no comma. */
const FRAME = encodeMessage({ type: "preload", images: [] }).length - 1;

/** @param {UpcomingImage} image @param {number} limit bytes */
function sizeOf({ imageUrl, signedUrl }, limit) {
  const images = [{ imageUrl, signedUrl }];
  return encodeMessage({ type: "preload", images }, limit).length - FRAME;
}

/** Whether it fits into a message of its own. @param {UpcomingImage} image @param {number} limit bytes */
function fits(image, limit) {
  try {
    return sizeOf(image, limit) > 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}

/**
 * @param {readonly UpcomingImage[]} images
 * @param {number} [limit] bytes of a message that the other side takes
 * @returns {Preload[]} which together name them in their order; one that is too large has its own
 * @throws {RangeError} for one that fits into no message
 */
export function splitPreload(images, limit = MAX_CHANNEL_MESSAGE) {
  const most = Math.min(MAX_PRELOAD - 1, limit);
  /** @type {Preload[]} */
  const messages = [];
  let size = Infinity;
  for (const { imageUrl, signedUrl } of images) {
    const image = { imageUrl, signedUrl };
    const more = sizeOf(image, limit);
    if (size + more > most) {
      messages.push({ type: "preload", images: [] });
      size = FRAME;
    }
    messages.at(-1)?.images.push(image);
    size += more;
  }
  return messages;
}

/** What was announced and not shown yet, and what of it the client on this channel was told. */
export class Upcoming {
  /** Whether the client on the open channel wants to be told. */
  isWanted = false;
  /** @type {readonly ImageSource[]} */
  #images = [];
  /** Null before the first of it. @type {Preload[] | null} */
  #untold = null;
  #limit = MAX_CHANNEL_MESSAGE;
  #sharing;

  /** @param {Sharing} sharing */
  constructor(sharing) {
    this.#sharing = sharing;
  }

  /**
   * In the place of what was announced before; texts are left out, as they are not fetched.
   *
   * @param {readonly ImageSource[]} images
   * @throws {RangeError} for one that is too large, or two different ones of one name; then what was
   *   announced before stays so
   */
  announce(images) {
    // What else is said of an image is not the client's affair.
    const pictures = images.filter((one) => !isText(one));
    const announced = pictures.map(({ imageUrl, signedUrl, own }) => ({ imageUrl, signedUrl, own }));
    const shared = announced.map((one) => (one.own ? { ...one, signedUrl: null } : one));
    const conflict = firstConflict(announced) ?? firstConflict(shared);
    if (conflict !== null) throw new RangeError(`images ${conflict.join(" and ")} have one imageUrl`);
    splitPreload(announced, this.#limit);
    this.#images = announced;
    this.#untold = null;
  }

  /** This one is to be shown now. @param {string} imageUrl */
  shown(imageUrl) {
    this.#images = this.#images.filter((other) => other.imageUrl !== imageUrl);
  }

  /** The client on the open channel takes pictures in another way than was known. */
  tellAnew() {
    this.#untold = null;
  }

  /** A channel is open. @param {number} limit bytes of a message that the client takes */
  opened(limit) {
    this.#untold = null;
    this.#limit = limit;
  }

  /** There is no open channel any more. */
  closed() {
    this.isWanted = false;
    this.#limit = MAX_CHANNEL_MESSAGE;
  }

  /** @param {number} waiting bytes @returns {Preload[]} what is to be told now; the rest is for later */
  take(waiting) {
    if (!this.isWanted) return [];
    this.#untold ??= this.#split();
    /** @type {Preload[]} */
    const taken = [];
    let size = waiting;
    while (this.#untold.length > 0 && size <= MAX_UNSENT) {
      const message = /** @type {Preload} */ (this.#untold.shift());
      taken.push(message);
      size += encodeMessage(message).length;
    }
    return taken;
  }

  #split() {
    const told = this.#images.flatMap((image) => {
      const signedUrl = this.#sharing.urlOf(image);
      return signedUrl === undefined || this.#sharing.isUndecided(image) ? [] : [{ imageUrl: image.imageUrl, signedUrl }];
    });
    return splitPreload(told.filter((image) => fits(image, this.#limit)), this.#limit);
  }
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
