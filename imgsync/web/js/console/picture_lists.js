/**
 * A list that lies beside pictures and names them, by the names of their files: it says which are shown, in
 * which order and how often, and what else is to be in the record of each.
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Entry } from "../core/study/entries.js"
 * @import { Listed, Study } from "./manifest.js"
 * @import { LeftOut, Sorted, Taken } from "./picture_files.js"
 *
 * @typedef {Sorted & {study?: Study, listed?: (token: string) => Listed[]}} Arranged
 *   `study`: that lies beside them, and `listed` what it shows, with the token of the pictures
 */

import { BadManifest, MAX_LIST, listedOf, parseNames, readList, saidOf } from "./manifest.js";
import { ownImage } from "./own_series.js";
import { describeMissing, describeTwoLists } from "../words/manifest.js";
import { describeUnlisted } from "../words/pictures.js";

const LIST = /\.(?:json|csv|txt)$/i;

/**
 * @param {Sorted} sorted
 * @param {readonly File[]} files all that there are
 * @returns {Promise<Arranged>} the very same where there is no such list
 * @throws {BadManifest}
 */
export async function byTheirList(sorted, files) {
  if (sorted.taken.length === 0) return sorted;
  /** @type {{file: string, names: NonNullable<ReturnType<typeof parseNames>>}[]} */
  const lists = [];
  for (const file of files) {
    if (!(await isMeant(file))) continue;
    const names = await readList(file, file.name, parseNames);
    if (names !== null) lists.push({ file: file.name, names });
  }
  const [list, other] = lists;
  if (list === undefined) return sorted;
  if (other !== undefined) throw new BadManifest(describeTwoLists(list.file, other.file));
  // A Mac spells some letters in two.
  const known = new Map(sorted.taken.map((one) => [one.name.normalize(), one]));
  const { entries, study } = list.names;
  const pictures = entries.map(({ imageUrl }, place) => {
    if (imageUrl === null) return null;
    const one = known.get(imageUrl.normalize());
    if (one === undefined) throw new BadManifest(describeMissing(list.file, place, imageUrl));
    return one;
  });
  const taken = pictures.flatMap((one, place) => (one === null ? [] : [{ ...one, ...extraOf(entries[place]) }]));
  const found = { taken, leftOut: leftOutBy(list.file, sorted, taken) };
  if (study === null) return found;
  const listed = (/** @type {string} */ token) =>
    entries.map((entry, place) => {
      const one = pictures[place] ?? null;
      const said = saidOf(entry.trial, entry.extra);
      return one === null ? listedOf(entry, place, study) : { ...ownImage(token, one), ...said };
    });
  return { ...found, study, listed };
}

/** @param {Entry | undefined} entry @returns {{extra?: Extra}} */
function extraOf(entry) {
  return entry === undefined || Object.keys(entry.extra).length === 0 ? {} : { extra: entry.extra };
}

/** Other texts lie beside pictures as well, in any encoding. @param {File} file */
async function isMeant(file) {
  if (!LIST.test(file.name) || file.size > MAX_LIST) return false;
  return /\bimageUrl\b/.test(await file.text().catch(() => ""));
}

/** @param {string} list @param {Sorted} sorted @param {readonly Taken[]} taken @returns {LeftOut[]} */
function leftOutBy(list, sorted, taken) {
  const named = new Set(taken.map(({ name }) => name));
  const unnamed = sorted.taken.filter(({ name }) => !named.has(name));
  const others = sorted.leftOut.filter(({ name }) => name !== list);
  return [...others, ...unnamed.map(({ name }) => ({ name, ...describeUnlisted(list) }))];
}
