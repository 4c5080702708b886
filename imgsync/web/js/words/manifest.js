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
export const QUOTE_INSIDE = "a quotation mark stands inside of a cell";
export const ROW_SWALLOWED = "a quotation mark takes in the lines that follow";
export const ROW_TOO_LONG = "it has more cells than the first line; quote what has a comma in it";
export const COLUMNS_SEPARATED = 'begins with a line "sep=", which is for spreadsheets; remove it';

/** @param {number} most */
export function describeLongCell(most) {
  return `a cell has more than ${most} characters`;
}

/** @param {string} dividers */
export function describeDivided(dividers) {
  return `has its columns divided by ${dividers}; save it with commas`;
}

/** @param {string} column */
export function describeTwice(column) {
  return `has two columns ${column}; remove one`;
}

/** @param {string} seen @param {string} column */
export function describeColumn(seen, column) {
  return `has a column "${seen}"; call it ${column}`;
}

/** @param {string} name @param {string} what is odd about it */
export function describeOdd(name, what) {
  return `The manifest ${name} ${what}.`;
}

/** @param {string} name @param {number} place @param {string} field */
export function describeLogin(name, place, field) {
  return (
    `Image ${place} of the manifest ${name} has a user name in its ${field}, which browsers fetch` +
    " nothing with; leave it out."
  );
}

/** @param {string} name @param {readonly [number, number]} places */
export function describeConflict(name, [one, other]) {
  return (
    `Images ${one} and ${other} of the manifest ${name} have one imageUrl and different signedUrls;` +
    " give each image an imageUrl of its own."
  );
}

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
