/**
 * Which thumbnail a showing belongs to. What is moved in its series keeps in the record the place that it
 * had when it was shown; its name says where it is now.
 *
 * @import { Listed } from "./manifest.js"
 * @import { Standing } from "./journal.js"
 */

import { publicUrl } from "../core/protocol/urls.js";

/** By series, as it is drawn often. @type {WeakMap<readonly Listed[], Map<string, number[]>>} */
const places = new WeakMap();

/**
 * @param {readonly Listed[]} images
 * @param {readonly Standing[]} rows of it, in the order in which they were shown
 * @returns {Map<number, Standing>} the last one by place
 */
export function standingsOf(images, rows) {
  const known = places.get(images) ?? placesIn(images);
  places.set(images, known);
  /** @type {Map<number, Standing>} */
  const found = new Map();
  for (const row of rows) {
    const here = known.get(row.imageUrl) ?? [];
    const [only] = here.length === 1 ? here : [];
    const place = here.includes(row.imageIndex) ? row.imageIndex : only;
    if (place !== undefined) found.set(place, row);
  }
  return found;
}

/** @param {readonly Listed[]} images */
function placesIn(images) {
  /** @type {Map<string, number[]>} */
  const found = new Map();
  images.forEach(({ imageUrl }, place) => {
    const url = publicUrl(imageUrl);
    found.set(url, [...(found.get(url) ?? []), place]);
  });
  return found;
}
