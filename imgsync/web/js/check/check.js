/**
 * The page that looks whether this device can take part in a session, before there is one.
 *
 * @import { Finding, Subject } from "../core/check/findings.js"
 * @import { Kind } from "../words/recording.js"
 * @import { Examined } from "./examination.js"
 */

import { SUBJECTS, sumUp } from "../core/check/findings.js";
import { judgeDevice } from "../core/check/judging.js";
import { keepCheck } from "../page/checked.js";
import { find, setText } from "../page/dom.js";
import { now } from "../peer/clock.js";
import { nameTrying } from "../words/check.js";
import { say } from "../words/language.js";
import { tryDevices } from "./devices.js";
import { examine } from "./examination.js";
import { View } from "./view.js";

export class Check {
  #view = new View();
  #examined;
  #kinds;
  #again = find("again", HTMLButtonElement);
  #try = find("try", HTMLButtonElement);
  /** What was found of each. @type {Map<Subject, Finding>} */
  #findings = new Map();

  /** @param {Examined} examined @param {readonly Kind[]} kinds of devices that the session records with */
  constructor(examined, kinds) {
    this.#examined = examined;
    this.#kinds = kinds;
    this.#try.hidden = kinds.length === 0;
    setText(this.#try, nameTrying(kinds));
    this.#again.addEventListener("click", () => void this.examine());
    this.#try.addEventListener("click", () => void this.#tryDevices());
  }

  async examine() {
    const isTapped = (/** @type {Subject} */ one) => one === "camera" || one === "microphone";
    const looked = SUBJECTS.filter((one) => !isTapped(one) || this.#kinds.some((kind) => kind === one));
    this.#findings.clear();
    this.#view.begin(looked, looked.filter(isTapped));
    await this.#while(examine(this.#examined, (finding) => this.#tell(finding)));
  }

  async #tryDevices() {
    this.#view.working(say("check.allow"));
    const listening = () => this.#view.working(say("check.speak"));
    const tried = tryDevices(this.#kinds, listening);
    await this.#while(tried);
    for (const [kind, found] of await tried) this.#tell(judgeDevice(kind, found));
    this.#sumUp();
  }

  /** @param {Promise<unknown>} work during which nothing else is begun */
  async #while(work) {
    this.#again.disabled = this.#try.disabled = true;
    try {
      await work;
      this.#sumUp();
    } catch (error) {
      this.#view.unfinished();
      throw error;
    } finally {
      this.#again.disabled = this.#try.disabled = false;
    }
  }

  /** @param {Finding} finding */
  #tell(finding) {
    this.#findings.set(finding.subject, finding);
    this.#view.tell(finding);
  }

  #sumUp() {
    const summary = sumUp(SUBJECTS.flatMap((subject) => this.#findings.get(subject) ?? []));
    keepCheck({ at: now(), found: summary.found });
    this.#view.sumUp(summary);
  }
}
