/**
 * What the console says of a list of images that it can't use, and what to do then. Images count from
 * 1 for people.
 */

import { describeAge } from "./console.js";

/** The name of one that has none. */
export const PASTED = "that was pasted";

/** @param {string} name */
export function describeEmpty(name) {
  return `The list ${name} names no images.`;
}

/** @param {string} name */
export function describeNotUtf8(name) {
  return `The list ${name} is not UTF-8; save it as UTF-8.`;
}

/** @param {string} name @param {number} size @param {number} limit in bytes */
export function describeTooLarge(name, size, limit) {
  return `The list ${name} has ${size} bytes; at most ${limit} are read.`;
}

/** @param {string} name @param {unknown} error */
export function describeUnreadable(name, error) {
  return `Can't read the list ${name}: ${messageOf(error)}; choose another one.`;
}

/** @param {string} text where a URL was asked for */
export function describeNoUrl(text) {
  return `${text || "It"} is no web address (http or https).`;
}

/** @param {string} name @param {number} status */
export function describeRefused(name, status) {
  return `Can't get the list ${name}: its server says HTTP ${status}.`;
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
  return `Can't get the list ${name}: ${why}. Download it and choose the file.`;
}

/** @param {string} name @param {unknown} error */
export function describeNoJson(name, error) {
  return `The list ${name} is not JSON: ${messageOf(error)}.`;
}

/** @param {string} name @param {string} column */
export function describeNoColumn(name, column) {
  return (
    `The list ${name} is neither JSON, nor CSV with the columns imageUrl and signedUrl, nor a web` +
    ` address on each line: its first line does not name ${column}.`
  );
}

/** @param {string} name */
export function describeChanged(name) {
  return `The list ${name} names other images now. Those of before are still in use; load it to use the new ones.`;
}

/** @param {string} why it can't be read again @param {number} ms since it was read */
export function describeOld(why, ms) {
  return `${why} The addresses in use were read ${describeAge(ms)}, and may be good no more.`;
}

/** @param {string} name @param {number} place @param {string} file that it names */
export function describeMissing(name, place, file) {
  return (
    `Image ${place + 1} of the list ${name} is ${file}, and there is no picture of this name beside it that can` +
    " be shown; drop both together, or correct the list."
  );
}

/** @param {string} one @param {string} other */
export function describeTwoLists(one, other) {
  return `${one} and ${other} both list these pictures; drop them with one of the two.`;
}

/** @param {string} name of a picture on the web */
export function describePicture(name) {
  return `${name} is a picture, and no list of images. Paste its address as a list of one.`;
}

/** @param {number} count */
export function describeMany(count) {
  return `These are ${count} files, and no pictures; drop one list of images.`;
}

export const NOTHING_DROPPED = "What was dropped is no file. Drop pictures, a folder of them, or a list of images as a file.";

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
  return `The list ${name} ${what}.`;
}

/**
 * @param {string} name
 * @param {number | null} place of the entry, from 0; null for what is said of the whole
 * @param {string} what is wrong with it
 * @param {readonly [number, number | string]} where its line and its column
 * @param {number} others how many more are wrong
 */
export function describeFault(name, place, what, [line, column], others) {
  const whose = place === null ? `The list ${name}` : `Image ${place + 1} of the list ${name}`;
  const more = others === 0 ? "" : `, and ${others} more; imgsync study check tells them all`;
  return `${whose} ${what} (line ${line}, column ${column}${more}).`;
}

/** @param {string} name @param {number} place @param {string} file */
export function describeBeside(name, place, file) {
  return (
    `Image ${place + 1} of the list ${name} is ${file}, which lies beside the list; drop the list together with its` +
    " pictures."
  );
}

/** @param {string} name @param {readonly [number, number]} places */
export function describeConflict(name, [one, other]) {
  return (
    `Images ${one + 1} and ${other + 1} of the list ${name} have one imageUrl, and their signedUrls` +
    " differ in more than the signature; give each image an imageUrl of its own."
  );
}

/** @param {string} name @param {number} line from 1 @param {string} why */
export function describeNoCsv(name, line, why) {
  return `Line ${line} of the list ${name} is not CSV: ${why}.`;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
}
