/**
 * The CSV: a header, and a row for each showing; the same bytes as `imgsync report` writes.
 *
 * @import { Row } from "./rows.js"
 */

import { formatCsv } from "./csv.js";

/** @type {(keyof Row)[]} */
export const COLUMNS = [
  "sessionId",
  "evaluatorId",
  "clientId",
  "imageIndex",
  "imageName",
  "imageUrl",
  "sentAtIso",
  "sentAt",
  "receivedAt",
  "ackedAt",
  "fetchedAt",
  "shownAt",
  "hiddenAt",
  "failedAt",
  "failedReason",
  "failedDetail",
  "superseded",
  "copies",
  "intervals",
  "exposureMs",
  "gaps",
  "roundTrip",
  "latency",
  "bound",
  "onsetLatency",
  "onsetBound",
  "onsetTiming",
  "receivedAtEvaluator",
  "fetchedAtEvaluator",
  "shownAtEvaluator",
  "hiddenAtEvaluator",
  "failedAtEvaluator",
];

/** A cell that begins so is a formula to a spreadsheet, and some texts come from the other side. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * Times and durations have three decimals; what is not known is empty, and null inside of intervals,
 * which are JSON.
 *
 * @param {readonly Row[]} rows
 */
export function writeCsv(rows) {
  const cells = rows.map((row) => COLUMNS.map((column) => cell(column, row[column])));
  return formatCsv([COLUMNS, ...cells]);
}

const COUNTS = new Set(["imageIndex", "copies", "gaps"]);

/** @param {string} name @param {Row[keyof Row]} value */
function cell(name, value) {
  if (value === null) return "";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return FORMULA.test(value) ? `'${value}` : value;
  if (typeof value === "number") return COUNTS.has(name) ? String(value) : thousandths(value);
  const pairs = value.map((pair) => `[${pair.map((at) => (at === null ? "null" : thousandths(at))).join(",")}]`);
  return pairs.length === 0 ? "" : `[${pairs.join(",")}]`;
}

/** With three decimals; what lies in the middle goes to the even one. @param {number} value */
export function thousandths(value) {
  if (Object.is(value, -0)) return "-0.000";
  const text = value.toFixed(3);
  // The middle between two thousandths is an odd number of sixteenths, where it can be told exactly:
  // then toFixed takes the one that is further from zero, which ends with 3 if it is odd.
  return Math.abs((value * 16) % 2) === 1 ? text.replace(/3$/, "2") : text;
}
