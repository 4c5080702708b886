/** What the console says of a manifest that it can't use, and what to do then. */

/** The name of one that has none. */
export const PASTED = "that was pasted";

/** @param {string} name */
export function describeEmpty(name) {
  return `The manifest ${name} names no images.`;
}

/** @param {string} name */
export function describeNotUtf8(name) {
  return `The manifest ${name} is not UTF-8; save it as UTF-8.`;
}

/** @param {string} name @param {number} size @param {number} limit in bytes */
export function describeTooLarge(name, size, limit) {
  return `The manifest ${name} has ${size} bytes; at most ${limit} are read.`;
}

/** @param {string} name @param {unknown} error */
export function describeUnreadable(name, error) {
  return `Can't read the manifest ${name}: ${messageOf(error)}; choose another one.`;
}

/** @param {string} text where a URL was asked for */
export function describeNoUrl(text) {
  return `${text || "It"} is no http or https URL.`;
}

/** @param {string} name @param {number} status */
export function describeRefused(name, status) {
  return `Can't get the manifest ${name}: its server says HTTP ${status}.`;
}

/** @param {string} name @param {number} seconds */
export function describeLate(name, seconds) {
  return describeNotFetched(name, `no answer within ${seconds} s`);
}

/** @param {string} name */
export function describeUnreachable(name) {
  const why = "its server can't be reached, or lets no page of another origin read it (CORS)";
  return describeNotFetched(name, why);
}

/** @param {string} name @param {string} why */
function describeNotFetched(name, why) {
  return `Can't get the manifest ${name}: ${why}. Download it and choose the file.`;
}

/** @param {string} name @param {unknown} error */
export function describeNoJson(name, error) {
  return `The manifest ${name} is not JSON: ${messageOf(error)}.`;
}

/** @param {string} name */
export function describeNoList(name) {
  return `The manifest ${name} is not a list of images.`;
}

/** @param {string} name @param {string} column */
export function describeNoColumn(name, column) {
  return (
    `The manifest ${name} is neither JSON nor CSV with the columns imageUrl and signedUrl:` +
    ` its first line does not name ${column}.`
  );
}

export const QUOTE_NOT_CLOSED = "a quotation mark is not closed";
export const TEXT_AFTER_QUOTE = "something follows a closing quotation mark";

/** @param {string} name @param {number} line from 1 @param {string} why */
export function describeNoCsv(name, line, why) {
  return `Line ${line} of the manifest ${name} is not CSV: ${why}.`;
}

/** @param {string} name @param {number} place of the entry, from 0 @param {string} field */
export function describeBadUrl(name, place, field) {
  return `Image ${place} of the manifest ${name} has no ${field} that is an http or https URL.`;
}

/** @param {string} name @param {number} place @param {number} size @param {number} limit in bytes */
export function describeLongUrls(name, place, size, limit) {
  return (
    `Image ${place} of the manifest ${name} has URLs of ${size} bytes, which fit into no message;` +
    ` ${limit} do.`
  );
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
}
