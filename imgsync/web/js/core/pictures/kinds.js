/**
 * Which kind of picture some bytes are, by their beginning and never by their name: the rules of
 * `core/pictures/kinds.py`, which has the sources.
 *
 * @typedef {object} Kind of picture that browsers show
 * @property {string} name
 * @property {string} mediaType
 * @property {readonly string[]} suffixes how the names of its files end, without the point
 */

import { OTHER_SIGNATURES, PICTURE_KINDS } from "../protocol/numbers.js";

/** @type {readonly Kind[]} */
export const KINDS = PICTURE_KINDS.map(([name, mediaType, suffixes]) => ({
  name: String(name),
  mediaType: String(mediaType),
  suffixes: /** @type {string[]} */ (suffixes),
}));

/** Of what has one at its very beginning, with the name of its kind. @type {[string, string][]} */
const SIGNATURES = [
  ["\x89PNG\r\n\x1a\n", "png"],
  ["\xff\xd8\xff", "jpg"],
  ["GIF87a", "gif"],
  ["GIF89a", "gif"],
];

const HEIF_BRANDS = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];

/** Of headers that follow that of the file. */
const BMP_HEADERS = [12, 16, 40, 52, 56, 64, 108, 124];

/** How a text in UTF-16 begins. @type {ReadonlyMap<string, "little" | "big">} */
export const UTF_16 = new Map([
  ["\xff\xfe", "little"],
  ["\xfe\xff", "big"],
  ["<\0", "little"],
  ["\0<", "big"],
]);

export const UTF_8_MARK = "\xef\xbb\xbf";

const XML = /^(?:\xef\xbb\xbf)?[ \t\r\n]*</;

/**
 * Of XML the element decides that may come later: it is taken for an SVG here.
 *
 * @param {string} head a character for each byte
 * @returns {Kind | null}
 */
export function sniff(head) {
  const name = nameOf(head);
  return KINDS.find((kind) => kind.name === name) ?? null;
}

/** @param {string} head @returns {string | null} */
function nameOf(head) {
  for (const [signature, name] of SIGNATURES) {
    if (head.startsWith(signature)) return name;
  }
  if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) return "webp";
  if (brands(head).some((brand) => brand === "avif" || brand === "avis")) return "avif";
  if (head.startsWith("BM") && BMP_HEADERS.includes(littleOf(head, 14))) return "bmp";
  return UTF_16.has(head.slice(0, 2)) || XML.test(head) ? "svg" : null;
}

/** @param {string} head of no picture that browsers show @returns {string | null} */
export function mediaTypeOf(head) {
  const found = brands(head);
  if (found.includes("crx ")) return "image/x-canon-cr3";
  if (found.length > 0) {
    return found.some((brand) => HEIF_BRANDS.includes(brand)) ? "image/heic" : "video/mp4";
  }
  const one = OTHER_SIGNATURES.find(([at, text]) => head.startsWith(String(text), Number(at)));
  return one === undefined ? null : String(one[2]);
}

/** @param {string} head @returns {string[]} */
function brands(head) {
  if (!head.startsWith("ftyp", 4)) return [];
  const end = Math.min(bigOf(head, 0), head.length);
  const found = [head.slice(8, 12)];
  for (let at = 16; at < end - 3; at += 4) found.push(head.slice(at, at + 4));
  return found;
}

/** @param {string} text @param {number} at @returns {number} of four bytes, or of those that are left */
function littleOf(text, at) {
  return [...text.slice(at, at + 4)].reduceRight((sum, byte) => sum * 256 + byte.charCodeAt(0), 0);
}

/** @param {string} text @param {number} at */
function bigOf(text, at) {
  return [...text.slice(at, at + 4)].reduce((sum, byte) => sum * 256 + byte.charCodeAt(0), 0);
}
