/**
 * Which URLs an image can be fetched from, and what may be said of them: the rules of
 * `imgsync/core/protocol/web_urls.py` and `imgsync/core/protocol/urls.py`.
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
