/**
 * A picture that has been fetched, and an element of it for each of its showings.
 *
 * Each showing has an element of its own: a browser tells once of an element when it was presented,
 * and an animation that has run goes on at its end. Elements of one URL share an animation, so that
 * each has a URL of its own where the page has the picture's bytes. The animation of an SVG runs from
 * when it is loaded, so that nothing is made of it ahead.
 *
 * @import { Facts } from "../core/pictures/facts.js"
 */

import { SVG, Undecodable } from "../page/wrapping.js";

export class Picture {
  #source;
  /** For the next showing, and never in the document. @type {HTMLImageElement | null} */
  #ready = null;
  /** Whether it is decoded. */
  #isDecoded = false;
  /** The one of the last showing, where elements share a URL. @type {HTMLImageElement | null} */
  #last = null;

  /**
   * @param {Blob | string} source its bytes, or the URL of a host that does not let pages read them
   * @param {Facts | null} facts of the bytes as they came; null where they can't be read
   */
  constructor(source, facts) {
    this.#source = source;
    this.facts = facts;
  }

  /**
   * Decode it ahead.
   *
   * @param {AbortSignal} signal whose reason is thrown
   * @returns {Promise<number>} bytes of its pixels
   * @throws {Undecodable}
   */
  async prepare(signal) {
    signal.throwIfAborted();
    if (this.#ready === null) this.#ready = await this.#make(signal);
    else await decode(this.#ready, signal);
    this.#isDecoded = true;
    return this.#ready.naturalWidth * this.#ready.naturalHeight * 4;
  }

  /** Whether it is decoded ahead. */
  get isPrepared() {
    return this.#isDecoded;
  }

  /** It is not wanted soon. What the page can't read stays loaded, as it would be fetched again. */
  release() {
    this.#isDecoded = false;
    if (this.#ready === null || typeof this.#source === "string") return;
    this.#ready.src = "";
    this.#ready = null;
  }

  /**
   * For one showing, that begins now.
   *
   * @param {AbortSignal} signal whose reason is thrown
   * @returns {Promise<HTMLImageElement>} decoded, and never in the document
   * @throws {Undecodable}
   */
  async take(signal) {
    const isStale = this.#source instanceof Blob && this.#source.type === SVG;
    const early = isStale ? null : this.#ready;
    this.#ready = null;
    this.#isDecoded = false;
    // A browser may have dropped its pixels since.
    if (early !== null) await decode(early, signal);
    const element = early ?? (await this.#make(signal));
    if (typeof this.#source === "string") this.#last = element;
    return element;
  }

  /** @param {AbortSignal} signal */
  async #make(signal) {
    const element = new Image();
    element.alt = "";
    element.decoding = "sync";
    element.referrerPolicy = "no-referrer";
    element.draggable = false;
    if (typeof this.#source === "string") {
      // An animation begins anew once no element has it; one that is up stays.
      if (this.#last !== null && !this.#last.isConnected) this.#last.src = "";
      element.src = this.#source;
      await decode(element, signal);
    } else {
      const url = URL.createObjectURL(this.#source);
      element.src = url;
      try {
        await decode(element, signal);
      } finally {
        URL.revokeObjectURL(url); // the element has what it needs by now
      }
    }
    return element;
  }
}

/** @param {HTMLImageElement} element @param {AbortSignal} signal */
async function decode(element, signal) {
  try {
    await Promise.race([decodeAgain(element), aborted(signal)]);
  } catch {
    element.src = "";
    signal.throwIfAborted();
    throw new Undecodable();
  }
}

/** Browsers refuse a sound picture now and then, such as for want of memory. @param {HTMLImageElement} element */
async function decodeAgain(element) {
  try {
    await element.decode();
  } catch {
    await element.decode();
  }
}

/** @param {AbortSignal} signal @returns {Promise<never>} rejects when it is aborted */
export function aborted(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
