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
import { describeDisplay, describeNotSpoken, describeWarning, sumUpDisplay } from "../words/trials.js";

export class ClientFacts {
  #section = find("facts", HTMLElement);
  #warnings = find("facts-warnings", HTMLElement);
  #fold = find("facts-fold", HTMLDetailsElement);
  #list = find("facts-list", HTMLDListElement);
  /** What is in the list. */
  #text = "";

  /** @param {Remarks | null} remarks null where there is no session @param {readonly Listed[]} images to be shown */
  render(remarks, images) {
    const { display = null, speaks = null } = remarks ?? {};
    const { frames, keys, features } = needsOf(images);
    const missing = speaks === null ? [] : features.filter((feature) => !speaks.includes(feature));
    const words = display === null ? [] : warningsOf(display, frames, keys).map((word) => describeWarning(word, display));
    const warnings = [...missing.map(describeNotSpoken), ...words];
    setText(this.#warnings, warnings.join("\n"));
    this.#section.hidden = display === null && warnings.length === 0;
    this.#fold.hidden = display === null;
    if (display === null) return;
    setText(find("facts-sum", HTMLElement), sumUpDisplay(display));
    this.#fill(describeDisplay(display));
  }

  /** @param {[string, string][]} facts */
  #fill(facts) {
    const text = JSON.stringify(facts);
    if (text === this.#text) return;
    this.#text = text;
    const items = facts.map(([name, fact]) => make("div", {}, make("dt", {}, name), make("dd", {}, fact)));
    this.#list.replaceChildren(...items);
  }
}
