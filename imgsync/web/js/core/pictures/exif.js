/** What EXIF says of how a picture is to be held: the rules of `core/pictures/exif.py`. */

import { big, little, textOf } from "./reading.js";

const ORDERS = new Map([
  ["II*\0", little],
  ["MM\0*", big],
]);

const [ORIENTATION, SHORT] = [0x0112, 3];
const ENTRY = 12;
const ON_ITS_SIDE = [5, 6, 7, 8];

/** @param {Uint8Array} tiff what follows the word `Exif` */
export function isTurned(tiff) {
  const numberAt = ORDERS.get(textOf(tiff.subarray(0, 4)));
  if (numberAt === undefined) return false;
  const at = numberAt(tiff, 4, 8);
  const count = numberAt(tiff, at, at + 2);
  const end = Math.min(at + 2 + ENTRY * count, tiff.length - ENTRY + 1);
  for (let entry = at + 2; entry < end; entry += ENTRY) {
    const isIt =
      numberAt(tiff, entry, entry + 2) === ORIENTATION &&
      numberAt(tiff, entry + 2, entry + 4) === SHORT;
    if (isIt) return ON_ITS_SIDE.includes(numberAt(tiff, entry + 8, entry + 10));
  }
  return false;
}
