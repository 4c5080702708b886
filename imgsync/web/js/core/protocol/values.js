/**
 * What values on the wires and in records may be, as the Python peers take them.
 *
 * @typedef {(value: unknown) => boolean} Test of one value
 */

import { fits } from "./lengths.js";
import {
  MAX_DETAIL,
  MAX_FEATURE,
  MAX_FEATURES,
  MAX_EXPOSURE_FRAMES,
  MAX_ID,
  MAX_KEY,
  MAX_KEYS,
  MAX_NUMBER,
  MAX_REASON,
  MAX_REF,
  MAX_SHOW_FOR,
  MAX_SIZE_DEG,
  MAX_SIZE_MM,
  MAX_STUDY_NAME,
  MAX_SCREEN_TEXT,
  MAX_VALUE,
} from "./numbers.js";

/** @type {(value: unknown) => value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @type {(value: unknown) => value is string} Half of a surrogate pair is no text. */
export function isText(value) {
  return typeof value === "string" && !/\p{Cs}/u.test(value);
}

/** @type {(value: unknown) => value is string} It may be written to terminals and logs. */
export function isPrintable(value) {
  return typeof value === "string" && /^(?: |[^\p{C}\p{Z}])*$/u.test(value);
}

/** @param {number} most characters, as `fits` counts them @param {number} [least] @returns {Test} */
function printable(most, least = 0) {
  return (value) => isPrintable(value) && value.length >= least && fits(value, most);
}

export const isId = printable(MAX_ID, 1);
export const isRef = printable(MAX_REF, 1);
export const isName = printable(MAX_ID);
export const isReason = printable(MAX_REASON);
export const isDetail = printable(MAX_DETAIL);
export const isValue = printable(MAX_VALUE);
export const isStudyName = printable(MAX_STUDY_NAME);

export const isMediaType = printable(MAX_ID, 1);

const isFeature = printable(MAX_FEATURE, 1);

/** @param {unknown} value names of extensions, as a peer registers with them */
export function isFeatures(value) {
  return Array.isArray(value) && value.length <= MAX_FEATURES && value.every(isFeature);
}

const isKey = printable(MAX_KEY, 1);

/** @param {unknown} value names of keys */
export function isKeys(value) {
  return Array.isArray(value) && value.length <= MAX_KEYS && value.every(isKey);
}

/** @type {(value: unknown) => value is string} For people, without control characters but the line feed. */
export function isScreenText(value) {
  return isText(value) && value !== "" && fits(value, MAX_SCREEN_TEXT) && !/[^\P{Cc}\n]/u.test(value);
}

/** @type {(value: unknown) => value is number} */
export function isNumber(value) {
  return typeof value === "number" && Math.abs(value) <= MAX_NUMBER;
}

/** @param {unknown} value in milliseconds */
export function isDuration(value) {
  return isNumber(value) && value >= 0;
}

/** @param {unknown} value */
export function isPositive(value) {
  return isNumber(value) && value > 0;
}

/** @param {unknown} value for how long an image is to be shown, in milliseconds */
export function isShowFor(value) {
  return isPositive(value) && Number(value) <= MAX_SHOW_FOR;
}

/** @param {unknown} value millimetres that the longer side of an image is to have */
export function isSizeMm(value) {
  return isPositive(value) && Number(value) <= MAX_SIZE_MM;
}

/** @param {unknown} value the same in degrees of visual angle */
export function isSizeDeg(value) {
  return isPositive(value) && Number(value) <= MAX_SIZE_DEG;
}

/** @param {unknown} value */
export function isWhole(value) {
  return isNumber(value) && Number.isInteger(value);
}

/** @param {unknown} value a whole number, not below 0 */
export function isCount(value) {
  return isWhole(value) && Number(value) >= 0;
}

/** @param {unknown} value a whole number, not below 1 */
export function isOrdinal(value) {
  return isWhole(value) && Number(value) >= 1;
}

/** @param {unknown} value for how many refreshes of the screen an image is to be shown */
export function isFrames(value) {
  return isOrdinal(value) && Number(value) <= MAX_EXPOSURE_FRAMES;
}

/** @param {unknown} value the number of a want on its channel */
export function isWantId(value) {
  return isWhole(value) && Number(value) > 0 && Number(value) < 2 ** 32;
}

/** @param {unknown} value a hash */
export function isSha256(value) {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

/** @param {unknown} value */
export function isBoolean(value) {
  return typeof value === "boolean";
}

/** @param {readonly unknown[]} words @returns {Test} */
export function oneOf(words) {
  return (value) => words.includes(value);
}

/** @param {Test} test @returns {Test} */
export function listOf(test) {
  return (value) => Array.isArray(value) && value.every(test);
}
