/** The link by which a participant comes in: the rule of `imgsync/core/protocol/invitation.py`. */

/**
 * A link to the client's page. What is behind the `#` no browser sends to anybody, so that the token
 * stands there and nothing else that is secret is in the link.
 *
 * @param {string} page its URL, without a query
 * @param {{userId: string, language?: string | null, devices?: readonly string[], token?: string | null}} who
 *   `language`: the tag of the one that the page speaks, the browser's own choice if null; `devices`:
 *   what is recorded
 * @returns {string}
 */
export function makeLink(page, { userId, language = null, devices = [], token = null }) {
  let query = `user=${quote(userId)}`;
  if (devices.length > 0) query += `&record=${devices.map(quote).join(",")}`;
  if (language !== null) query += `&lang=${quote(language)}`;
  return `${page}?${query}${token ? `#token=${quote(token)}` : ""}`;
}

/** As in a form, so that no program for mail takes a part of it for the end of the link. @param {string} text */
function quote(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
