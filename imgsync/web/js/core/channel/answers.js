/**
 * What counts as an answer to the image that was put up last, and how long it took.
 *
 *     put up ──▶ answers wait ──▶ it is known since when it is on the screen ──▶ told ──▶ another is put up
 *
 * What came before the onset is none. An answer counts also once the image is away, until another one is
 * put up; where the first one ends it, no other does. Text that asks for nothing is answered by any key
 * or tap. It decides and does nothing; times are in milliseconds since the epoch.
 *
 * @import { Image, Response } from "../protocol/wire.js"
 * @import { Onset } from "./onsets.js"
 *
 * @typedef {{x: number, y: number}} Point
 * @typedef {{kind: "key" | "tap", value: string, at: number, within: number, point: Point | null}} Event
 * @typedef {{at: number, within: number}} Since
 * @typedef {{image: Image, keys: readonly string[] | null, taps: boolean, ends: boolean, onset: Since | null,
 *   waiting: Event[], isAnswered: boolean}} Asked `keys`: null for any; `waiting`: until the onset is known
 * @typedef {{kind: "responded", said: Response} | {kind: "over"}} Output `over`: it is to be taken away
 */

import { MAX_RESPONSES } from "../protocol/numbers.js";
import { isAnyKey, plainKey } from "../protocol/keys.js";

/**
 * Where a tap is on a picture that is shown whole, as large as its box, in the middle of it.
 *
 * @param {Point} tap
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {{width: number, height: number}} picture in its own pixels
 * @returns {Point | null} in these; null beside it
 */
export function placeOnPicture(tap, box, { width, height }) {
  if (!(width > 0 && height > 0)) return null;
  const scale = Math.min(box.width / width, box.height / height);
  const x = (tap.x - box.left - (box.width - width * scale) / 2) / scale;
  const y = (tap.y - box.top - (box.height - height * scale) / 2) / scale;
  return x >= 0 && y >= 0 && x < width && y < height ? { x, y } : null;
}

export class Answers {
  /** Of the last answer. */
  #number = 0;
  /** @type {Asked | null} */
  #asked = null;

  /** Whether taps are answers now. */
  get takesTaps() {
    return this.#asked !== null && this.#asked.taps;
  }

  /** Whether a key is an answer now. @param {string} key its name */
  takesKey(key) {
    if (this.#asked === null) return false;
    const { keys } = this.#asked;
    return keys === null ? isAnyKey(key) : keys.includes(key);
  }

  /** Whether it is asked for by its name, so that it is to do nothing else. @param {string} key */
  isAskedFor(key) {
    return this.#asked?.keys?.includes(key) ?? false;
  }

  /** An image is put up, or comes into view again. @param {Image} image */
  ask(image) {
    if (this.#isOf(image)) return;
    const { keys = [], taps = false, ends = false } = image.respond ?? {};
    const isAny = image.text !== undefined && image.respond === undefined;
    this.#asked = {
      image,
      keys: isAny ? null : keys.map(plainKey),
      taps: taps || isAny,
      ends,
      onset: null,
      waiting: [],
      isAnswered: false,
    };
  }

  /** Nothing that was put up is there to be answered any more. */
  close() {
    this.#asked = null;
  }

  /** @param {Image} image */
  #isOf({ imageIndex, sentAt }) {
    const image = this.#asked?.image;
    return image !== undefined && image.imageIndex === imageIndex && image.sentAt === sentAt;
  }

  /**
   * It is known since when an image is on the screen; the first time counts.
   *
   * @param {Image} image
   * @param {Onset} onset
   * @param {number} interval of refreshes: a frame that was put up is presented in one to come
   * @returns {Output[]}
   */
  begin(image, onset, interval) {
    const asked = this.#asked;
    if (asked === null || asked.onset !== null || !this.#isOf(image)) return [];
    const within = onset.within + (onset.timing === "frame" ? interval : 0);
    asked.onset = { at: onset.at, within };
    return asked.waiting.splice(0).flatMap((event) => this.#count(asked, event));
  }

  /**
   * A key was pressed.
   *
   * @param {string} value its name
   * @param {number} at
   * @param {number} within how coarse such times are
   * @returns {Output[]}
   */
  key(value, at, within) {
    return this.takesKey(value) ? this.#take({ kind: "key", value, at, within, point: null }) : [];
  }

  /**
   * The screen was tapped.
   *
   * @param {Point | null} point on the picture; null beside it
   * @param {number} at
   * @param {number} within how coarse such times are
   * @returns {Output[]}
   */
  tap(point, at, within) {
    const value = point === null ? "beside" : "picture";
    return this.takesTaps ? this.#take({ kind: "tap", value, at, within, point }) : [];
  }

  /** @param {Event} event */
  #take(event) {
    const asked = this.#asked;
    if (asked === null) return [];
    if (asked.onset !== null) return this.#count(asked, event);
    // As many as are told, and one that says that there were more.
    if (asked.waiting.length <= MAX_RESPONSES) asked.waiting.push(event);
    return [];
  }

  /** @param {Asked} asked @param {Event} event @returns {Output[]} */
  #count(asked, { kind, value, at, within, point }) {
    const { image, onset, ends, isAnswered } = asked;
    if (onset === null || at < onset.at || (ends && isAnswered)) return [];
    asked.isAnswered = true;
    this.#number += 1;
    /** @type {Response} */
    const said = {
      type: "response",
      imageIndex: image.imageIndex,
      sentAt: image.sentAt,
      number: this.#number,
      at,
      kind,
      value,
      reactionTime: at - onset.at,
      within: onset.within + within,
      ...point,
    };
    return ends ? [{ kind: "responded", said }, { kind: "over" }] : [{ kind: "responded", said }];
  }
}
