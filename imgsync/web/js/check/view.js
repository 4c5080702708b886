/**
 * What the page shows: a line for each thing that is looked at, and the sum of all.
 *
 * @import { Finding, Subject, Summary } from "../core/check/findings.js"
 */

import { find, make, setText } from "../page/dom.js";
import { describeFinding, describePending, describeSum, nameLevel, nameSubject } from "../words/check.js";
import { say } from "../words/language.js";
import { CODES } from "../core/check/findings.js";

export class View {
  #list = find("findings", HTMLElement);
  #sum = find("sum", HTMLElement);
  #hint = find("sum-hint", HTMLElement);
  #told = find("told", HTMLElement);

  /** @param {readonly Subject[]} subjects that are looked at @param {readonly Subject[]} tapped those that wait for a tap */
  begin(subjects, tapped) {
    this.#list.replaceChildren(...subjects.map((subject) => makeLine(subject)));
    for (const subject of tapped) fill(line(subject), "pending", describePending(), "", "");
    this.working(say("check.running"));
  }

  /** @param {string} text what goes on */
  working(text) {
    this.#say("working", text, "");
  }

  /** What was found so far stays. */
  unfinished() {
    this.#say("careful", say("check.unfinished"), say("check.unfinishedHint"));
  }

  /** @param {Finding} finding */
  tell(finding) {
    const { text, hint } = describeFinding(finding);
    fill(line(finding.subject), finding.level, text, hint, CODES.get(finding.word) ?? "");
  }

  /** @param {Summary} summary */
  sumUp(summary) {
    const { text, hint } = describeSum(summary);
    this.#say(summary.level, text, hint);
    setText(this.#told, say("check.told"));
  }

  /** @param {Summary["level"] | "working"} state @param {string} text @param {string} hint */
  #say(state, text, hint) {
    document.body.dataset.state = state;
    setText(this.#sum, text);
    setText(this.#hint, hint);
    setText(this.#told, "");
  }
}

/** @param {Subject} subject */
function makeLine(subject) {
  return make(
    "li",
    { id: `finding-${subject}`, "data-level": "pending" },
    make("span", { class: "mark", "aria-hidden": "true" }),
    make("h2", {}, nameSubject(subject)),
    make("p", { class: "level" }, nameLevel("pending")),
    make("p", { class: "what" }),
    make("p", { class: "do" }),
    make("p", { class: "code" }),
  );
}

/** @param {Subject} subject */
function line(subject) {
  return find(`finding-${subject}`, HTMLElement);
}

/**
 * @param {HTMLElement} item
 * @param {Finding["level"] | "pending"} level
 * @param {string} text
 * @param {string} hint
 * @param {string} code
 */
function fill(item, level, text, hint, code) {
  item.dataset.level = level;
  const texts = { level: nameLevel(level), what: text, do: hint, code };
  for (const [part, said] of Object.entries(texts)) {
    const element = item.querySelector(`.${part}`);
    if (element !== null) setText(element, said);
  }
}
