/**
 * Files that may be pictures: each is read once, in parts, checked and hashed. Those that can't be shown
 * are told of with what to do, and the others are taken, in natural order.
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { Gathered } from "./gathering.js"
 *
 * @typedef {{blob: Blob | null, facts: Facts}} OwnPicture `blob`: null where the browser has not kept it
 *   over a reload
 * @typedef {{name: string, blob: Blob, facts: Facts, extra?: Extra}} Taken
 * @typedef {{name: string, why: string, todo: string}} LeftOut
 * @typedef {{taken: Taken[], leftOut: LeftOut[]}} Sorted
 */

import { Inspection } from "../core/pictures/inspection.js";
import { mediaTypeOf, sniff } from "../core/pictures/kinds.js";
import { inNaturalOrder, isNamedAsPicture, isOfSystem } from "../core/pictures/names.js";
import { textOf } from "../core/pictures/reading.js";
import { MAX_IMAGE, PICTURE_HEAD } from "../core/protocol/numbers.js";
import {
  GONE,
  INNER_FOLDER,
  SAME_NAME,
  describeLarge,
  describeMisnamed,
  describeProblem,
  describeUnread,
} from "../words/pictures.js";

/** Between two of them other things of the page have their turn. */
const PART = 512 * 1024;
/** Files that are read at a time: while one waits for the disk, another is hashed. */
const LANES = 4;

/**
 * @param {Gathered} gathered
 * @param {(done: number, count: number) => boolean} goOn hears how far it is; whether it is still wanted
 * @returns {Promise<Sorted | null>} null where it is not wanted any more
 */
export async function readPictures({ files, folders, gone }, goOn) {
  const wanted = inNaturalOrder(files, ({ name }) => name).filter(({ name }) => !isOfSystem(name));
  /** @type {(Taken | LeftOut)[]} */
  const read = [];
  let next = 0;
  let done = 0;
  const runLane = async () => {
    while (next < wanted.length && goOn(done, wanted.length)) {
      const place = next;
      next += 1;
      read[place] = await readPicture(/** @type {File} */ (wanted[place]));
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, runLane));
  if (!goOn(done, wanted.length)) return null;
  const sorted = withoutTwins(read);
  sorted.leftOut.push(...gone.map((name) => ({ name, ...GONE })));
  sorted.leftOut.push(...inNaturalOrder(folders, (name) => name).map((name) => ({ name, ...INNER_FOLDER })));
  return sorted;
}

/**
 * Whether it begins as something that is no text, whatever its name is; one of XML may be either.
 *
 * @param {File} file
 */
export async function isNoText(file) {
  const head = await file.slice(0, PICTURE_HEAD).arrayBuffer().catch(() => new ArrayBuffer(0));
  const text = textOf(new Uint8Array(head));
  const kind = sniff(text);
  return kind === null ? mediaTypeOf(text) !== null : kind.name !== "svg";
}

/** @param {readonly (Taken | LeftOut)[]} read @returns {Sorted} */
function withoutTwins(read) {
  /** @type {Map<string, Taken>} */
  const taken = new Map();
  /** @type {LeftOut[]} */
  const leftOut = [];
  for (const one of read) {
    if (!("facts" in one)) {
      leftOut.push(one);
      continue;
    }
    const twin = taken.get(one.name);
    if (twin === undefined) taken.set(one.name, one);
    // The very same file, out of two folders or chosen twice, is no fault.
    else if (twin.facts.sha256 !== one.facts.sha256) leftOut.push({ name: one.name, ...SAME_NAME });
  }
  return { taken: [...taken.values()], leftOut };
}

/** @param {File} file @returns {Promise<Taken | LeftOut>} */
async function readPicture(file) {
  const { name } = file;
  if (file.size > MAX_IMAGE) return { name, ...describeLarge(MAX_IMAGE) };
  const inspection = new Inspection();
  try {
    for (let at = 0; at < file.size; at += PART) {
      const part = new Uint8Array(await partOf(file, at).arrayBuffer());
      if (inspection.feed(part) !== null) break;
    }
  } catch (error) {
    return { name, ...describeUnread(error) };
  }
  const { kind, reason } = inspection.end();
  const isMeant = isNamedAsPicture(name);
  if (reason !== null || kind === null) {
    return { name, ...describeProblem(reason ?? "", kind?.mediaType ?? null, isMeant) };
  }
  if (!isMeant) return { name, ...describeMisnamed(kind.mediaType, kind.suffixes[0] ?? "") };
  return { name, blob: file, facts: inspection.facts };
}

/** A part is made at some cost, and most pictures are no larger than one. @param {File} file @param {number} at */
function partOf(file, at) {
  return file.size <= PART ? file : file.slice(at, at + PART);
}
