/**
 * What was asked of a client beside showing an image, and what came of that: columns of the CSV, as
 * `imgsync/commands/report/rows.py` has them.
 *
 * @import { Answer, Mark, Showing, Sight } from "./sides.js"
 *
 * @typedef {object} TrialCells null where nothing is known; durations are milliseconds
 * @property {number | null} showFor for how long it was to be up, as asked
 * @property {number | null} frames the same in refreshes of the client's screen
 * @property {number | null} framesUp for how many refreshes it was up in all
 * @property {number | null} framesDropped how many of these the client missed
 * @property {number | null} sizeMm how long its longer side was to be, as asked
 * @property {number | null} sizeDeg the same in degrees of visual angle
 * @property {string | null} scale by how much it was to be magnified
 * @property {number | null} drawnWidthPx as it was on the screen first, CSS pixels
 * @property {number | null} drawnHeightPx
 * @property {number | null} drawnWidthMm where the screen was calibrated
 * @property {number | null} drawnHeightMm
 * @property {string | null} fitted why it was fitted to the window although a size was asked
 * @property {number | null} answers how many there are; 0 where some were asked for, null where nobody asked
 * @property {string | null} answer the first one: a key's name, a button's value, "picture" or "beside" of a tap
 * @property {string | null} answerKind
 * @property {number | null} reactionTime of the first one, from the onset
 * @property {number | null} reactionBound how wrong that can be
 * @property {number | null} score of the last mark of the evaluator's that has one
 * @property {string | null} note the texts of all marks
 */

/**
 * @param {Showing} showing
 * @param {readonly Mark[]} marks of it, in the order of time
 * @param {readonly Sight[]} sights
 * @returns {TrialCells}
 */
export function trialOf({ trial, answers: heard }, marks, sights) {
  const answers = inOrder([...heard.values()]);
  const [first] = answers;
  const gone = sights.filter(({ isShown }) => !isShown);
  const drawn = sights.find(({ isShown }) => isShown)?.drawn;
  const isAsked = (trial?.respond ?? null) !== null;
  const scored = marks.filter(({ score }) => score !== null);
  return {
    showFor: trial?.showFor ?? null,
    frames: trial?.frames ?? null,
    framesUp: total(gone.map(({ frames }) => frames)),
    framesDropped: total(gone.map(({ dropped }) => dropped)),
    sizeMm: trial?.sizeMm ?? null,
    sizeDeg: trial?.sizeDeg ?? null,
    scale: trial?.scale ?? null,
    drawnWidthPx: drawn?.widthPx ?? null,
    drawnHeightPx: drawn?.heightPx ?? null,
    drawnWidthMm: drawn?.widthMm ?? null,
    drawnHeightMm: drawn?.heightMm ?? null,
    fitted: drawn?.fitted ?? null,
    answers: answers.length > 0 || isAsked ? answers.length : null,
    answer: first?.value ?? null,
    answerKind: first?.kind ?? null,
    reactionTime: first?.reactionTime ?? null,
    reactionBound: first?.within ?? null,
    score: scored.at(-1)?.score ?? null,
    note: marks.flatMap(({ text }) => text || []).join("; ") || null,
  };
}

/** By the client's clock; that there were too many is no answer. @param {Answer[]} answers */
export function inOrder(answers) {
  answers.sort((one, other) => one.at - other.at || one.number - other.number);
  return answers.filter(({ kind }) => kind !== "too_many");
}

/** @param {(number | null)[]} counts @returns {number | null} null for none, and where one of them is not known */
function total(counts) {
  const isKnown = counts.length > 0 && !counts.includes(null);
  return isKnown ? counts.reduce((/** @type {number} */ sum, count) => sum + (count ?? 0), 0) : null;
}
