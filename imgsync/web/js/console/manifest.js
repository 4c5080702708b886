/**
 * A manifest, which people are told of as a list of images: JSON, a list of `{imageUrl, signedUrl}`, or
 * CSV with these columns. A URL alone, as text in JSON or on a line of its own, is an `imageUrl`; where
 * no image has a `signedUrl`, its `imageUrl` is good for both. A study is such a list that also says for
 * how long images are up, which answers count, and more; core/study has its rules.
 *
 * What else is said of an image, in other members or columns, goes into the record.
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { ImageSource, Trial } from "../core/protocol/wire.js"
 * @import { Entry, Fault } from "../core/study/entries.js"
 * @import { Path } from "../core/study/places.js"
 * @import { Plan } from "../core/study/study.js"
 * @import { OwnPicture } from "./picture_files.js"
 *
 * @typedef {ImageSource & {extra?: Extra, own?: OwnPicture, id?: string | number}} Listed an image or a text
 *   of the list, and what else is said of it; `own`: its bytes, where it is from the evaluator's own disk
 * @typedef {{name: string, order: "given" | "shuffled", seed: number | null, entries: number, token: string}} Study
 *   `seed`: what has decided the order, null where it is given; `entries`: how many images and texts are shown;
 *   `token`: in the names of the texts
 * @typedef {{seed: number | null, token?: string}} Again what has to be the same where a study is read again
 * @typedef {{images: Listed[], study: Study | null}} List `study`: null where it is a plain list of images
 * @typedef {{content: any, locate: (path: Path) => [number, number | string]}} Document what a text holds,
 *   and how to find the line and the column of what is in it
 */

import { BadCsv, lineOfRow, oddColumns, oddFirstLine, parseCsv } from "./csv.js";
import { firstConflict } from "../core/protocol/naming.js";
import { isWebUrl, publicUrl } from "../core/protocol/urls.js";
import { NAMES, isFile, isFileName, isLeftOut } from "../core/study/entries.js";
import { doubledIn, placeOf } from "../core/study/places.js";
import { arranged, readPlan } from "../core/study/study.js";
import { timeout } from "../peer/clock.js";
import { makeToken } from "./tokens.js";
import {
  describeBeside,
  describeConflict,
  describeEmpty,
  describeFault,
  describeLate,
  describeNoColumn,
  describeNoCsv,
  describeNoJson,
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
const PICTURES = /\.(?:png|jpe?g|jfif|gif|webp|svg|avif|bmp|tiff?|heic|heif|dcm)$/i;

/** The manifest can't be used; the message says why, and what to do. */
export class BadManifest extends Error {}

/**
 * @param {string} text
 * @param {string} name for messages, such as that of its file
 * @param {Again | null} [again] it was read before: in the order that it had then, and with the names of its texts
 * @returns {List} at least one
 * @throws {BadManifest}
 */
export function parseManifest(text, name, again = null) {
  const { plan } = readDocument(documentIn(text, name), name);
  const study = studyOf(plan, name, again);
  const images = arranged(plan, study.seed).map((entry, place) => {
    if (isFile(entry)) throw new BadManifest(describeBeside(name, place, String(entry.imageUrl)));
    return listedOf(entry, place, study);
  });
  return { images, study: plan.isStudy ? study : null };
}

/**
 * A list or a study of files by their names, which lies beside them.
 *
 * @param {string} text
 * @param {string} name for messages
 * @returns {{entries: Entry[], study: Study | null} | null} null where it is no such list
 * @throws {BadManifest} it is one, as it seems, and something is wrong with it
 */
export function parseNames(text, name) {
  const document = documentIn(text, name);
  const { content } = document;
  const list = Array.isArray(content) ? content : content.entries;
  const isName = (/** @type {any} */ url) => isFileName(url) || (typeof url === "string" && !/[/:]/.test(url));
  const isText = (/** @type {any} */ one) => isLeftOut(one?.imageUrl) && !isLeftOut(one?.text);
  if (!Array.isArray(list)) return null;
  const images = list.filter((one) => !isText(one));
  if (images.length === 0 || !images.every((one) => one?.imageUrl && isName(one.imageUrl))) return null;
  const { plan } = readDocument(document, name);
  const study = studyOf(plan, name, null);
  return { entries: arranged(plan, study.seed), study: plan.isStudy ? study : null };
}

/** What a series has in the place of an entry. @param {Entry} entry @param {number} place @param {Study} study @returns {Listed} */
export function listedOf({ imageUrl, signedUrl, trial, extra }, place, { token }) {
  const url = imageUrl ?? `texts/${token}/${place}`;
  return { imageUrl: url, signedUrl, ...saidOf(trial, extra) };
}

/** What is said of an image, and asked of the client. @param {Trial | null} trial @param {Extra} extra */
export function saidOf(trial, extra) {
  /** @type {{trial?: Trial, extra?: Extra, id?: string | number}} */
  const said = {};
  if (trial !== null) said.trial = trial;
  if (Object.keys(extra).length > 0) said.extra = extra;
  if (!isLeftOut(extra["id"])) said.id = /** @type {string | number} */ (extra["id"]);
  return said;
}

/** @param {Plan} plan @param {string} file @param {Again | null} again @returns {Study} */
function studyOf(plan, file, again) {
  const { name, order, seed } = plan;
  const used = order === "shuffled" ? (again?.seed ?? seed ?? Number.parseInt(makeToken(), 16)) : null;
  const title = name ?? nameOf(file).replace(/\.(?:json|csv|txt)$/i, "");
  const { length } = arranged(plan, null);
  return { name: title, order, seed: used, entries: length, token: again?.token ?? makeToken() };
}

/** @param {Document} document @param {string} name @returns {{plan: Plan}} @throws {BadManifest} */
function readDocument({ content, locate }, name) {
  if (Array.isArray(content) && content.length === 0) throw new BadManifest(describeEmpty(name));
  const read = readPlan(content);
  if (!("plan" in read)) throw refusal(name, read.faults, { content, locate });
  const { entries } = read.plan;
  const named = entries.flatMap(({ imageUrl, signedUrl }, place) => (imageUrl === null ? [] : [{ imageUrl, signedUrl, place }]));
  const conflict = firstConflict(named);
  if (conflict !== null) {
    const [one, other] = conflict.map((at) => Number(named[at]?.place));
    throw new BadManifest(describeConflict(name, [Number(one), Number(other)]));
  }
  return read;
}

/** @param {string} name @param {readonly Fault[]} faults @param {Document} document */
function refusal(name, [first = { path: [], what: "" }, ...others], { locate }) {
  const place = first.path.find((step) => typeof step === "number") ?? null;
  return new BadManifest(
    describeFault(name, place === null ? null : Number(place), first.what, locate(first.path), others.length),
  );
}

/** @param {string} text @param {string} name @returns {Document} */
function documentIn(text, name) {
  const bare = text.replace(/^\ufeff/, "");
  if (!/^\s*[[{]/.test(bare)) return lineDocument(bare) ?? csvDocument(bare, name);
  try {
    return refuseDoubled({ content: JSON.parse(bare), locate: (path) => placeOf(path, bare) }, bare, name);
  } catch (error) {
    if (error instanceof BadManifest) throw error;
    throw new BadManifest(describeNoJson(name, error));
  }
}

/** @param {Document} document @param {string} text @param {string} name @returns {Document} */
function refuseDoubled(document, text, name) {
  const doubled = doubledIn(text);
  if (doubled === null) return document;
  const what = `has the member "${doubled.at(-1)}" twice; leave one of them out`;
  throw refusal(name, [{ path: doubled, what }], document);
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
 * @param {Again | null} [again]
 * @returns {Promise<List>}
 * @throws {BadManifest}
 */
export async function readManifest(file, name, again = null) {
  if (isPicture(file.type, name)) throw new BadManifest(describePicture(name));
  return readList(file, name, (text) => parseManifest(text, name, again));
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
 * @param {Again | null} [again]
 * @returns {Promise<List>}
 * @throws {BadManifest}
 */
export async function fetchManifest(url, again = null) {
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
  return readManifest(file, name, again);
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

/** @param {string} text @returns {Document | null} a URL on each line; null where the first is none */
function lineDocument(text) {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ""));
  const numbers = lines.flatMap((line, place) => (line === "" ? [] : [place + 1]));
  const content = lines.filter((line) => line !== "");
  const [first = ""] = content;
  // Two URLs side by side are CSV that does not name its columns.
  if (!isWebUrl(first) || /[,;\t]"?https?:/i.test(first)) return null;
  return { content, locate: ([row]) => [numbers[Number(row)] ?? 1, 1] };
}

/** @param {string} text @param {string} name @returns {Document} */
function csvDocument(text, name) {
  const divided = oddFirstLine(text, NAMES);
  if (divided !== null) throw new BadManifest(describeOdd(name, divided));
  try {
    const [head, ...rows] = parseCsv(text);
    if (head === undefined) return { content: [], locate: () => [1, 1] };
    const odd = oddColumns(head, NAMES);
    if (odd !== null) throw new BadManifest(describeOdd(name, odd));
    if (!head.includes("imageUrl") && !head.includes("text")) throw new BadManifest(describeNoColumn(name, "imageUrl"));
    // A row may be shorter.
    const content = rows.map((row) => Object.fromEntries(head.slice(0, row.length).map((column, place) => [column, row[place]])));
    return { content, locate: ([row, column]) => [lineOfRow(text, Number(row) + 1), column ?? 1] };
  } catch (error) {
    if (!(error instanceof BadCsv)) throw error;
    throw new BadManifest(describeNoCsv(name, error.line, error.message));
  }
}
