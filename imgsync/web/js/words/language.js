/**
 * What the participant's pages say, in the language of who reads it: each has one file of all texts.
 *
 * A text is a sentence with `{names}` of what stands in it. There may be one for each plural that the
 * language has, by `{count}`, or for each of the devices, by `devices`. Numbers are written as the language
 * writes them.
 *
 * @import { ByDevice, Key, Plural, Room, Texts } from "../languages/en.js"
 */

import chosen, { LANGUAGE, OWN } from "./chosen.js";

export { LANGUAGE, OWN };

/** Around what comes from elsewhere, in a line that goes the other way (Unicode UAX #9, FSI and PDI). */
const ISOLATED = ["\u2068", "\u2069"];

/** Has letters that are written from the right: Hebrew, Arabic, and those between and behind them. */
const FROM_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\ud802\ud803\ud83a\ud83b]/;

const texts = /** @type {Texts} */ (chosen);

/** Which way its lines go. */
export const DIRECTION = texts.direction;

/**
 * One text, with what stands in it.
 *
 * @param {Key} key
 * @param {Record<string, string | number>} [values] by name
 * @returns {string}
 */
export function say(key, values = {}) {
  const [room, name] = /** @type {[Room, never]} */ (key.split("."));
  return choose(texts[room][name], values).replace(/\{(\w+)\}/g, (_, named) => writeValue(values[named] ?? ""));
}

/** @param {string | Plural | ByDevice} text @param {Record<string, string | number>} values @returns {string} */
function choose(text, values) {
  if (typeof text === "string") return text;
  if ("both" in text) return text[/** @type {keyof ByDevice} */ (values.devices)];
  return text[new Intl.PluralRules(LANGUAGE).select(Number(values.count))] ?? text.other;
}

/** @param {string | number} value */
function writeValue(value) {
  if (typeof value === "number") return new Intl.NumberFormat(LANGUAGE).format(value);
  const isOther = DIRECTION === "rtl" || FROM_RIGHT.test(value);
  return isOther ? ISOLATED.join(value) : value;
}

/** @param {number} bytes @returns {string} in the unit that is read best */
export function writeSize(bytes) {
  const [unit, size, digits] = bytes < 1e6 ? ["kilobyte", Math.max(1, bytes / 1e3), 0] : ["megabyte", bytes / 1e6, 1];
  const form = { style: "unit", unit, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(LANGUAGE, /** @type {Intl.NumberFormatOptions} */ (form)).format(/** @type {number} */ (size));
}

/** @param {number} at milliseconds since the epoch @returns {string} the time of the day */
export function writeTime(at) {
  return new Date(at).toLocaleTimeString(LANGUAGE);
}
