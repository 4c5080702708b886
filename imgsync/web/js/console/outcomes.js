/**
 * What became of each showing, as a table; of the current one, also for ears.
 *
 * @import { Standing } from "./journal.js"
 * @import { Row } from "./rows.js"
 * @import { Phase } from "../words/console.js"
 *
 * @typedef {{line: HTMLTableRowElement, picture: Element, fate: Element, answers: Element,
 *   marks: Element, trip: Element, delay: Element}} Line
 */

import {
  announceFate,
  describeDelay,
  describeFate,
  describePicture,
  formatNumber,
} from "../words/console.js";
import { find, make, setText } from "../page/dom.js";
import { nameShown } from "./listed.js";
import { describeAnswers, describeMarks } from "../words/trials.js";

/** Showings in the table; the record has all of them. */
const MAX_LINES = 200;

/** What is worth announcing: the steps between follow each other too fast. */
const SPOKEN = new Set(["shown", "failed", "superseded"]);

export class Outcomes {
  #body = find("rows", HTMLTableSectionElement);
  /** By `sentAt`. @type {Map<number, Line>} */
  #lines = new Map();
  /** What was announced last, and of which showing. */
  #said = "";

  /**
   * @param {readonly Standing[]} rows in the order in which they were shown
   * @param {(row: Standing) => Row | null} measure
   * @param {Phase} phase
   * @param {number | null} current the `sentAt` of the current one
   */
  render(rows, measure, phase, current) {
    const last = rows.slice(-MAX_LINES);
    const wanted = new Set(last.map((row) => row.sentAt));
    for (const [sentAt, { line }] of this.#lines) {
      if (wanted.has(sentAt)) continue;
      line.remove();
      this.#lines.delete(sentAt);
    }
    for (const row of last) this.#renderRow(row, measure(row), phase);
    find("table", HTMLTableElement).hidden = last.length === 0;
    find("onset-note", HTMLElement).hidden = last.length === 0;
    find("no-rows", HTMLElement).hidden = last.length > 0;
    const spoken = rows.find((row) => row.sentAt === current);
    if (spoken !== undefined && SPOKEN.has(spoken.fate)) this.#say(spoken, phase);
  }

  /** Once: other news are told there, too, and are to be heard. @param {Standing} row @param {Phase} phase */
  #say(row, phase) {
    const text = announceFate(row.imageIndex, row, phase);
    const news = `${row.sentAt} ${text}`;
    if (news === this.#said) return;
    this.#said = news;
    setText(find("announcer", HTMLElement), text);
  }

  /** @param {Standing} row @param {Row | null} measured @param {Phase} phase */
  #renderRow(row, measured, phase) {
    const { line, picture, fate, answers, marks, trip, delay } = this.#lines.get(row.sentAt) ?? this.#add(row);
    line.dataset.fate = row.fate;
    setText(picture, row.picture === null ? "" : describePicture(row.picture));
    setText(fate, describeFate(row, phase));
    setText(answers, describeAnswers(row.responses));
    setText(marks, describeMarks(row.marks));
    const roundTrip = measured?.roundTrip ?? null;
    setText(trip, roundTrip === null ? "" : formatNumber(roundTrip));
    // From the order to the screen, as in the CSV.
    const { onsetLatency = null, onsetBound = null, onsetTiming = null } = measured ?? {};
    setText(delay, describeDelay(onsetLatency, onsetBound, onsetTiming));
  }

  /** @param {Standing} row @returns {Line} */
  #add({ imageIndex, imageUrl, sentAt }) {
    const place = make("span", { class: "place" }, String(imageIndex + 1));
    const picture = make("span", { class: "identity" });
    const head = make("th", { scope: "row" }, place, " ", nameShown(imageUrl), picture);
    const [fate, trip, delay] = [make("span", { class: "fate" }), make("td", NUMBER), make("td", NUMBER)];
    const [answers, marks] = [make("span", { class: "answers" }), make("span", { class: "marks" })];
    const line = make("tr", {}, head, make("td", {}, fate, answers, marks), trip, delay);
    this.#body.prepend(line);
    const made = { line, picture, fate, answers, marks, trip, delay };
    this.#lines.set(sentAt, made);
    return made;
  }
}

const NUMBER = { class: "number" };
