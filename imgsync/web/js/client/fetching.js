/**
 * One image from its URL to its bytes: bounded in time and size, tried again where another try may
 * help.
 */

import { FETCH_DEADLINE, FETCH_TRIES, MAX_IMAGE, RETRIED_STATUSES } from "../core/protocol/numbers.js";
import { isWebUrl } from "../core/protocol/urls.js";
import { backoff } from "../peer/backoff.js";
import { Picture, Undecodable, aborted } from "./picture.js";

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
    if (blob === null) return await loadUnread(url, control.signal);
    if (blob.size > MAX_IMAGE) throw new ImageFailed("too_large", false);
    return new Picture(blob);
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
  if (!response.ok) {
    const mayPass = response.status >= 500 || RETRIED_STATUSES.includes(response.status);
    throw new ImageFailed(`http_${response.status}`, mayPass);
  }
  if (Number(response.headers.get("content-length")) > MAX_IMAGE) {
    throw new ImageFailed("too_large", false);
  }
  try {
    return await response.blob();
  } catch {
    signal.throwIfAborted();
    throw new ImageFailed("fetch", true);
  }
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
