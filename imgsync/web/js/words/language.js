/**
 * What the participant's pages say, in the language of who reads it: each has one file of all texts.
 *
 * A text is a sentence with `{names}` of what stands in it, or one for each plural that the language
 * has, by `{count}`. Numbers are written as the language writes them.
 *
 * @import { Key, Plural, Room, Texts } from "../languages/en.js"
 */

const ENGLISH = "en";

/** Around what comes from elsewhere, in a line that goes the other way (Unicode UAX #9, FSI and PDI). */
const ISOLATED = ["\u2068", "\u2069"];

/** Those that there are, as the page names them. @returns {string[]} */
function listLanguages() {
  const named = globalThis.document?.querySelector('meta[name="languages"]')?.getAttribute("content");
  return named?.split(" ") ?? [ENGLISH];
}

/**
 * @param {readonly string[]} wanted tags (BCP 47), the best one first
 * @param {readonly string[]} there
 * @returns {string} the first of these that is wanted, as it is or without its region
 */
export function chooseLanguage(wanted, there) {
  for (const tag of wanted) {
    const parts = tag.toLowerCase().split("-");
    for (let count = parts.length; count > 0; count -= 1) {
      const found = there.find((one) => one.toLowerCase() === parts.slice(0, count).join("-"));
      if (found !== undefined) return found;
    }
  }
  return ENGLISH;
}

function wantedLanguages() {
  const asked = globalThis.location && new URL(location.href).searchParams.get("lang");
  return [...(asked ? [asked] : []), ...(globalThis.document ? navigator.languages : [])];
}

/** The tag of the language that is spoken. */
export const LANGUAGE = chooseLanguage(wantedLanguages(), listLanguages());

/** @type {Texts} */
const texts = (await import(`../languages/${LANGUAGE}.js`)).default;

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
  return fillIn(texts[room][name], values);
}

/** @param {string | Plural} text @param {Record<string, string | number>} values */
function fillIn(text, values) {
  const count = Number(values.count);
  const sentence =
    typeof text === "string" ? text : (text[new Intl.PluralRules(LANGUAGE).select(count)] ?? text.other);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => writeValue(values[name] ?? ""));
}

/** @param {string | number} value */
function writeValue(value) {
  if (typeof value === "number") return new Intl.NumberFormat(LANGUAGE).format(value);
  return DIRECTION === "rtl" ? `${ISOLATED[0]}${value}${ISOLATED[1]}` : value;
}
