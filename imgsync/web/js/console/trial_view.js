/**
 * What is asked of the client for what is current, how the participant answers it, and what the evaluator
 * notes of it.
 *
 * @import { Listed } from "./manifest.js"
 * @import { Noted } from "./marking.js"
 * @import { Presentation } from "./presentation.js"
 * @import { Standing } from "./journal.js"
 */

import { Marking } from "./marking.js";
import { find, setText } from "../page/dom.js";
import { describeAnswers, describeMarks, describeTrial } from "../words/trials.js";

export class TrialView {
  #asked = find("asked", HTMLElement);
  #answers = find("answers", HTMLElement);
  #marks = find("marks", HTMLElement);
  #marking;

  /** @param {(noted: Noted) => void} mark */
  constructor(mark) {
    this.#marking = new Marking(mark);
  }

  /**
   * @param {Listed | undefined} image that is current
   * @param {Standing | undefined} row its showing; undefined where it is not shown
   * @param {Presentation | null} presentation the session, or the last one
   */
  render(image, row, presentation) {
    setText(this.#asked, describeTrial(image?.trial));
    setText(this.#answers, describeAnswers(row?.responses ?? []));
    setText(this.#marks, describeMarks(row?.marks ?? []));
    this.#marking.render(presentation === null ? undefined : (presentation.current?.imageIndex ?? null));
  }
}
