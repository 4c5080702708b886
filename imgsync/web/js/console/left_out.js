/**
 * The files that were left out, by what is the matter with them, so that three hundred of one kind are
 * one thing to read and to do.
 *
 * @import { LeftOut } from "./picture_files.js"
 */

import { describeGroup, describeLeftOut } from "../words/pictures.js";
import { find, make, setText } from "../page/dom.js";

export class LeftOutView {
  #fold = find("left-out", HTMLDetailsElement);
  #list = find("left-out-list", HTMLElement);

  /** @param {readonly LeftOut[]} leftOut @param {boolean} [isOpen] */
  render(leftOut, isOpen = false) {
    this.#fold.hidden = leftOut.length === 0;
    this.#fold.open = isOpen;
    setText(find("left-out-count", HTMLElement), describeLeftOut(leftOut.length));
    /** @type {Map<string, LeftOut[]>} */
    const groups = new Map();
    for (const one of leftOut) {
      const key = `${one.why}\n${one.todo}`;
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push(one);
    }
    this.#list.replaceChildren(...[...groups.values()].flatMap(makeGroup));
  }
}

/** @param {readonly LeftOut[]} group of at least one */
function makeGroup(group) {
  const [{ why, todo }] = /** @type {[LeftOut, ...LeftOut[]]} */ (group);
  const names = group.map(({ name }) => make("li", {}, name));
  return [make("p", {}, describeGroup({ why, todo }, group.length)), make("ul", { role: "list" }, ...names)];
}
