/** CSV as RFC 4180 has it, read and written. */

import { QUOTE_NOT_CLOSED, TEXT_AFTER_QUOTE } from "../words/manifest.js";

/** The text is no CSV; `line` counts from 1. */
export class BadCsv extends Error {
  /** @param {number} line @param {string} why */
  constructor(line, why) {
    super(why);
    this.line = line;
  }
}

const CELL = /"([^"]*(?:""[^"]*)*)"|([^",\r\n][^,\r\n]*|(?=[,\r\n]|$))/y;
const BREAK = /\r\n|\r|\n/g;

/**
 * @param {string} text
 * @returns {string[][]} rows; empty lines are left out
 * @throws {BadCsv}
 */
export function parseCsv(text) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let at = 0;
  const lineHere = () => (text.slice(0, at).match(BREAK)?.length ?? 0) + 1;
  for (;;) {
    CELL.lastIndex = at;
    const found = CELL.exec(text);
    if (found === null) throw new BadCsv(lineHere(), QUOTE_NOT_CLOSED);
    const [cell, quoted, plain] = found;
    row.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    at += cell.length;
    if (text[at] === ",") {
      at += 1;
      continue;
    }
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
    if (at >= text.length) return rows;
    if (text[at] !== "\r" && text[at] !== "\n") throw new BadCsv(lineHere(), TEXT_AFTER_QUOTE);
    at += text.startsWith("\r\n", at) ? 2 : 1;
  }
}

/** @param {readonly (readonly string[])[]} rows @returns {string} */
export function formatCsv(rows) {
  return rows.map((row) => row.map(quote).join(",") + "\r\n").join("");
}

/** @param {string} cell */
function quote(cell) {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
