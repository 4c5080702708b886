/**
 * Which URLs an image can be fetched from, and what may be said of them: the rules of
 * `imgsync/images/urls.py` and `imgsync/core/protocol/urls.py`.
 */

/**
 * Whether it is absolute, of http or https, and names a host and no impossible port.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
export function isWebUrl(value) {
  // URL passes over white space and control characters, and no message can hold half a character.
  const isPlain = /^https?:\/\/[^/?#\x00-\x1f\x7f-\x9f\ud800-\udfff][^\x00-\x1f\x7f-\x9f\ud800-\udfff]*$/iu;
  if (typeof value !== "string" || !isPlain.test(value)) return false;
  // To a browser a backslash is a slash, and the host ends there; to others it does not.
  if (/^[^/]*\/\/[^/?#]*\\/.test(value)) return false;
  // A browser would read what it encodes; others don't, or take it for the zone of an address.
  if (/^[^/]*\/\/(?:[^/?#]*@)?[^/?#@]*%[^/?#@]*(?:[/?#]|$)/.test(value)) return false;
  try {
    return new URL(value).port !== "0";
  } catch {
    return false;
  }
}

/** @param {string} url @returns {string} without query, fragment, user and password: what may be secrets */
export function publicUrl(url) {
  const bare = url.replace(/[?#].*/s, "").replace(/^((?:[^/\\:?#]+:)?[/\\]{2,})[^/]*@/, "$1");
  // Of a password with a character that ends it, the rest; no port looks like that.
  return bare.replace(/^((?:[^/\\:?#]+:)?[/\\]{2,})[^/\\[\]]*:(?![0-9]*(?:\/|$)).*/s, "$1");
}

const WHOLE = /^[0-9]{1,12}$/;
/** Of the basic and the extended form of ISO 8601, in UTC. */
const STAMP = /^([0-9]{4})-?([0-9]{2})-?([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:[.][0-9]+)?Z$/;

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
 * Until when a signed URL is good, as far as its query says: as ours do, CloudFront's and the older ones of
 * S3 and Google (`Expires`), the newer ones of both (`X-Amz-...`, `X-Goog-...`), and Azure's (`se`).
 *
 * @param {string} url
 * @returns {number | null} seconds since the epoch
 */
export function expiryOf(url) {
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
