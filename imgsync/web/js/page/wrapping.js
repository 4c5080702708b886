/**
 * The bytes of a picture as a browser takes them.
 *
 * Browsers go by the type that a blob says it has, and not by what a host says, so that one that was
 * stored as another is shown rightly. Of an SVG they know UTF-8, and UTF-16 with its mark; any other
 * is written anew.
 */

/** It is no picture that can be decoded, or can't be had from its host. */
export class Undecodable extends Error {}

export const SVG = "image/svg+xml";

const HEAD = 512;

/**
 * @param {(Blob | Uint8Array<ArrayBuffer>)[]} parts of a whole picture, as `PictureCheck` has found it
 * @param {string} type of its kind
 * @returns {Promise<Blob>}
 * @throws {Undecodable}
 */
export async function wrapPicture(parts, type) {
  const blob = new Blob(parts, { type });
  if (type !== SVG) return blob;
  const encoding = encodingOf(new Uint8Array(await blob.slice(0, HEAD).arrayBuffer()));
  if (encoding === "utf-8") return blob;
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(await blob.arrayBuffer());
    // The mark goes before what the text says of itself.
    return new Blob(["\ufeff", text], { type });
  } catch {
    throw new Undecodable(); // an encoding that nobody knows, or another than it says
  }
}

/** XML 1.0, appendix F. @param {Uint8Array} head @returns {string} */
function encodingOf(head) {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) return "utf-16be";
  const text = String.fromCharCode(...head);
  const named = /^<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(text)?.[1]?.toLowerCase();
  // What could be read so far is not in UTF-16, whatever it says.
  return named === undefined || /^(?:utf-?8|utf-?16|us-ascii)/.test(named) ? "utf-8" : named;
}
