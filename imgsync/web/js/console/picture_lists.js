/**
 * A list that lies beside pictures and names them, by the names of their files: it says which are shown, in
 * which order and how often, and what else is to be in the record of each.
 *
 * @import { LeftOut, Sorted, Taken } from "./picture_files.js"
 */

import { BadManifest, MAX_LIST, parseNames, readList } from "./manifest.js";
import { describeMissing, describeTwoLists } from "../words/manifest.js";
import { describeUnlisted } from "../words/pictures.js";

const LIST = /\.(?:json|csv|txt)$/i;

/**
 * @param {Sorted} sorted
 * @param {readonly File[]} files all that there are
 * @returns {Promise<Sorted>} the very same where there is no such list
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
  const taken = list.names.map(({ name, extra }, place) => {
    const one = known.get(String(name).normalize());
    if (one === undefined) throw new BadManifest(describeMissing(list.file, place, name));
    return extra === undefined ? one : { ...one, extra };
  });
  return { taken, leftOut: leftOutBy(list.file, sorted, taken) };
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
