/**
 * Which two of the images that are told of are the same one: the rule of `core/protocol/naming.py`.
 *
 * An image that was fetched ahead is shown where one of the same `imageUrl` is asked for, and its
 * signature may be another by then, which is in the query. If the signed URL differs before its
 * query, it is another image, whatever its name says: nobody may be shown a wrong one. A list that
 * says both at once, with a query that differs in more than a signature, is refused by whoever reads or
 * would send it: a parameter that is not known to sign may choose another version.
 *
 * @import { UpcomingImage } from "./wire.js"
 */

/** What signs a URL, or limits it in time. */
const SIGNS = new RegExp(
  "^(?:x-(?:amz|goog|oss|cos|ms)-[^=]*|(?:aws|google|oss)access(?:key)?id|key-pair-id|policy" +
    "|signature|sig|expires|expiry|exp|token|hmac|hdne[at]|hdnts|verify|security-token)(?:=.*)?$",
  "is",
);

/** What else signs at Azure. So short a name may mean anything where its `sig` is not beside it. */
const SIGNS_WITH_SIG = /^(?:s[evtrpi]|sip|ss|srt|spr|ses|sk(?:oid|tid|[tesv])|saoid|suoid|scid|sdd)(?:=.*)?$/is;

const SIG = /^sig(?:=.*)?$/is;

/** What an image is known by, whenever it is signed. @param {UpcomingImage} image */
export function imageKey({ imageUrl, signedUrl }) {
  return `${imageUrl}\n${(signedUrl ?? "").replace(/[?#].*$/s, "")}`;
}

/** @param {string} key @returns {string} the `imageUrl` of what is known by it */
export function nameInKey(key) {
  return key.slice(0, key.indexOf("\n"));
}

/**
 * @param {readonly UpcomingImage[]} images
 * @returns {[number, number] | null} the places of the first two that have one name and may be
 *   different, as are one with a URL and one without; null where all is well
 */
export function firstConflict(images) {
  /** @type {Map<string, [number, string | null]>} */
  const first = new Map();
  for (const [place, image] of images.entries()) {
    const unsigned = withoutSignature(image.signedUrl);
    const [earlier, known] = first.get(image.imageUrl) ?? [place, unsigned];
    if (known !== unsigned) return [earlier, place];
    first.set(image.imageUrl, [earlier, known]);
  }
  return null;
}

/**
 * @param {UpcomingImage} image
 * @param {readonly UpcomingImage[]} images
 * @returns {string | null} the signed URL that it has by now, the last one of these that is the same; its own
 *   where none is
 */
export function newestUrl({ imageUrl, signedUrl }, images) {
  const unsigned = withoutSignature(signedUrl);
  const same = images.filter((one) => one.imageUrl === imageUrl && withoutSignature(one.signedUrl) === unsigned);
  return same.at(-1)?.signedUrl ?? signedUrl;
}

/** @param {string | null} signedUrl */
function withoutSignature(signedUrl) {
  if (signedUrl === null) return null;
  const [bare = ""] = signedUrl.split("#", 1);
  const [address = ""] = bare.split("?", 1);
  const query = bare.slice(address.length + 1).split("&");
  const parts = query.filter((part) => !SIGNS.test(part));
  const isAzure = query.some((part) => SIG.test(part));
  return [address, ...(isAzure ? parts.filter((part) => !SIGNS_WITH_SIG.test(part)) : parts)].join("&");
}
