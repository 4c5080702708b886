/**
 * The CSV: a header, and a row for each showing; the same bytes as `imgsync report` writes.
 *
 * @import { Row } from "./rows.js"
 */

import { formatCsv } from "./csv.js";

/** Of ours. @type {Exclude<keyof Row, "extra">[]} */
export const COLUMNS = [
  "sessionId",
  "evaluatorId",
  "clientId",
  "imageIndex",
  "imageName",
  "imageUrl",
  "sha256",
  "type",
  "width",
  "height",
  "bytes",
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
  "hiddenReason",
  "recordedBy",
  "recordingTroubles",
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
  "showFor",
  "frames",
  "framesUp",
  "framesDropped",
  "sizeMm",
  "sizeDeg",
  "scale",
  "drawnWidthPx",
  "drawnHeightPx",
  "drawnWidthMm",
  "drawnHeightMm",
  "fitted",
  "answers",
  "answer",
  "answerKind",
  "reactionTime",
  "reactionBound",
  "score",
  "note",
];

/** A cell that begins so is a formula to a spreadsheet, and some texts come from the other side. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;

/** Begins the name of a column of a list of images that has the name of one of ours. */
const OTHERS = "manifest.";

/**
 * What stands above those that only some lists of images have, by their names, as they are met. Names
 * that differ from one of ours in nothing but small and capital letters are the same to many programs.
 *
 * @param {readonly Row[]} rows
 * @returns {Map<string, string>}
 */
function extraColumns(rows) {
  const ours = new Set(COLUMNS.map((name) => name.toLowerCase()));
  /** @type {Map<string, string>} */
  const heads = new Map();
  const used = new Set();
  for (const name of rows.flatMap(({ extra }) => Object.keys(extra))) {
    if (heads.has(name)) continue;
    let head = name;
    while (ours.has(head.toLowerCase()) || used.has(head)) head = OTHERS + head;
    heads.set(name, head);
    used.add(head);
  }
  return heads;
}

/**
 * Times and durations have three decimals; what is not known is empty, and null inside of intervals,
 * which are JSON, as are lists and objects of a list of images.
 *
 * @param {readonly Row[]} rows
 */
export function writeCsv(rows) {
  const extra = extraColumns(rows);
  const names = [...extra.keys()];
  const cells = rows.map((row) => [
    ...COLUMNS.map((column) => cell(column, row[column])),
    ...names.map((name) => asText(Object.hasOwn(row.extra, name) ? row.extra[name] : null)),
  ]);
  return formatCsv([[...COLUMNS, ...[...extra.values()].map(guarded)], ...cells]);
}

/** Numbers that are no times and no durations. */
const COUNTS = new Set([
  ...["imageIndex", "width", "height", "bytes", "copies", "gaps"],
  ...["frames", "framesUp", "framesDropped", "answers", "score", "sizeMm", "sizeDeg"],
]);

/** @param {string} name @param {Row[typeof COLUMNS[number]]} value */
function cell(name, value) {
  if (!Array.isArray(value)) {
    return typeof value === "number" && !COUNTS.has(name) ? thousandths(value) : asText(value);
  }
  const pairs = value.map((pair) => `[${pair.map((at) => (at === null ? "null" : thousandths(at))).join(",")}]`);
  return pairs.length === 0 ? "" : `[${pairs.join(",")}]`;
}

/** Of a value of JSON: empty for null. @param {unknown} value */
function asText(value) {
  if (value === null) return "";
  return typeof value === "string" ? guarded(value) : JSON.stringify(value);
}

/** @param {string} text */
function guarded(text) {
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/** With three decimals; what lies in the middle goes to the even one. @param {number} value */
export function thousandths(value) {
  if (Object.is(value, -0)) return "-0.000";
  const text = value.toFixed(3);
  // The middle between two thousandths is an odd number of sixteenths, where it can be told exactly:
  // then toFixed takes the one that is further from zero, which ends with 3 if it is odd.
  return Math.abs((value * 16) % 2) === 1 ? text.replace(/3$/, "2") : text;
}
