/**
 * One image from its URL to its bytes: bounded in time and size, tried again where another try may
 * help.
 */

import { refusalOf } from "../core/pictures/answers.js";
import { PictureCheck } from "../core/pictures/check.js";
import {
  DECODE,
  FETCH_DEADLINE,
  FETCH_TRIES,
  MAX_IMAGE,
  NOT_AN_IMAGE,
  RETRIED_STATUSES,
} from "../core/protocol/numbers.js";
import { isWebUrl } from "../core/protocol/urls.js";
import { backoff } from "../peer/backoff.js";
import { Picture, Undecodable, aborted } from "./picture.js";
import { wrapPicture } from "./wrapping.js";

/** An image can't be had; `reason` is one of the wire's short words for it, such as `http_403`. */
export class ImageFailed extends Error {
  /** @param {string} reason @param {boolean} mayPass whether another try may help */
  constructor(reason, mayPass) {
    super(reason);
    this.reason = reason;
    this.mayPass = mayPass;
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal whose reason is thrown
 * @returns {Promise<Picture>}
 * @throws {ImageFailed}
 */
export async function fetchImage(url, signal) {
  // Else the page would take it as relative to itself, or for data that it holds.
  if (!isWebUrl(url)) throw new ImageFailed("bad_url", false);
  for (let failures = 1; ; failures += 1) {
    try {
      return await tryOnce(url, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ImageFailed) || !error.mayPass || failures === FETCH_TRIES) throw error;
    }
    await pause(backoff(failures - 1) * 1000, signal);
  }
}

/** @param {string} url @param {AbortSignal} signal @returns {Promise<Picture>} */
async function tryOnce(url, signal) {
  const control = new AbortController();
  const cancel = () => control.abort(signal.reason);
  // Not tried again: the image's time is over by then.
  const late = new ImageFailed("timeout", false);
  const timer = setTimeout(() => control.abort(late), FETCH_DEADLINE * 1000);
  signal.addEventListener("abort", cancel);
  try {
    const blob = await fetchBlob(url, control.signal);
    return blob === null ? await loadUnread(url, control.signal) : new Picture(blob);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Blob | null>} null where its host does not let pages read it
 */
async function fetchBlob(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch {
    signal.throwIfAborted();
    // No CORS, no network or no host: to a page they are one. An element tells the first apart.
    return null;
  }
  const { status, headers } = response;
  const refusal = refusalOf(status, headers.get("content-range"));
  if (refusal !== null) {
    throw new ImageFailed(refusal, status >= 500 || RETRIED_STATUSES.includes(status));
  }
  if (Number(headers.get("content-length")) > MAX_IMAGE) throw new ImageFailed("too_large", false);
  try {
    return await readBlob(response);
  } catch (error) {
    if (error instanceof ImageFailed) throw error;
    if (error instanceof Undecodable) throw new ImageFailed(DECODE, false);
    signal.throwIfAborted();
    throw new ImageFailed("fetch", true);
  }
}

/** @param {Response} response @returns {Promise<Blob>} of a whole picture */
async function readBlob({ body }) {
  const check = new PictureCheck();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let size = 0;
  const reader = body?.getReader();
  for (;;) {
    const { value = new Uint8Array(0), done = true } = (await reader?.read()) ?? {};
    if (done) break;
    size += value.length;
    const reason = size > MAX_IMAGE ? "too_large" : check.feed(value);
    if (reason !== null) {
      void reader?.cancel();
      throw new ImageFailed(reason, false);
    }
    parts.push(value);
  }
  const { kind, reason } = check.end();
  if (kind === null || reason !== null) throw new ImageFailed(reason ?? NOT_AN_IMAGE, false);
  return wrapPicture(parts, kind);
}

/** To an element a host lets pages load what they may not read. @param {string} url @param {AbortSignal} signal */
async function loadUnread(url, signal) {
  const picture = new Picture(url);
  try {
    await picture.prepare(signal);
  } catch (error) {
    throw error instanceof Undecodable ? new ImageFailed("fetch", true) : error;
  }
  return picture;
}

/** @param {number} ms @param {AbortSignal} signal */
async function pause(ms, signal) {
  const over = new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.race([over, aborted(signal)]);
}
