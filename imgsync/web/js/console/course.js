/**
 * How far what is shown has come with what is asked of the client, for a series that goes on by itself: as
 * `imgsync/commands/evaluator/course.py`. It decides and does nothing; times are milliseconds of one clock.
 *
 * @import { PresenterOutput } from "../core/channel/presenter.js"
 * @import { Trial } from "../core/protocol/wire.js"
 */

import { HIDDEN_TAB } from "../core/protocol/numbers.js";
import { Entry } from "../core/study/running.js";

export class Course {
  /** Whether nobody looks at the client's page, by what it has said last. */
  isUnseen = false;
  /** What is shown. @type {{imageUrl: string, sentAt: number, trial: Trial, isAnswered: boolean} | null} */
  #shown = null;
  /** Null until the client says something of it: then it is known what the client speaks. @type {Entry | null} */
  #entry = null;
  #spoken;

  /** @param {() => readonly string[]} spoken what the client says that it speaks */
  constructor(spoken) {
    this.#spoken = spoken;
  }

  /**
   * This is shown from now on.
   *
   * @param {string} imageUrl
   * @param {number} sentAt
   * @param {Trial} [trial] what is asked
   * @param {boolean} [isAnswered] whether a page before this one has heard an answer to it
   */
  begin(imageUrl, sentAt, trial = {}, isAnswered = false) {
    this.#shown = { imageUrl, sentAt, trial, isAnswered };
    this.#entry = null;
  }

  /** This was to be shown, and can't be sent to this client. @param {string} imageUrl @param {number} now */
  refuse(imageUrl, now) {
    this.begin(imageUrl, NaN);
    this.#begun(now)?.refused();
  }

  /** Whether this is what is shown, or was to be shown last. @param {string} imageUrl */
  isOf(imageUrl) {
    return this.#shown?.imageUrl === imageUrl;
  }

  /** Whether to go on. */
  get isOver() {
    return this.#entry?.isOver ?? false;
  }

  /** When to call `tick`. */
  get due() {
    return this.#entry?.due ?? Infinity;
  }

  /** `due` has come. @param {number} now */
  tick(now) {
    this.#entry?.tick(now);
  }

  /** What was found of what is shown. @param {PresenterOutput} found @param {number} now */
  heed(found, now) {
    if (!("image" in found) || found.image.sentAt !== this.#shown?.sentAt) return;
    switch (found.kind) {
      case "acked":
        this.#begun(now);
        break;
      case "responded":
        this.#begun(now)?.responded();
        break;
      case "tooLarge":
      case "unsendable":
        this.#begun(now)?.refused();
        break;
      case "staged":
        if (found.stage !== "fetched") this.isUnseen = found.reason === HIDDEN_TAB;
        this.#begun(now)?.staged(found.stage, found.reason ?? undefined, now);
    }
  }

  /** @param {number} now */
  #begun(now) {
    if (this.#shown !== null && this.#entry === null) {
      this.#entry = new Entry(this.#shown.trial, this.#spoken(), now);
      if (this.#shown.isAnswered) this.#entry.responded();
    }
    return this.#entry;
  }
}
