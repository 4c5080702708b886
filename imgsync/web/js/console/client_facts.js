/**
 * What the client shows images on, as it says itself, and what of that may be in the way of what is to be
 * shown.
 *
 * @import { Listed } from "./manifest.js"
 * @import { Remarks } from "./remarks.js"
 */

import { needsOf } from "./needs.js";
import { warningsOf } from "../core/study/displays.js";
import { find, make, setText } from "../page/dom.js";
import { warnOfCheck } from "../words/console_check.js";
import { describeDisplay, describeNotSpoken, describeWarning, sumUpDisplay } from "../words/trials.js";

export class ClientFacts {
  #section = find("facts", HTMLElement);
  #warnings = find("facts-warnings", HTMLUListElement);
  #fold = find("facts-fold", HTMLDetailsElement);
  #list = find("facts-list", HTMLDListElement);
  /** What is in the lists, as nothing is to be read out twice. */
  #told = { warnings: "", facts: "" };

  /** @param {Remarks | null} remarks null where there is no session @param {readonly Listed[]} images to be shown */
  render(remarks, images) {
    const { display = null, speaks = null } = remarks ?? {};
    const { screen, features } = needsOf(images);
    const missing = speaks === null ? [] : features.filter((feature) => !speaks.includes(feature));
    const words = display === null ? [] : warningsOf(display, screen).map((word) => describeWarning(word, display));
    const before = display === null ? [] : warnOfCheck(display);
    const warnings = [...missing.map(describeNotSpoken), ...words, ...before];
    this.#warn(warnings);
    this.#section.hidden = display === null && warnings.length === 0;
    this.#fold.hidden = display === null;
    if (display === null) return;
    setText(find("facts-sum", HTMLElement), sumUpDisplay(display));
    this.#fill(describeDisplay(display));
  }

  /** @param {readonly string[]} warnings */
  #warn(warnings) {
    const text = JSON.stringify(warnings);
    if (text === this.#told.warnings) return;
    this.#told.warnings = text;
    this.#warnings.replaceChildren(...warnings.map((warning) => make("li", {}, warning)));
  }

  /** @param {[string, string][]} facts */
  #fill(facts) {
    const text = JSON.stringify(facts);
    if (text === this.#told.facts) return;
    this.#told.facts = text;
    const items = facts.map(([name, fact]) => make("div", {}, make("dt", {}, name), make("dd", {}, fact)));
    this.#list.replaceChildren(...items);
  }
}
