/**
 * Boxes of the ISO base media format, and what they say of a picture's size. The rules of
 * `core/pictures/boxes.py`, which has the sources.
 */

import { Malformed, big, textOf } from "./reading.js";

/** @typedef {[number, number]} Size */

const NONE = new Uint8Array(0);

/** Of a box, one after the other. */
export class Numbers {
  #data;
  #at = 0;

  /** @param {Uint8Array} data */
  constructor(data) {
    this.#data = data;
  }

  /** @param {number} size in bytes @returns {number} the next one */
  take(size) {
    this.#at += size;
    if (this.#at > this.#data.length) throw new Malformed();
    return big(this.#data, this.#at - size, this.#at);
  }
}

/**
 * Those inside of one. It stops at what is none.
 *
 * @param {Uint8Array} data
 * @returns {[string, Uint8Array][]} their kinds, and what they hold
 */
export function boxesIn(data) {
  /** @type {[string, Uint8Array][]} */
  const found = [];
  for (let at = 0; at + 8 <= data.length; ) {
    const size = big(data, at, at + 4);
    if (size < 8) break;
    found.push([textOf(data.subarray(at + 4, at + 8)), data.subarray(at + 8, at + size)]);
    at += size;
  }
  return found;
}

/** @param {Uint8Array} meta @returns {Size} of its primary picture, as it is turned for being seen */
export function sizeOfItem(meta) {
  const found = new Map(boxesIn(meta.subarray(4)));
  const properties = new Map(boxesIn(found.get("iprp") ?? NONE));
  const known = boxesIn(properties.get("ipco") ?? NONE);
  try {
    const item = primaryItem(new Numbers(found.get("pitm") ?? NONE));
    const places = propertiesOf(item, new Numbers(properties.get("ipma") ?? NONE));
    const ofItem = new Map(places.flatMap((place) => known.slice(place - 1, place)));
    const extents = new Numbers(ofItem.get("ispe") ?? NONE);
    extents.take(4);
    const [width, height] = [extents.take(4), extents.take(4)];
    return (ofItem.get("irot")?.[0] ?? 0) & 1 ? [height, width] : [width, height];
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return [0, 0];
  }
}

/** @param {Numbers} box */
function primaryItem(box) {
  const version = box.take(1);
  box.take(3);
  return box.take(version > 0 ? 4 : 2);
}

/** @param {number} item @param {Numbers} box @returns {number[]} their places among all, from 1 */
function propertiesOf(item, box) {
  const version = box.take(1);
  const isWide = box.take(3) % 2 === 1;
  for (let items = box.take(4); items > 0; items -= 1) {
    const isIt = box.take(version > 0 ? 4 : 2) === item;
    const places = Array.from({ length: box.take(1) }, () =>
      isWide ? box.take(2) & 0x7fff : box.take(1) & 0x7f,
    ).filter((place) => place > 0);
    if (isIt) return places;
  }
  throw new Malformed();
}

/** @param {Uint8Array} moov @returns {Size} of its first track that has one */
export function sizeOfTrack(moov) {
  for (const [kind, track] of boxesIn(moov)) {
    const header = kind === "trak" ? new Map(boxesIn(track)).get("tkhd") ?? NONE : NONE;
    if (header.length < 8) continue;
    // Whole pixels, and parts of one in as many bits again.
    const [width, height] = [header.length - 8, header.length - 4].map((at) => big(header, at, at + 2));
    if (width && height) return [width, height];
  }
  return [0, 0];
}
