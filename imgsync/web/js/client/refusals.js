/** What is known of a refusal, beside its status: the rule of `imgsync/images/refusals.py`. */

import { expiryOf } from "../core/protocol/urls.js";

/** Bytes of an answer that says why it is one; the codes of S3 and its like stand in front. */
const MAX_REFUSAL = 4096;
/** Milliseconds for that; the status is known without it. */
const REFUSAL_DEADLINE = 1000;

/**
 * Why a host refuses an image, as far as its URL or its answer tells; may be empty.
 *
 * @param {number} status
 * @param {string} signedUrl
 * @param {string} text of the answer
 * @param {number} at now, ms since the epoch
 * @returns {string}
 */
export function describeRefusal(status, signedUrl, text, at) {
  if (status < 400 || status >= 500) return "";
  if (status === 407) return "the proxy wants a password";
  const expiry = expiryOf(signedUrl);
  if (expiry !== null && expiry * 1000 <= at) {
    const minutes = Math.floor((at - expiry * 1000) / 60_000);
    const ago = minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
    return `its URL was good until ${ago} ago`;
  }
  const code = /<Code>([A-Za-z]{1,40})<\/Code>/.exec(text)?.[1];
  return code === undefined ? "" : `its host says ${code}`;
}

/** The beginning of what a host says of its refusal. @param {Response} response @returns {Promise<string>} */
export async function readRefusal({ body }) {
  const reader = body?.getReader();
  const late = setTimeout(() => void reader?.cancel(), REFUSAL_DEADLINE);
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (reader !== undefined && text.length < MAX_REFUSAL) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // What has come will do.
  }
  clearTimeout(late);
  void reader?.cancel();
  return text.slice(0, MAX_REFUSAL);
}
