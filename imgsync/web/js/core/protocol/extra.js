/**
 * What is said of an image beside its URLs, as its condition or its block: names, and a value each.
 *
 * It goes into the record and from there into the tables, and never to the client. So it has to be the
 * same to every program that reads it: `imgsync/core/protocol/extra.py` has the same rule.
 *
 * @typedef {Record<string, unknown>} Extra values are those of JSON
 */

import { MAX_EXTRA_DEPTH } from "./numbers.js";
import { isNumber, isObject, isText } from "./values.js";

const NO_TEXT = "is no Unicode text";

/**
 * Why not every program would read this as it is, as what follows "its value".
 *
 * @param {unknown} value of JSON
 * @param {number} [depth]
 * @returns {string | null} null where they do
 */
export function faultIn(value, depth = 0) {
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "string") return isText(value) ? null : NO_TEXT;
  if (typeof value === "number") {
    return isNumber(value) ? null : "is a number beyond 2^53 - 1, or none; write it as a text";
  }
  if (depth >= MAX_EXTRA_DEPTH) return `is nested more than ${MAX_EXTRA_DEPTH} times`;
  if (isObject(value) && !Object.keys(value).every(isText)) return `has a name that ${NO_TEXT}`;
  for (const one of Object.values(/** @type {object} */ (value))) {
    const fault = faultIn(one, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}

/** Whether a column has a name; spreadsheets and pandas write some that have none. @param {string} name */
export function isNamed(name) {
  return /[^ \t\r\n]/.test(name);
}

/** @param {unknown} value of a line of a record @returns {value is Extra} */
export function isExtra(value) {
  return isObject(value) && faultIn(value, -1) === null;
}
