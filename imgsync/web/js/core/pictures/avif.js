/**
 * AVIF: boxes of the ISO base media format, and whether all is there that they point to. The rules
 * of `core/pictures/avif.py`.
 *
 * @import { Format } from "./reading.js"
 */

import { Numbers, boxesIn, sizeOfItem, sizeOfTrack } from "./boxes.js";
import { Malformed, Sized, Skip, Take, big, textOf } from "./reading.js";

/** Bytes that are looked at of what says where the parts of a picture are. */
const MAX_META = 1024 * 1024;
const IN_FILE = 0;

/** @returns {Format} */
export function* readAvif() {
  let at = 0;
  /** @type {number | null} */
  let end = null;
  const seen = new Set();
  for (;;) {
    const header = yield new Take(8);
    let size = big(header, 0, 4);
    let taken = 8;
    const kind = textOf(header.subarray(4));
    if (size === 1) {
      size = big(yield new Take(8));
      taken = 16;
    }
    if (size < taken && size !== 0) throw new Malformed();
    if (kind === "ftyp" && size >= taken + 4) {
      seen.add(textOf(yield new Take(4)));
      taken += 4;
    }
    const isSequence = seen.has("avis");
    const isShort = taken < size && size <= MAX_META;
    if (kind === "meta" && isShort) {
      const meta = yield new Take(size - taken);
      yield new Sized(...sizeOfItem(meta));
      if (!isSequence) end = endOfParts(meta);
    } else if (kind === "moov" && isShort && isSequence) {
      yield new Sized(...sizeOfTrack(yield new Take(size - taken)));
    } else if (size === 0) {
      // It goes on to the end of the file, wherever that is.
      yield new Skip(Math.max(0, (end ?? 0) - at - taken));
      return;
    } else if (end !== null) {
      yield new Skip(Math.min(size, Math.max(taken, end - at)) - taken);
    } else {
      yield new Skip(size - taken);
    }
    at += size;
    seen.add(kind);
    const hasAll = seen.has(isSequence ? "moov" : "meta") && seen.has("mdat");
    if (end === null ? hasAll : at >= end) return;
  }
}

/** @param {Uint8Array} meta @returns {number} where the last part ends, in bytes of the file */
function endOfParts(meta) {
  const places = boxesIn(meta.subarray(4)).find(([kind]) => kind === "iloc"); // behind version and flags
  if (places === undefined) throw new Malformed();
  return endOfPlaces(new Numbers(places[1]));
}

/** @param {Numbers} box */
function endOfPlaces(box) {
  const version = box.take(1);
  box.take(3);
  const sizes = box.take(2);
  const [ofOffset, ofLength, ofBase] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const ofIndex = version > 0 ? sizes & 15 : 0;
  const ofCount = version < 2 ? 2 : 4;
  let end = 0;
  for (let items = box.take(ofCount); items > 0; items -= 1) {
    box.take(ofCount);
    const method = version > 0 ? box.take(2) & 15 : IN_FILE;
    box.take(2);
    const base = box.take(ofBase);
    for (let extents = box.take(2); extents > 0; extents -= 1) {
      box.take(ofIndex);
      const offset = box.take(ofOffset);
      const length = box.take(ofLength);
      if (method === IN_FILE) end = Math.max(end, base + offset + length);
    }
  }
  return end;
}
