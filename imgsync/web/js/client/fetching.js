/**
 * One try to fetch an image by HTTP: a place and an offset go in, bytes come out. What is fetched
 * when, and how often, is decided in core/channel/downloads.js.
 *
 * A page may read few of the headers of another origin's answers: Content-Length, Last-Modified, and
 * others only where the host exposes them. So a try that goes on where one before it has stopped asks
 * for a range without a condition, which no host has to allow for (`If-Range` would take a request of
 * its own), and compares what it may read of the two answers.
 *
 * @typedef {{total: number | null, etag: string | null, modified: string | null, sha256: string | null}} Mark
 *   what tells one version of an image from another; `sha256`: that its bytes have to have
 * @typedef {{read(): Promise<{done: boolean, value?: Uint8Array}>, cancel(): unknown}} Body
 * @typedef {{offset: number, mark: Mark, isResumable: boolean, body: Body}} Answer
 *   `offset`: from which on its bytes are; `isResumable`: whether a later try can go on where this
 *   one stops
 */

import { refusalOf } from "../core/pictures/answers.js";
import { MAX_IMAGE, NOT_AN_IMAGE, RETRIED_STATUSES } from "../core/protocol/numbers.js";
import { isWebUrl } from "../core/protocol/urls.js";
import { describeRefusal, readRefusal } from "./refusals.js";

/** An image can't be had; `reason` is one of the wire's short words for it, such as `http_403`. */
export class ImageFailed extends Error {
  /**
   * @param {string} reason
   * @param {boolean} mayPass whether another try may help
   * @param {string} [detail] what else is known, for people
   * @param {boolean} [keeps] whether what has come is of use
   */
  constructor(reason, mayPass, detail = "", keeps = false) {
    super(reason);
    this.reason = reason;
    this.mayPass = mayPass;
    this.detail = detail;
    this.keeps = keeps;
  }
}

/**
 * @param {string} url
 * @param {{offset: number, mark: Mark | null, isUrgent: boolean}} from `mark`: of the answer whose
 *   bytes are here
 * @param {AbortSignal} signal whose reason is thrown
 * @returns {Promise<Answer | null>} null where its host does not let pages read it, or can't be reached
 * @throws {ImageFailed}
 */
export async function openTransfer(url, { offset, mark, isUrgent }, signal) {
  // Else the page would take it as relative to itself, or for data that it holds.
  if (!isWebUrl(url)) throw new ImageFailed("bad_url", false);
  /** @type {RequestInit & {priority: string}} */
  const request = {
    signal,
    credentials: "omit",
    referrerPolicy: "no-referrer",
    priority: isUrgent ? "high" : "low",
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
  };
  let response;
  try {
    response = await fetch(url, request);
  } catch {
    signal.throwIfAborted();
    // No CORS, no network or no host: to a page they are one. An element tells the first apart.
    if (offset === 0) return null;
    throw new ImageFailed("fetch", true, describeNothing(url), true);
  }
  const isPart = response.status === 206 && offset > 0;
  const refusal = isPart ? null : refusalOf(response.status, response.headers.get("content-range"));
  if (refusal !== null) throw await refused(response, refusal, url, offset);
  const found = markOf(response, offset);
  if (isPart && !continues(response, offset, mark, found)) {
    void response.body?.cancel();
    throw new ImageFailed("bad_range", true, "its host sent another part than was asked for");
  }
  if (found.total !== null && found.total > MAX_IMAGE) throw new ImageFailed("too_large", false);
  if (response.body === null) throw new ImageFailed(NOT_AN_IMAGE, false);
  return {
    offset: isPart ? offset : 0,
    mark: found,
    isResumable: found.total !== null && (found.etag !== null || found.modified !== null),
    body: response.body.getReader(),
  };
}

/** What is known where nothing came. @param {string} url @returns {string} */
export function describeNothing(url) {
  if (!navigator.onLine) return "the browser is offline";
  const isMixed = location.protocol === "https:" && /^http:/i.test(url);
  return isMixed ? "the page came by https, and the image's URL is of http" : "";
}

/**
 * @param {Response} response
 * @param {string} reason
 * @param {string} url
 * @param {number} offset asked for
 */
async function refused(response, reason, url, offset) {
  const { status } = response;
  // No image is shorter than what is here of it: it is another one by now.
  if (status === 416 && offset > 0) return new ImageFailed("bad_range", true);
  const mayPass = status >= 500 || RETRIED_STATUSES.includes(status);
  const detail = describeRefusal(status, url, await readRefusal(response), Date.now());
  return new ImageFailed(reason, mayPass, detail);
}

/** @param {Response} response @param {number} offset @returns {Mark} */
function markOf({ headers, status }, offset) {
  const length = headers.get("content-length");
  const rest = length === null || !/^[0-9]+$/.test(length) ? null : Number(length);
  const total = /^bytes [0-9]+-[0-9]+\/([0-9]+)$/.exec(headers.get("content-range") ?? "")?.[1];
  const counted = rest === null ? null : rest + (status === 206 ? offset : 0);
  // A weak tag is that of what looks the same, and not of the same bytes.
  const etag = headers.get("etag");
  return {
    total: total === undefined || status !== 206 ? counted : Number(total),
    etag: etag === null || etag.startsWith("W/") ? null : etag,
    modified: headers.get("last-modified"),
    sha256: null,
  };
}

/**
 * Whether a part goes on where another one has ended, and is of the same bytes.
 *
 * @param {Response} response
 * @param {number} offset
 * @param {Mark | null} before
 * @param {Mark} found
 */
function continues({ headers }, offset, before, found) {
  const range = headers.get("content-range");
  if (range !== null && !range.startsWith(`bytes ${offset}-`)) return false;
  const { total, etag, modified } = found;
  return before?.total === total && before.etag === etag && before.modified === modified;
}
