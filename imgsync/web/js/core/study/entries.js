/**
 * One entry of a study, or of any other list of images: what is shown, and what is asked. The rules of
 * core/study/entries.py, which has the same words for what is wrong.
 *
 * @import { Extra } from "../protocol/extra.js"
 * @import { Respond, Trial } from "../protocol/wire.js"
 * @import { Path } from "./places.js"
 *
 * @typedef {{path: Path, what: string}} Fault `what`: what follows the name of the image, or that of the
 *   file; `path` leads to it
 * @typedef {object} Entry what is shown at one place
 * @property {string | null} imageUrl a web URL, or the path of a file beside the study; null for a text
 * @property {string | null} signedUrl null for a file and for a text
 * @property {Trial | null} trial what is asked; null where nothing is
 * @property {string | number | null} block of whatever is shuffled together
 * @property {Extra} extra
 */

import { faultIn, isNamed } from "../protocol/extra.js";
import {
  MAX_EXPOSURE_FRAMES,
  MAX_EXTRA,
  MAX_KEYS,
  MAX_SCREEN_TEXT,
  MAX_SHOW_FOR,
  MAX_SIZE_DEG,
  MAX_SIZE_MM,
  MAX_URLS,
  MIN_SHOW_FOR,
} from "../protocol/numbers.js";
import { isWebUrl } from "../protocol/urls.js";
import { isFrames, isNumber, isObject, isScreenText, isSizeDeg, isSizeMm } from "../protocol/values.js";
import { encodeText } from "../protocol/wire.js";
import { plainKey } from "../protocol/keys.js";
import { faultOfKey } from "./keys.js";

/** Of which an entry has one at most. */
const SIZES = ["sizeMm", "sizeDeg", "scale"];

/** What is no free column. */
const FIELDS = ["imageUrl", "signedUrl", "showFor", "frames", "respond", "text", ...SIZES];

/** Names that mean something, so that one that is nearly the same is a mistake. */
export const NAMES = [...FIELDS, "block"];

const FILE =
  // eslint-disable-next-line no-control-regex
  /^(?!\/)(?:(?!\.{1,2}\/)[^/\\:?#\0-\x1f\x7f]+\/)*[^/\\:?#\0-\x1f\x7f]+\.(?:apng|avifs?|bmp|gif|jfif|jpe|jpe?g|pjp|pjpeg|png|svg|webp)$/i;

const NUMBER = /^[ \t]*([0-9]+(?:\.[0-9]+)?)[ \t]*$/;

/** What stands beside the keys where `respond` is written as words. */
const WORDS = ["taps", "ends"];

/** Whether its picture lies beside the study. @param {Entry} entry */
export function isFile({ imageUrl, signedUrl }) {
  return imageUrl !== null && signedUrl === null;
}

/** Whether it is the path of a picture's file below the folder of the study. @param {unknown} value @returns {value is string} */
export function isFileName(value) {
  return typeof value === "string" && FILE.test(value);
}

/** Whether a member says nothing: CSV has an empty cell in its place. @param {unknown} value */
export function isLeftOut(value) {
  return value === undefined || value === null || value === "";
}

/**
 * @param {readonly string[]} names
 * @param {readonly string[]} known
 * @returns {[string, string] | null} a name that is nearly one of the known ones, and that one, which is not there
 */
export function oddName(names, known) {
  for (const wanted of known) {
    const alike = names.find((name) => plainName(name) === plainName(wanted));
    if (alike !== undefined && !names.includes(wanted)) return [alike, wanted];
  }
  return null;
}

/** A name as one may have meant it. @param {string} name */
function plainName(name) {
  return name.replace(/[ \t\r\n_-]+/g, "").toLowerCase();
}

/** Reads one entry, and gathers what is wrong with it. */
export class EntryReader {
  /** @type {Fault[]} */
  faults = [];
  #entry;
  #path;
  #isDoubled;

  /** @param {Record<string, any>} entry @param {Path} path that leads to it @param {boolean} isDoubled whether `imageUrl` is good for both */
  constructor(entry, path, isDoubled) {
    this.#entry = entry;
    this.#path = path;
    this.#isDoubled = isDoubled;
  }

  /** @returns {Entry | null} null where there are faults */
  read() {
    const odd = oddName(Object.keys(this.#entry), NAMES);
    if (odd !== null) this.#tell(odd[0], `has a column "${onOneLine(odd[0])}"; call it ${odd[1]}`);
    const text = this.#text();
    const [imageUrl, signedUrl] = text === null ? this.#urls() : [null, null];
    const fields = { showFor: this.#showFor(), frames: this.#frames(), respond: this.#respond(), text, ...this.#sizes() };
    const extra = this.#extra();
    const block = this.#named("block");
    this.#named("id");
    if (this.faults.length > 0) return null;
    const asked = Object.entries(fields).filter(([, value]) => value !== null);
    const trial = asked.length === 0 ? null : /** @type {Trial} */ (Object.fromEntries(asked));
    return { imageUrl, signedUrl, trial, block, extra };
  }

  /** @param {string} member @param {string} what @param {Path} inside what leads on to it from there */
  #tell(member, what, inside = []) {
    this.faults.push({ path: [...this.#path, member, ...inside], what });
    return null;
  }

  /** @param {string} member @returns {any} null where it is left out */
  #get(member) {
    const value = Object.hasOwn(this.#entry, member) ? this.#entry[member] : null;
    return isLeftOut(value) ? null : value;
  }

  #text() {
    const text = this.#get("text");
    if (text === null) return null;
    for (const other of ["imageUrl", "signedUrl"]) {
      if (this.#get(other) !== null) this.#tell(other, `has text and ${other}; leave one of them out`);
    }
    if (!isScreenText(text)) {
      const rule = `of 1 to ${MAX_SCREEN_TEXT} characters, without control characters but line breaks`;
      this.#tell("text", `has a text that is not ${rule}`);
    }
    return String(text);
  }

  /** @returns {[string | null, string | null]} */
  #urls() {
    const imageUrl = this.#get("imageUrl");
    if (isFileName(imageUrl) && !isWebUrl(imageUrl)) {
      if (!this.#isDoubled && this.#get("signedUrl") !== null) {
        this.#tell("signedUrl", "is a file and has a signedUrl; leave that out");
      }
      return [imageUrl, null];
    }
    if (imageUrl === null) {
      this.#tell("imageUrl", "has no imageUrl that is an http or https URL, and no text");
      return [null, null];
    }
    const members = this.#isDoubled ? ["imageUrl"] : ["imageUrl", "signedUrl"];
    for (const member of members) {
      const url = this.#get(member);
      if (!isWebUrl(url)) this.#tell(member, `has no ${member} that is an http or https URL`);
      else if (/^[^/]*\/\/[^/?#]*@/.test(url)) {
        this.#tell(member, `has a user name in its ${member}, which browsers load nothing with; leave it out`);
      }
    }
    const urls = { imageUrl, signedUrl: this.#isDoubled ? imageUrl : this.#get("signedUrl") };
    const size = encodeText(JSON.stringify(urls)).length;
    if (this.faults.length === 0 && size > MAX_URLS) {
      this.#tell("imageUrl", `has URLs of ${size} bytes, which fit into no message; ${MAX_URLS} do`);
    }
    return [urls.imageUrl, urls.signedUrl];
  }

  #showFor() {
    const value = numberIn(this.#get("showFor"));
    if (value === null) return null;
    if (this.#get("frames") !== null) this.#tell("showFor", "has showFor and frames; leave one of them out");
    if (isNumber(value) && value >= MIN_SHOW_FOR && value <= MAX_SHOW_FOR) return value;
    return this.#tell(
      "showFor",
      `has a showFor that is no number of milliseconds from ${MIN_SHOW_FOR}, which is one refresh of the` +
        ` quickest screens, to ${MAX_SHOW_FOR}`,
    );
  }

  #frames() {
    const value = numberIn(this.#get("frames"));
    if (value === null || isFrames(value)) return /** @type {number | null} */ (value);
    return this.#tell("frames", `has frames that are no whole number from 1 to ${MAX_EXPOSURE_FRAMES}`);
  }

  #sizes() {
    const [first, ...others] = ["text", ...SIZES].filter((member) => this.#get(member) !== null);
    for (const member of others) this.#tell(member, `has ${first} and ${member}; leave one of them out`);
    const scale = this.#get("scale");
    if (scale !== null && scale !== "1:1") {
      this.#tell("scale", 'has a scale that is not "1:1"; for other sizes there are sizeMm and sizeDeg');
    }
    return {
      sizeMm: this.#size("sizeMm", isSizeMm, `millimetres above 0 and up to ${MAX_SIZE_MM}`),
      sizeDeg: this.#size("sizeDeg", isSizeDeg, `degrees above 0 and up to ${MAX_SIZE_DEG}`),
      scale,
    };
  }

  /** @param {string} member @param {(value: unknown) => boolean} isRight @param {string} rule */
  #size(member, isRight, rule) {
    const value = numberIn(this.#get(member));
    if (value === null || isRight(value)) return value;
    return this.#tell(member, `has a ${member} that is no number of ${rule}, for its longer side`);
  }

  /** @returns {Respond | null} */
  #respond() {
    let value = this.#get("respond");
    if (value === null) return null;
    if (typeof value === "string") {
      const words = value.split(/[ \t\r\n]+/).filter((word) => word !== "");
      const said = WORDS.filter((word) => words.includes(word)).map((word) => [word, true]);
      value = { keys: words.filter((word) => !WORDS.includes(word)), ...Object.fromEntries(said) };
    }
    const faults = faultsOfRespond(value);
    for (const { path, what } of faults) this.#tell("respond", what, path);
    if (faults.length > 0) return null;
    const { keys = [], taps = false, ends = false } = value;
    return { keys: keys.map(plainKey), taps, ends };
  }

  /** @param {string} member @returns {string | number | null} */
  #named(member) {
    const value = this.#get(member);
    if (value === null || typeof value === "string" || typeof value === "number") return value;
    return this.#tell(member, `has a member ${member} that is neither a text nor a number`);
  }

  /** Free columns, as they stand. @returns {Extra} */
  #extra() {
    const found = Object.entries(this.#entry).filter(([name]) => !FIELDS.includes(name) && isNamed(name));
    for (const [name, value] of found) {
      const fault = faultIn({ [name]: value }, -1);
      if (fault !== null) {
        this.#tell(name, `has an extra column "${name}" whose value ${fault}`);
        return {};
      }
    }
    const extra = Object.fromEntries(found);
    const size = encodeText(JSON.stringify(extra)).length;
    if (size > MAX_EXTRA) {
      const what = `has extra columns of ${size} bytes; at most ${MAX_EXTRA} go into a record`;
      this.faults.push({ path: this.#path, what });
    }
    return extra;
  }
}

/** A number, also where a cell has it; anything else as it is. @param {unknown} value @returns {unknown} */
function numberIn(value) {
  const [, digits] = typeof value === "string" && value.length <= 20 ? (NUMBER.exec(value) ?? []) : [];
  return digits === undefined ? value : Number(digits);
}

/** @param {any} value @returns {Fault[]} whose paths lead on from `respond` */
function faultsOfRespond(value) {
  if (!isObject(value)) {
    return [{ path: [], what: "has a respond that is neither words nor an object of keys, taps and ends" }];
  }
  const { keys = [] } = /** @type {Record<string, any>} */ (value);
  /** @type {Fault[]} */
  const faults = Object.keys(value)
    .filter((name) => !["keys", ...WORDS].includes(name))
    .map((name) => ({ path: [name], what: `has in respond a member "${onOneLine(name)}"; there are keys, taps and ends` }));
  for (const word of WORDS) {
    const isWrong = Object.hasOwn(value, word) && typeof value[word] !== "boolean";
    if (isWrong) faults.push({ path: [word], what: `has in respond ${word} that is neither true nor false` });
  }
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) {
    return [...faults, { path: ["keys"], what: `has in respond keys that are no list of at most ${MAX_KEYS}` }];
  }
  for (const [place, key] of keys.entries()) {
    const what = faultOfKey(key);
    if (what !== null) faults.push({ path: ["keys", place], what });
  }
  return faults.length > 0 ? faults : faultsOfKeys(keys.map(plainKey), value.taps === true);
}

/** What is wrong with good keys beside each other. @param {string[]} keys @param {boolean} taps @returns {Fault[]} */
function faultsOfKeys(keys, taps) {
  const again = keys.findIndex((key, place) => keys.indexOf(key) < place);
  if (again !== -1) return [{ path: ["keys", again], what: "asks in respond for one key twice" }];
  if (keys.length > 0 || taps) return [];
  return [{ path: [], what: "asks in respond for no answer; name keys, or taps, or leave it out" }];
}

/** A name as it can stand in a sentence. @param {string} name */
export function onOneLine(name) {
  return name.replace(/[ \t\r\n]+/g, " ");
}
