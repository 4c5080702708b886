/**
 * A manifest, which people are told of as a list of images: JSON, a list of `{imageUrl, signedUrl}`, or
 * CSV with these columns. A URL alone, as text in JSON or on a line of its own, is an `imageUrl`; where
 * no image has a `signedUrl`, its `imageUrl` is good for both.
 *
 * What else is said of an image, in other members or columns, goes into the record.
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { ImageSource } from "../core/protocol/wire.js"
 * @import { OwnPicture } from "./picture_files.js"
 *
 * @typedef {ImageSource & {extra?: Extra, own?: OwnPicture}} Listed an image of the list, and what else
 *   is said of it; `own`: its bytes, where it is from the evaluator's own disk
 */

import { BadCsv, oddColumns, oddFirstLine, parseCsv } from "./csv.js";
import { faultIn, isNamed } from "../core/protocol/extra.js";
import { firstConflict } from "../core/protocol/naming.js";
import { MAX_EXTRA, MAX_URLS } from "../core/protocol/numbers.js";
import { isWebUrl, publicUrl } from "../core/protocol/urls.js";
import { encodeText } from "../core/protocol/wire.js";
import { timeout } from "../peer/clock.js";
import {
  describeBadExtra,
  describeBadUrl,
  describeConflict,
  describeEmpty,
  describeLate,
  describeLogin,
  describeLongExtra,
  describeLongUrls,
  describeNoColumn,
  describeNoCsv,
  describeNoJson,
  describeNoList,
  describeNoUrl,
  describeNotUtf8,
  describeOdd,
  describePicture,
  describeRefused,
  describeTooLarge,
  describeUnreachable,
  describeUnreadable,
} from "../words/manifest.js";

/** Bytes of a list. */
export const MAX_LIST = 32 * 1024 * 1024;
const FETCH_MS = 20_000;
const COLUMNS = ["imageUrl", "signedUrl"];
const PICTURES = /\.(?:png|jpe?g|jfif|gif|webp|svg|avif|bmp|tiff?|heic|heif|dcm)$/i;

/** The manifest can't be used; the message says why, and what to do. */
export class BadManifest extends Error {}

/**
 * @param {string} text
 * @param {string} name for messages, such as that of its file
 * @returns {Listed[]} at least one
 * @throws {BadManifest}
 */
export function parseManifest(text, name) {
  const bare = text.replace(/^\ufeff/, "");
  const isJson = /^\s*[[{]/.test(bare);
  const entries = isJson ? jsonEntries(bare, name) : (lineEntries(bare) ?? csvEntries(bare, name));
  if (entries.length === 0) throw new BadManifest(describeEmpty(name));
  const images = spellOut(entries).map((entry, place) => readEntry(entry, place, name));
  const conflict = firstConflict(images);
  if (conflict !== null) throw new BadManifest(describeConflict(name, conflict));
  return images;
}

/**
 * A list of files by their names, which lies beside them.
 *
 * @param {string} text
 * @param {string} name for messages
 * @returns {{name: string, extra?: Extra}[] | null} null where it is no such list
 * @throws {BadManifest} it is one, as it seems, and something is wrong with it
 */
export function parseNames(text, name) {
  const bare = text.replace(/^\ufeff/, "");
  const entries = /^\s*[[{]/.test(bare) ? jsonEntries(bare, name) : csvEntries(bare, name);
  const areNames = entries.every((entry) => entry?.imageUrl && !/[/:]/.test(entry.imageUrl));
  if (entries.length === 0 || !areNames) return null;
  return entries.map((entry, place) => {
    const extra = readExtra(entry, place, name);
    return extra === null ? { name: entry.imageUrl } : { name: entry.imageUrl, extra };
  });
}

/**
 * @template T
 * @param {ArrayBuffer} bytes
 * @param {string} name
 * @param {(text: string, name: string) => T} parse
 * @throws {BadManifest}
 */
export function decodeManifest(bytes, name, parse) {
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes), name);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new BadManifest(describeNotUtf8(name));
  }
}

/**
 * @param {Blob} file
 * @param {string} name
 * @returns {Promise<Listed[]>}
 * @throws {BadManifest}
 */
export async function readManifest(file, name) {
  if (isPicture(file.type, name)) throw new BadManifest(describePicture(name));
  return readList(file, name, parseManifest);
}

/**
 * @template T
 * @param {Blob} file
 * @param {string} name
 * @param {(text: string, name: string) => T} parse
 * @returns {Promise<T>}
 * @throws {BadManifest}
 */
export async function readList(file, name, parse) {
  if (file.size > MAX_LIST) {
    throw new BadManifest(describeTooLarge(name, file.size, MAX_LIST));
  }
  /** @type {ArrayBuffer} */
  let bytes;
  try {
    bytes = await file.arrayBuffer();
  } catch (error) {
    throw new BadManifest(describeUnreadable(name, error));
  }
  return decodeManifest(bytes, name, parse);
}

/**
 * @param {string} url
 * @returns {Promise<Listed[]>}
 * @throws {BadManifest}
 */
export async function fetchManifest(url) {
  if (!isWebUrl(url)) throw new BadManifest(describeNoUrl(url));
  const name = publicUrl(url);
  const signal = timeout(FETCH_MS);
  let file;
  try {
    const response = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer", signal });
    if (!response.ok) throw new BadManifest(describeRefused(name, response.status));
    file = await response.blob();
  } catch (error) {
    if (error instanceof BadManifest) throw error;
    throw new BadManifest(
      signal.aborted ? describeLate(name, FETCH_MS / 1000) : describeUnreachable(name),
    );
  }
  return readManifest(file, name);
}

/** Whether they are the same images in the same order. @param {readonly ImageSource[]} images @param {readonly ImageSource[]} others */
export function areSame(images, others) {
  const isLike = (/** @type {ImageSource} */ { imageUrl }, /** @type {number} */ place) =>
    imageUrl === others[place]?.imageUrl;
  return images.length === others.length && images.every(isLike);
}

/**
 * @param {readonly Listed[]} images
 * @param {readonly ImageSource[]} fresh
 * @returns {Listed[]} these images, with the permissions that the fresh ones have
 */
export function signedAnew(images, fresh) {
  const known = new Map(fresh.map(({ imageUrl, signedUrl }) => [imageUrl, signedUrl]));
  return images.map((image) => ({ ...image, signedUrl: known.get(image.imageUrl) ?? image.signedUrl }));
}

/** By what its name and its server say. @param {string} type @param {string} name */
export function isPicture(type, name) {
  return type.startsWith("image/") || PICTURES.test(name);
}

/** @param {string} imageUrl which may be relative @returns {string} its file's name, for people */
export function nameOf(imageUrl) {
  const last = new URL(imageUrl, "http://host").pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** @param {string} text @param {string} name @returns {any[]} */
function jsonEntries(text, name) {
  let entries;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    throw new BadManifest(describeNoJson(name, error));
  }
  if (!Array.isArray(entries)) throw new BadManifest(describeNoList(name));
  return entries;
}

/** @param {string} text @returns {string[] | null} a URL on each line; null where the first is none */
function lineEntries(text) {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ""));
  const entries = lines.filter((line) => line !== "");
  const [first = ""] = entries;
  // Two URLs side by side are CSV that does not name its columns.
  return isWebUrl(first) && !/[,;\t]"?https?:/i.test(first) ? entries : null;
}

/** @param {any[]} entries @returns {any[]} */
function spellOut(entries) {
  const named = entries.map((entry) => (typeof entry === "string" ? { imageUrl: entry } : entry));
  const isLeftOut = named.every((entry) => [undefined, null, ""].includes(entry?.signedUrl));
  return isLeftOut ? named.map((entry) => ({ ...entry, signedUrl: entry?.imageUrl })) : named;
}

/** @param {string} text @param {string} name @returns {any[]} */
function csvEntries(text, name) {
  const divided = oddFirstLine(text, COLUMNS);
  if (divided !== null) throw new BadManifest(describeOdd(name, divided));
  try {
    const [head, ...rows] = parseCsv(text);
    if (head === undefined) return [];
    const odd = oddColumns(head, COLUMNS);
    if (odd !== null) throw new BadManifest(describeOdd(name, odd));
    if (!head.includes("imageUrl")) throw new BadManifest(describeNoColumn(name, "imageUrl"));
    // A row may be shorter.
    return rows.map((row) => Object.fromEntries(head.slice(0, row.length).map((column, place) => [column, row[place]])));
  } catch (error) {
    if (!(error instanceof BadCsv)) throw error;
    throw new BadManifest(describeNoCsv(name, error.line, error.message));
  }
}

/** @param {any} entry @param {number} place @param {string} name @returns {Listed} */
function readEntry(entry, place, name) {
  for (const field of ["imageUrl", "signedUrl"]) {
    const url = entry?.[field];
    if (!isWebUrl(url)) throw new BadManifest(describeBadUrl(name, place, field));
    if (/^[^/]*\/\/[^/?#]*@/.test(url)) throw new BadManifest(describeLogin(name, place, field));
  }
  const image = { imageUrl: entry.imageUrl, signedUrl: entry.signedUrl };
  const size = encodeText(JSON.stringify(image)).length;
  if (size > MAX_URLS) throw new BadManifest(describeLongUrls(name, place, size, MAX_URLS));
  const extra = readExtra(entry, place, name);
  return extra === null ? image : { ...image, extra };
}

/** @param {Extra} entry @param {number} place @param {string} name @returns {Extra | null} null for none */
function readExtra(entry, place, name) {
  const found = Object.entries(entry).filter(([column]) => !COLUMNS.includes(column) && isNamed(column));
  for (const [column, value] of found) {
    const fault = faultIn({ [column]: value }, -1);
    if (fault !== null) throw new BadManifest(describeBadExtra(name, place, column, fault));
  }
  const extra = Object.fromEntries(found);
  const size = encodeText(JSON.stringify(extra)).length;
  if (size > MAX_EXTRA) throw new BadManifest(describeLongExtra(name, place, size, MAX_EXTRA));
  return found.length === 0 ? null : extra;
}
