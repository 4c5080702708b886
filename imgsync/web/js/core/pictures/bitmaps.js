/**
 * PNG, JPEG, GIF, WebP and BMP: whether they are built soundly, up to their end, and how large they
 * are. The rules of `core/pictures/bitmaps.py`, which has the sources.
 *
 * @import { Format } from "./reading.js"
 */

import { isTurned } from "./exif.js";
import { Malformed, Marker, Sized, Skip, Sum, Take, big, bytesOf, crc32, little, textOf } from "./reading.js";

const MAX_CHUNK = 2 ** 31 - 1;

/** Chunks that change nothing of what is seen: it is shown rightly, whatever they hold. */
const NEVER_SEEN = ["tEXt", "zTXt", "iTXt", "tIME"];

/** Bytes that are looked at of what says how a picture is to be held. */
const MAX_EXIF = 65535;

/** @returns {Format} */
export function* readPng() {
  yield new Skip(8);
  if (textOf(yield new Take(8)) !== "\0\0\0\rIHDR") throw new Malformed();
  const fields = yield new Take(13);
  yield* checkSum(crc32(fields, crc32(bytesOf("IHDR"))));
  if (big(fields, 0, 4) === 0 || big(fields, 4, 8) === 0) throw new Malformed();
  const [width, height] = [big(fields, 0, 4), big(fields, 4, 8)];
  yield new Sized(width, height);
  let hasPixels = false;
  for (;;) {
    const header = yield new Take(8);
    const size = big(header, 0, 4);
    const kind = textOf(header.subarray(4));
    if (size > MAX_CHUNK || !/^[A-Za-z]{4}$/.test(kind) || kind === "IHDR") throw new Malformed();
    if (NEVER_SEEN.includes(kind)) {
      yield new Skip(size + 4);
      continue;
    }
    if (kind === "eXIf" && !hasPixels && size <= MAX_EXIF) {
      const exif = yield new Take(size);
      yield* checkSum(crc32(exif, crc32(header.subarray(4))));
      yield isTurned(exif) ? new Sized(height, width) : new Sized(width, height);
      continue;
    }
    yield* checkSum(yield new Sum(size, crc32(header.subarray(4))));
    if (kind === "IEND") break;
    hasPixels ||= kind === "IDAT" && size > 0;
  }
  if (!hasPixels) throw new Malformed();
}

/** @param {number} crc @returns {Format} */
function* checkSum(crc) {
  if (big(yield new Take(4)) !== crc) throw new Malformed();
}

const [EOI, SOS, TEM, APP1] = [0xd9, 0xda, 0x01, 0xe1];
const EXIF = "Exif\0\0";

/** @param {number} marker */
function isFrame(marker) {
  return (0xc0 <= marker && marker <= 0xc3) || (0xc9 <= marker && marker <= 0xcb);
}

/** @param {number} marker reserved, a second beginning, or of hierarchical pictures and extensions */
function isUnknown(marker) {
  return (
    (0x02 <= marker && marker < 0xc0) ||
    (0xc5 <= marker && marker < 0xc9) ||
    (0xcd <= marker && marker < 0xd0) ||
    [0xd8, 0xde, 0xdf].includes(marker) ||
    (0xf0 <= marker && marker < 0xfe)
  );
}

/**
 * Thumbnails are inside of segments, and other pictures, or a film, behind the end of the first one.
 *
 * @returns {Format}
 */
export function* readJpeg() {
  yield new Skip(2);
  let hasFrame = false;
  let hasScan = false;
  let isOnSide = false;
  let [width, height] = [0, 0];
  for (;;) {
    const marker = yield new Marker();
    if (marker === EOI) break;
    if (marker === TEM) continue;
    if (isUnknown(marker) || (marker === SOS && !hasFrame)) throw new Malformed();
    let left = big(yield new Take(2)) - 2;
    if (left < 0) throw new Malformed();
    if (isFrame(marker) && left > 0) {
      const fields = yield new Take(Math.min(left, 5));
      // Browsers show no more than 8 bits of a colour; scanners and DICOM also write 12.
      if (fields[0] !== 8) throw new Malformed();
      [height, width] = [big(fields, 1, 3), big(fields, 3, 5)];
      left -= fields.length;
      hasFrame = true;
    } else if (marker === APP1) {
      const start = yield new Take(Math.min(left, EXIF.length));
      left -= start.length;
      if (textOf(start) === EXIF) {
        isOnSide = isTurned(yield new Take(left));
        left = 0;
      }
    } else if (marker === SOS && !hasScan) {
      yield isOnSide ? new Sized(height, width) : new Sized(width, height);
      hasScan = true;
    }
    yield new Skip(left);
  }
  if (!hasScan) throw new Malformed();
}

const [EXTENSION, IMAGE, TRAILER] = [0x21, 0x2c, 0x3b];

/** @returns {Format} */
export function* readGif() {
  const screen = yield new Take(13);
  yield new Skip(sizeOfColours(screen[10]));
  let hasImage = false;
  for (;;) {
    const [block] = yield new Take(1);
    if (block === EXTENSION) {
      yield new Skip(1);
      yield* skipParts();
    } else if (block === IMAGE) {
      const header = yield new Take(9);
      if (!hasImage) {
        // The screen that some write is too small; browsers then make it larger.
        const [width = 0, height = 0] = [6, 8].map((at) =>
          Math.max(little(screen, at, at + 2), little(header, at - 2, at)),
        );
        yield new Sized(width, height);
      }
      yield new Skip(sizeOfColours(header[8]) + 1);
      yield* skipParts();
      hasImage = true;
    } else if (block === TRAILER) {
      break;
    } else if (block !== 0) {
      throw new Malformed(); // some write an end of parts too many
    }
  }
  if (!hasImage) throw new Malformed();
}

/** @param {number} flags */
function sizeOfColours(flags) {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

/** @returns {Format} */
function* skipParts() {
  for (;;) {
    const [size] = yield new Take(1);
    if (size === 0) return;
    yield new Skip(size);
  }
}

/** Where in the data something always stands. @type {Record<string, [number, string]>} */
const STARTS = { "VP8 ": [3, "\x9d\x01\x2a"], VP8L: [0, "\x2f"] };
/** Bytes of a chunk that say how large it is, too. */
const START = 10;

/** @returns {Format} */
export function* readWebp() {
  let left = little(yield new Take(12), 4, 8) - 4;
  let hasImage = false;
  let isSized = false;
  while (left >= 8) {
    const header = yield new Take(8);
    left -= 8;
    const kind = textOf(header.subarray(0, 4));
    const size = little(header, 4, 8);
    if (size > left) throw new Malformed();
    // An odd one is followed by a byte more, which some leave out at the very end.
    const whole = Math.min(size + (size % 2), left);
    const start = yield new Take(Math.min(size, START));
    const [at, wanted] = STARTS[kind] ?? [0, ""];
    if (!textOf(start).startsWith(wanted, at)) throw new Malformed();
    const sizeOf = WEBP_SIZES[kind];
    if (sizeOf !== undefined && !isSized) {
      // What is inside of a canvas may be smaller.
      yield sizeOf(start);
      isSized = true;
    }
    yield new Skip(whole - start.length);
    left -= whole;
    hasImage ||= kind in STARTS || kind === "ANMF";
  }
  if (!hasImage) throw new Malformed();
  yield new Skip(left);
}

/** @type {Record<string, (start: Uint8Array) => Sized>} */
const WEBP_SIZES = {
  "VP8 ": (start) => new Sized(little(start, 6, 8) & 0x3fff, little(start, 8, 10) & 0x3fff),
  VP8L: (start) => {
    const bits = little(start, 1, 5);
    return new Sized((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
  },
  VP8X: (start) => new Sized(little(start, 4, 7) + 1, little(start, 7, 10) + 1),
};

const [FILE_HEADER, OS2_HEADER] = [14, 12];
const [RGB, FIELDS, ALPHA_FIELDS] = [0, 3, 6];

/** @returns {Format} */
export function* readBmp() {
  const header = yield new Take(FILE_HEADER + 4);
  const start = little(header, 10, 14);
  const size = little(header, 14, 18);
  const found = bmpFields(yield new Take(size - 4), size);
  const { width, height, planes, bits, compression } = found;
  if (width <= 0 || height === 0 || planes !== 1 || bits <= 0 || bits > 32) throw new Malformed();
  yield new Sized(width, Math.abs(height));
  const isPlain = [RGB, FIELDS, ALPHA_FIELDS].includes(compression);
  const row = Math.floor((width * bits + 31) / 32) * 4;
  const packed = isPlain ? row * Math.abs(height) : found.packed;
  yield new Skip(Math.max(start, FILE_HEADER + size) + packed - FILE_HEADER - size);
}

/** @param {Uint8Array} fields @param {number} size of the header that they stand in */
function bmpFields(fields, size) {
  if (size === OS2_HEADER) {
    const [width = 0, height = 0, planes = 0, bits = 0] = [0, 2, 4, 6].map((at) =>
      little(fields, at, at + 2),
    );
    return { width, height, planes, bits, compression: RGB, packed: 0 };
  }
  const [width = 0, height = 0] = [0, 4].map((at) => little(fields, at, at + 4) | 0);
  const [planes = 0, bits = 0] = [8, 10].map((at) => little(fields, at, at + 2));
  // Those of OS/2 may be too short for these, which then are 0.
  const [compression = 0, packed = 0] = [12, 16].map((at) => little(fields, at, at + 4));
  return { width, height, planes, bits, compression, packed };
}
