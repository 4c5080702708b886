/**
 * When a study that runs by itself goes on to its next entry; core/study/running.py says by which rules.
 *
 * @import { Trial } from "../protocol/wire.js"
 */

import {
  EXPOSURE_OVER,
  FEATURE_EXPOSURE,
  FEATURE_RESPONSE,
  FEATURE_SIZE,
  FEATURE_STAGE,
  FEATURE_TEXT,
  HIDDEN_TAB,
  SUPERSEDED,
  USUAL_REFRESH,
} from "../protocol/numbers.js";
import { asksSize } from "./sizes.js";

/**
 * Milliseconds that an image is asked to be up, where a frame is one of 60 Hz.
 *
 * @param {Trial} trial
 * @returns {number | undefined}
 */
export function exposureOf({ showFor, frames }) {
  return frames === undefined ? showFor : (1000 * frames) / USUAL_REFRESH;
}

/** @param {Trial} trial */
function asksForAnswer(trial) {
  return trial.respond !== undefined || (trial.text !== undefined && exposureOf(trial) === undefined);
}

/**
 * Whether something can end it: its time, an answer that does, or any answer to a text.
 *
 * @param {Trial | undefined} trial
 * @returns {boolean}
 */
export function endsByItself(trial) {
  if (trial === undefined) return false;
  return trial.respond?.ends === true || trial.text !== undefined || exposureOf(trial) !== undefined;
}

/**
 * Which extensions a client has to speak for all of these.
 *
 * @param {(Trial | undefined)[]} trials
 * @returns {string[]}
 */
export function needsOf(trials) {
  const asked = trials.filter((trial) => trial !== undefined);
  const needs = [];
  if (asked.some((one) => exposureOf(one) !== undefined)) needs.push(FEATURE_EXPOSURE);
  if (asked.some(asksForAnswer)) needs.push(FEATURE_RESPONSE);
  if (asked.some((one) => one.text !== undefined)) needs.push(FEATURE_TEXT);
  if (asked.some(asksSize)) needs.push(FEATURE_SIZE);
  return needs;
}

/** One entry of a study, from when it is to be shown. Times are ms on one clock of ours. */
export class Entry {
  #exposure;
  #isTimedHere;
  #awaitsAnswer;
  #ends;
  #isAnswered = false;
  #isExposed = false;
  #hasFailed = false;
  /** When to call `tick`. */
  due = Infinity;

  /**
   * @param {Trial} trial what is asked; something ends it
   * @param {readonly string[]} spoken what the client says that it speaks
   * @param {number} now
   */
  constructor(trial, spoken, now) {
    const tellsStages = spoken.includes(FEATURE_STAGE);
    this.#exposure = exposureOf(trial);
    this.#isTimedHere = !(tellsStages && spoken.includes(FEATURE_EXPOSURE));
    this.#awaitsAnswer = asksForAnswer(trial) && spoken.includes(FEATURE_RESPONSE);
    this.#ends = trial.text !== undefined || trial.respond?.ends === true;
    if (!tellsStages) this.#beginExposure(now);
  }

  /** Whether to go on. */
  get isOver() {
    const isEnough = this.#isExposed && (this.#isAnswered || !this.#awaitsAnswer);
    return this.#hasFailed || isEnough || (this.#isAnswered && this.#ends);
  }

  /**
   * The client tells a stage of it: whether to go on.
   *
   * @param {string} stage
   * @param {string | undefined} reason
   * @param {number} now
   */
  staged(stage, reason, now) {
    if (stage === "shown" && this.#isTimedHere) this.#beginExposure(now);
    else if (stage === "hidden" && reason === EXPOSURE_OVER) this.#isExposed = true;
    else if (stage === "hidden" && !this.#isTimedHere && this.#exposure !== undefined) this.#cutShort(reason, now);
    else if (stage === "failed" && reason !== HIDDEN_TAB && reason !== SUPERSEDED) this.#hasFailed = true;
    return this.isOver;
  }

  /** The participant has answered it: whether to go on. */
  responded() {
    this.#isAnswered = true;
    return this.isOver;
  }

  /** It can't be sent to this client: whether to go on. */
  refused() {
    this.#hasFailed = true;
    return this.isOver;
  }

  /** `due` has come: whether to go on. @param {number} now */
  tick(now) {
    if (now >= this.due) {
      this.#isExposed = true;
      this.due = Infinity;
    }
    return this.isOver;
  }

  /** @param {string | undefined} reason @param {number} now */
  #cutShort(reason, now) {
    if (reason === HIDDEN_TAB) this.#hasFailed = true;
    else this.#beginExposure(now);
  }

  /** @param {number} now */
  #beginExposure(now) {
    if (this.#exposure !== undefined && this.due === Infinity && !this.#isExposed) {
      this.due = now + this.#exposure;
    }
  }
}
