/**
 * A series of pictures from the evaluator's own disk. Each is named `images/TOKEN/NAME`, whichever way a
 * client gets it; the token is that of the series, for as long as it lasts, reloads included.
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Listed } from "./manifest.js"
 * @import { LeftOut, OwnPicture, Taken } from "./picture_files.js"
 *
 * @typedef {object} Joined what some pictures are to a series that is here
 * @property {Listed[]} images of the series; those that it had lost are there again
 * @property {number} found how many these are
 * @property {Taken[]} fresh pictures that it does not have
 * @property {LeftOut[]} clashing pictures whose names it has for others
 */

import { wrapPicture } from "../page/wrapping.js";
import { OTHER_PICTURE } from "../words/pictures.js";

/** @param {string} token @param {Taken} taken @returns {Listed} */
export function ownImage(token, { name, blob, facts, extra }) {
  const imageUrl = `images/${token}/${encodeURIComponent(name)}`;
  const image = { imageUrl, signedUrl: null, own: { blob, facts } };
  return extra === undefined ? image : { ...image, extra };
}

/**
 * A URL under which this page sees it as clients do, to be revoked.
 *
 * @param {OwnPicture} own that is here
 * @returns {Promise<string>} at once, but of an SVG, which is looked at; in any case
 */
export async function seenUrl({ blob, facts }) {
  const whole = /** @type {Blob} */ (blob);
  return URL.createObjectURL(await wrapPicture([whole], facts.contentType).catch(() => whole));
}

/** Whether its bytes are not here. @param {Listed | undefined} image */
export function isLost(image) {
  return image !== undefined && image.own !== undefined && image.own.blob === null;
}

/**
 * @param {string} token
 * @param {readonly Listed[]} images of the series
 * @param {readonly Taken[]} taken
 * @returns {Joined}
 */
export function join(token, images, taken) {
  const byUrl = new Map(taken.map((one) => [ownImage(token, one).imageUrl, one]));
  const known = new Map(images.map((image) => [image.imageUrl, image.own?.facts.sha256]));
  let found = 0;
  const joined = images.map((image) => {
    const one = byUrl.get(image.imageUrl);
    if (image.own === undefined || one === undefined || !isLost(image)) return image;
    if (one.facts.sha256 !== image.own.facts.sha256) return image;
    found += 1;
    return { ...image, own: { ...image.own, blob: one.blob } };
  });
  const fresh = taken.filter((one) => !known.has(ownImage(token, one).imageUrl));
  const clashing = [...byUrl].filter(([url, one]) => known.has(url) && known.get(url) !== one.facts.sha256);
  return { images: joined, found, fresh, clashing: clashing.map(([, { name }]) => ({ name, ...OTHER_PICTURE })) };
}

/**
 * To be kept by a browser, which keeps the bytes elsewhere.
 *
 * @param {readonly Listed[]} images
 * @returns {Listed[]}
 */
export function withoutBytes(images) {
  return images.map((image) =>
    image.own === undefined ? image : { ...image, own: { ...image.own, blob: null } },
  );
}
