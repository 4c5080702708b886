/** What is known of a refusal, beside its status: the rule of `imgsync/images/refusals.py`. */

/** Bytes of an answer that says why it is one; the codes of S3 and its like stand in front. */
const MAX_REFUSAL = 4096;
/** Milliseconds for that; the status is known without it. */
const REFUSAL_DEADLINE = 1000;

const WHOLE = /^[0-9]{1,12}$/;
/** Of the basic and the extended form of ISO 8601, in UTC. */
const STAMP = /^([0-9]{4})-?([0-9]{2})-?([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:[.][0-9]+)?Z$/;

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

/** @param {string} stamp @returns {number | null} seconds since the epoch */
function readStamp(stamp) {
  const parts = STAMP.exec(stamp)?.slice(1).map(Number);
  if (parts === undefined) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isOne = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && hour < 24 && year > 99;
  return isOne && minute < 60 && second < 60 ? at.getTime() / 1000 : null;
}

/**
 * Until when a signed URL is good, as far as its query says: ours do, CloudFront's and the older ones of
 * S3 and Google (`Expires`), the newer ones of both (`X-Amz-...`, `X-Goog-...`), and Azure's (`se`).
 *
 * @param {string} url
 * @returns {number | null} seconds since the epoch
 */
function expiryOf(url) {
  const query = /[?]([^#]*)/.exec(url.split("#")[0] ?? "")?.[1] ?? "";
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const pair of query.split("&")) {
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    found.set(name.toLowerCase(), value.replaceAll(/%3a/gi, ":"));
  }
  const expires = found.get("expires") ?? "";
  if (WHOLE.test(expires)) return Number(expires);
  for (const prefix of ["x-amz-", "x-goog-"]) {
    const from = readStamp(found.get(`${prefix}date`) ?? "");
    const seconds = found.get(`${prefix}expires`) ?? "";
    if (from !== null && WHOLE.test(seconds)) return from + Number(seconds);
  }
  return readStamp(found.get("se") ?? "");
}
