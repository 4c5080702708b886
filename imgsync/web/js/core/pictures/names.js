/**
 * Files of a folder by their names: in which order, and which of them are meant to be shown. The rules
 * of `core/pictures/names.py`.
 *
 * @typedef {{parts: readonly string[], name: string}} NaturalKey every second part is a number
 */

import { KINDS } from "./kinds.js";

/** What systems put into folders by themselves, in small letters. */
const OF_SYSTEMS = ["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "__pycache__"];

const SUFFIXES = new Set(KINDS.flatMap(({ suffixes }) => suffixes));

/**
 * In natural order: numbers by what they say (2 before 10), large letters like small ones.
 *
 * @template T
 * @param {readonly T[]} files
 * @param {(file: T) => string} nameOf
 * @returns {T[]}
 */
export function inNaturalOrder(files, nameOf) {
  const keyed = files.map((file) => ({ file, key: naturalKey(nameOf(file)) }));
  return keyed.sort((one, other) => compare(one.key, other.key)).map(({ file }) => file);
}

/** Or hidden, or a program: no picture to anybody. @param {string} name */
export function isOfSystem(name) {
  const small = name.toLowerCase();
  return name.startsWith(".") || OF_SYSTEMS.includes(small) || small.endsWith(".py");
}

/** Whether it ends as the names of pictures do that browsers show. @param {string} name */
export function isNamedAsPicture(name) {
  const [, suffix = ""] = /\.([^.]*)$/s.exec(name.toLowerCase()) ?? [];
  return !isOfSystem(name) && SUFFIXES.has(suffix);
}

/** @param {string} name @returns {NaturalKey} */
function naturalKey(name) {
  return { parts: name.toLowerCase().split(/([0-9]+)/), name };
}

/** @param {NaturalKey} one @param {NaturalKey} other */
function compare(one, other) {
  const count = Math.min(one.parts.length, other.parts.length);
  for (let place = 0; place < count; place += 1) {
    const [a = "", b = ""] = [one.parts[place], other.parts[place]];
    const order = place % 2 === 0 ? compareText(a, b) : compareNumbers(a, b);
    if (order !== 0) return order;
  }
  // The name itself decides between 1.png and 01.png.
  return one.parts.length - other.parts.length || compareText(one.name, other.name);
}

/** Of any length, which no number holds. @param {string} one @param {string} other */
function compareNumbers(one, other) {
  const [a, b] = [one.replace(/^0+/, ""), other.replace(/^0+/, "")];
  return a.length - b.length || compareText(a, b);
}

/** By code points; `<` goes by halves of them. @param {string} one @param {string} other */
function compareText(one, other) {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (let place = 0; place < Math.min(a.length, b.length); place += 1) {
    const order = (a[place]?.codePointAt(0) ?? 0) - (b[place]?.codePointAt(0) ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
