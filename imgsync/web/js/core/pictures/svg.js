/**
 * SVG: whether it is one, and whether each element that is opened is closed again. The rules of
 * `core/pictures/svg.py`.
 *
 * @import { Format, Step } from "./reading.js"
 */

import { Found, Malformed, NoPicture, Past, Rest, Sized, Take, Until, textOf } from "./reading.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const MAX_DEPTH = 5000;
const MAX_NAME = 256;

/** @param {string} letters @param {boolean} [others] whether all others are meant */
function oneOf(letters, others = false) {
  const table = new Uint8Array(256).fill(others ? 1 : 0);
  for (const letter of letters) table[letter.charCodeAt(0)] = others ? 0 : 1;
  return table;
}

const NO_SPACE = oneOf(" \t\r\n", true);
const OPEN = oneOf("<");
const CLOSE = oneOf(">");
const NAME_END = oneOf(" \t\r\n/>");
const TARGET_END = oneOf(" \t\r\n?");
const TAG_PART = oneOf("/>\"'<");
const ROOT_PART = oneOf("/>\"'<=");
const DECLARATION_PART = oneOf(">[\"'");
const SUBSET_PART = oneOf("]\"'<");
const IN_QUOTES = new Map([
  ['"', oneOf('"<')],
  ["'", oneOf("'<")],
]);

const SPACE = "[ \\t\\r\\n]*";
const NUMBER = "(?:[0-9]*\\.)?[0-9]+(?:[eE][+-]?[0-9]+)?";
const GAP = `(?:[ \\t\\r\\n]+|${SPACE},${SPACE})`;
const LENGTH = new RegExp(`^${SPACE}\\+?(${NUMBER})([a-zA-Z]*)${SPACE}$`);
const BOX = new RegExp(
  `^${SPACE}[+-]?${NUMBER}${GAP}[+-]?${NUMBER}${GAP}\\+?(${NUMBER})${GAP}\\+?(${NUMBER})${SPACE}$`,
);

/** In pixels. Others depend on where it is shown. @type {Record<string, number>} */
const UNITS = { "": 1, px: 1, in: 96, cm: 96 / 2.54, mm: 96 / 25.4, q: 96 / 101.6, pt: 96 / 72, pc: 16 };
const MAX_SIDE = 2 ** 31;

/** @param {string} text @returns {string} without XML's white space at its ends */
function trim(text) {
  return text.replace(/^[ \t\r\n\v\f]+|[ \t\r\n\v\f]+$/g, "");
}

/** @returns {Format} */
export function* readSvg() {
  const { root, hasDeclarations } = yield* findRoot();
  yield new Found();
  /** @type {Map<string, string>} */
  const attributes = new Map();
  const isEmpty = yield* readTag(root.slice(-1), attributes);
  if (!hasDeclarations) checkNamespace(root.slice(0, -1), attributes);
  yield sizeOf(attributes);
  const names = isEmpty ? [] : [root.slice(0, -1)];
  while (names.length > 0) {
    yield new Until(OPEN);
    const first = textOf(yield new Take(1));
    if (first === "/") {
      const closed = yield new Until(CLOSE, MAX_NAME);
      const opened = names.pop()?.slice(0, MAX_NAME);
      if (closed.slice(0, -1).replace(/[ \t\r\n\v\f]+$/, "") !== opened) throw new Malformed();
    } else if (first === "?") {
      yield* readInstruction();
    } else if (first === "!") {
      yield* readDeclarationInside();
    } else {
      const name = first + (yield new Until(NAME_END, MAX_NAME));
      if (!(yield* readTag(name.slice(-1), null))) names.push(name.slice(0, -1));
      if (names.length > MAX_DEPTH) throw new Malformed();
    }
  }
  for (;;) {
    if ((yield new Rest(NO_SPACE)) !== "<") throw new Malformed();
    if (textOf(yield new Take(1)) === "?") yield* readInstruction();
    else if (textOf(yield new Take(2)) === "--") yield new Past("-->");
    else throw new Malformed();
  }
}

/**
 * @returns {Generator<Step, {root: string, hasDeclarations: boolean}, any>} its name, with the byte
 *   behind it, and whether something was declared that concerns it
 */
function* findRoot() {
  let hasDeclarations = false;
  let mayBegin = true;
  for (;;) {
    const start = yield new Until(NO_SPACE, 1);
    if (!start.endsWith("<")) throw new NoPicture();
    mayBegin &&= start === "<";
    const first = textOf(yield new Take(1));
    if (first === "?") {
      yield* readInstruction(mayBegin);
    } else if (first === "!") {
      if (yield* readPrologDeclaration()) hasDeclarations = true;
    } else {
      const name = first + (yield new Until(NAME_END, MAX_NAME));
      if (name.slice(0, -1).split(":").at(-1) !== "svg") throw new NoPicture();
      return { root: name, hasDeclarations };
    }
    mayBegin = false;
  }
}

/**
 * One to a program; that which begins with `xml` says how all is written, and comes first.
 *
 * @param {boolean} [mayBegin]
 * @returns {Format}
 */
function* readInstruction(mayBegin = false) {
  const target = yield new Until(TARGET_END, MAX_NAME);
  if (target.slice(0, -1).toLowerCase() === "xml" && !mayBegin) throw new Malformed();
  if (!target.endsWith("?") || textOf(yield new Take(1)) !== ">") yield new Past("?>");
}

/**
 * A comment, or the type of the document.
 *
 * @returns {Generator<Step, boolean, any>} whether that declares something here
 */
function* readPrologDeclaration() {
  const start = textOf(yield new Take(2));
  if (start === "--") {
    yield new Past("-->");
    return false;
  }
  if (start + textOf(yield new Take(5)) !== "DOCTYPE") throw new NoPicture();
  let hasDeclarations = false;
  for (;;) {
    const part = yield new Until(DECLARATION_PART);
    if (part === ">") return hasDeclarations;
    if (part === "[") {
      hasDeclarations = true;
      yield* readSubset();
    } else {
      yield new Past(part);
    }
  }
}

/** @returns {Format} */
function* readSubset() {
  for (;;) {
    const part = yield new Until(SUBSET_PART);
    if (part === "]") return;
    if (part !== "<") {
      yield new Past(part);
      continue;
    }
    const kind = textOf(yield new Take(1));
    if (kind === "?") yield new Past("?>");
    else if (kind === "!" && textOf(yield new Take(1)) === "-") yield new Past("-->");
  }
}

/**
 * The rest of a tag behind its name and one byte more.
 *
 * @param {string} endedBy
 * @param {Map<string, string> | null} attributes put down here, where that is asked
 * @returns {Generator<Step, boolean, any>} whether it closes what it opens
 */
function* readTag(endedBy, attributes) {
  // Most tags have many attributes that nobody asks for.
  const [parts, keep] = attributes === null ? [TAG_PART, 0] : [ROOT_PART, MAX_NAME];
  let part = endedBy;
  let name = "";
  for (;;) {
    if (part === ">") return false;
    if (part === "/") {
      if (textOf(yield new Take(1)) !== ">") throw new Malformed();
      return true;
    }
    if (part === "<") throw new Malformed();
    const inQuotes = IN_QUOTES.get(part);
    if (inQuotes !== undefined) {
      const value = yield new Until(inQuotes, keep);
      if (value.endsWith("<")) throw new Malformed();
      attributes?.set(name, value.slice(0, -1));
    }
    const text = yield new Until(parts, keep);
    part = text.slice(-1);
    if (part === "=") name = trim(text.slice(0, -1));
  }
}

/** Without it, browsers show nothing. @param {string} root @param {Map<string, string>} attributes */
function checkNamespace(root, attributes) {
  const prefix = root.slice(0, Math.max(0, root.lastIndexOf(":")));
  const namespace = attributes.get(prefix === "" ? "xmlns" : `xmlns:${prefix}`) ?? "";
  if (namespace !== NAMESPACE) throw new Malformed();
}

/**
 * As large as it says that it is, or else its view box is. What a style sheet makes of it is not
 * looked at.
 *
 * @param {Map<string, string>} attributes
 */
function sizeOf(attributes) {
  let width = lengthOf(attributes, "width");
  let height = lengthOf(attributes, "height");
  const box = BOX.exec(attributes.get("viewBox") ?? "");
  const [across, down] = [Number(box?.[1] ?? 0), Number(box?.[2] ?? 0)];
  if (across > 0 && down > 0) {
    if (width === 0 && height === 0) [width, height] = [across, down];
    // One side alone is the other one's measure.
    [width, height] = [width || (height * across) / down, height || (width * down) / across];
  }
  const [one = 0, other = 0] = [width, height].map((side) =>
    side < MAX_SIDE ? Math.floor(side + 0.5) : 0,
  );
  return new Sized(one, other);
}

/** @param {Map<string, string>} attributes @param {string} name @returns {number} 0 for none */
function lengthOf(attributes, name) {
  const [, number, unit = ""] = LENGTH.exec(attributes.get(name) ?? "") ?? [];
  const factor = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined;
  return number === undefined || factor === undefined ? 0 : Number(number) * factor;
}

/** A comment, or text that is no markup. @returns {Format} */
function* readDeclarationInside() {
  const start = textOf(yield new Take(2));
  if (start === "--") yield new Past("-->");
  else if (start === "[C" && textOf(yield new Take(5)) === "DATA[") yield new Past("]]>");
  else throw new Malformed();
}

/** UTF-16 as bytes of ASCII; what ASCII does not have is a letter. */
export class Narrow {
  #isLittle;
  /** Of half a character. @type {number | null} */
  #half = null;

  /** @param {"little" | "big"} order */
  constructor(order) {
    this.#isLittle = order === "little";
  }

  /** @param {Uint8Array} data @returns {Uint8Array} */
  narrow(data) {
    const found = new Uint8Array((data.length + 1) >> 1);
    let count = 0;
    for (const byte of data) {
      if (this.#half === null) {
        this.#half = byte;
        continue;
      }
      const [low, high] = this.#isLittle ? [this.#half, byte] : [byte, this.#half];
      this.#half = null;
      found[count] = high === 0 ? low : 0x80;
      count += 1;
    }
    return found.subarray(0, count);
  }
}
