/**
 * CSV as RFC 4180 has it, read strictly and written: `imgsync/images/csv_text.py` reads it by the same
 * rules.
 */

import { isNamed } from "../core/protocol/extra.js";
import { MAX_CELL } from "../core/protocol/numbers.js";
import {
  COLUMNS_SEPARATED,
  QUOTE_INSIDE,
  QUOTE_NOT_CLOSED,
  ROW_SWALLOWED,
  ROW_TOO_LONG,
  TEXT_AFTER_QUOTE,
  describeColumn,
  describeDivided,
  describeLongCell,
  describeTwice,
} from "../words/manifest.js";

/** The text is no CSV; `line` counts from 1. */
export class BadCsv extends Error {
  /** @param {number} line @param {string} why */
  constructor(line, why) {
    super(why);
    this.line = line;
  }
}

const CELL = /"([^"]*(?:""[^"]*)*)"|([^",\r\n]*)/y;
const BREAK = /\r\n|\r|\n/g;

/** A row that stands inside of a cell; notes may have several lines, too. */
const SWALLOWED = /[\r\n].*https?:\/\//is;

const SEPARATOR = /^"?sep=.?"?[,;\t]*$/i;

/** @type {[string, string][]} */
const DIVIDERS = [
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "bars"],
];

/**
 * @param {string} text
 * @returns {string[][]} rows; empty lines are left out
 * @throws {BadCsv}
 */
export function parseCsv(text) {
  return [...rowsOf(text)].map(([, row]) => row);
}

/** @param {string} text @param {number} number of a row, from 0 @returns {number} the line on which it begins, from 1 */
export function lineOfRow(text, number) {
  const [start = 0] = [...rowsOf(text)][number] ?? [];
  return lineOf(text, start);
}

/** @param {string} text @param {number} at */
function lineOf(text, at) {
  return (text.slice(0, at).match(BREAK)?.length ?? 0) + 1;
}

/** Each with where it begins. @param {string} text @returns {Generator<[number, string[]]>} */
function* rowsOf(text) {
  /** @type {string[] | null} */
  let head = null;
  /** @type {string[]} */
  let row = [];
  let begin = 0;
  let at = 0;
  const fail = (/** @type {string} */ why, here = at) => {
    throw new BadCsv(lineOf(text, here), why);
  };
  for (;;) {
    CELL.lastIndex = at;
    const start = at;
    const [all = "", quoted, plain = ""] = CELL.exec(text) ?? [];
    const isOpen = text[at] === '"';
    if (isOpen && quoted === undefined) fail(QUOTE_NOT_CLOSED);
    const cell = quoted?.replaceAll('""', '"') ?? plain;
    if ([...cell].length > MAX_CELL) fail(describeLongCell(MAX_CELL));
    if (SWALLOWED.test(cell)) fail(ROW_SWALLOWED);
    row.push(cell);
    at += all.length;
    if (text[at] === ",") {
      at += 1;
      continue;
    }
    if (at < text.length && text[at] !== "\r" && text[at] !== "\n") {
      fail(isOpen ? TEXT_AFTER_QUOTE : QUOTE_INSIDE);
    }
    if (row.slice(head?.length ?? row.length).some((more) => more !== "")) {
      fail(ROW_TOO_LONG, start);
    }
    if (row.length > 1 || row[0] !== "") {
      head ??= row;
      yield [begin, row];
    }
    row = [];
    if (at >= text.length) return;
    at += text.startsWith("\r\n", at) ? 2 : 1;
    begin = at;
  }
}

/**
 * What is wrong with the first line, as what follows the name of a file.
 *
 * @param {string} text
 * @param {readonly string[]} columns
 * @returns {string | null} null if nothing is
 */
export function oddFirstLine(text, columns) {
  const [line = ""] = text.split(BREAK, 1);
  if (SEPARATOR.test(line)) return COLUMNS_SEPARATED;
  const wanted = columns.map(plainly);
  for (const [divider, name] of DIVIDERS) {
    const cells = line.split(divider).slice(0, -1);
    const names = cells.map((cell) => plainly(cell.replace(/^"+|"+$/g, "")));
    if (names.some((cell) => wanted.includes(cell))) return describeDivided(name);
  }
  return null;
}

/**
 * The same of the names of its columns.
 *
 * @param {readonly string[]} head
 * @param {readonly string[]} columns
 * @returns {string | null}
 */
export function oddColumns(head, columns) {
  for (const column of columns) {
    if (head.filter((cell) => cell === column).length > 1) return describeTwice(column);
    const alike = head.find((cell) => plainly(cell) === plainly(column));
    if (alike !== undefined && !head.includes(column)) {
      return describeColumn(onOneLine(alike), column);
    }
  }
  const twice = head.find((cell, place) => isNamed(cell) && head.indexOf(cell, place + 1) > place);
  return twice === undefined ? null : describeTwice(onOneLine(twice));
}

/** @param {string} name */
function onOneLine(name) {
  return name.replace(/[ \t\r\n]+/g, " ");
}

/** A name as one may have meant it. @param {string} name */
function plainly(name) {
  return name.replace(/[ \t\r\n_-]+/g, "").toLowerCase();
}

/** @param {readonly (readonly string[])[]} rows @returns {string} */
export function formatCsv(rows) {
  return rows.map((row) => row.map(quote).join(",") + "\r\n").join("");
}

/** @param {string} cell */
function quote(cell) {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
