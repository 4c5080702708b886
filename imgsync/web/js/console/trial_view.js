/**
 * What is asked of the client for what is current, how the participant answers it, and what the evaluator
 * notes of it; and whether the series goes on by itself when that has come.
 *
 * @import { Listed } from "./manifest.js"
 * @import { Noted } from "./marking.js"
 * @import { Presentation } from "./presentation.js"
 * @import { Series } from "./own_page.js"
 * @import { Standing } from "./journal.js"
 * @import { GoingState } from "../words/going.js"
 */

import { GoingView } from "./going_view.js";
import { Marking } from "./marking.js";
import { find, setText } from "../page/dom.js";
import { describeAnswers, describeMarks, describeTrial } from "../words/trials.js";

export class TrialView {
  #asked = find("asked", HTMLElement);
  #answers = find("answers", HTMLElement);
  #marks = find("marks", HTMLElement);
  #marking;
  #going;

  /** @param {(noted: Noted) => void} mark @param {() => void} go on by itself, or pause */
  constructor(mark, go) {
    this.#marking = new Marking(mark);
    this.#going = new GoingView(go);
  }

  /**
   * @param {Series | null} series
   * @param {number | null} index of what is current
   * @param {Standing | undefined} row its showing; undefined where it is not shown
   * @param {Presentation | null} presentation the session, or the last one
   * @param {GoingState} state
   */
  render(series, index, row, presentation, state) {
    /** @type {Listed | undefined} */
    const image = index === null ? undefined : series?.images[index];
    this.#going.render(series, index, presentation, state);
    setText(this.#asked, describeTrial(image?.trial));
    setText(this.#answers, describeAnswers(row?.responses ?? []));
    setText(this.#marks, describeMarks(row?.marks ?? []));
    this.#marking.render(presentation === null ? undefined : (presentation.current?.imageIndex ?? null));
  }
}
