/**
 * The button by which a study goes on by itself, pauses and continues, its key, and how it stands.
 *
 * @import { Presentation } from "./presentation.js"
 * @import { Series } from "./own_page.js"
 * @import { GoingState } from "../words/going.js"
 */

import { endlessIn } from "./going.js";
import { keyed } from "./keys.js";
import { find, setText } from "../page/dom.js";
import { countShown, describeEndless, describeGoing, describeOrder, nameGo } from "../words/going.js";

const KEYS = { g: true };

export class GoingView {
  #box = find("going", HTMLElement);
  #button = find("go", HTMLButtonElement);

  /** @param {() => void} toggle */
  constructor(toggle) {
    this.#button.addEventListener("click", toggle);
    addEventListener("keydown", (event) => {
      if (this.#box.offsetParent === null || keyed(KEYS, event) === undefined) return;
      event.preventDefault();
      if (!event.repeat) toggle();
    });
  }

  /**
   * @param {Series | null} series
   * @param {number | null} index of what is current
   * @param {Presentation | null} presentation the session, or the last one
   * @param {GoingState} state
   */
  render(series, index, presentation, state) {
    const images = series?.images ?? [];
    const endless = endlessIn(images);
    const isLive = presentation !== null && !presentation.isOver;
    setText(find("order", HTMLElement), series?.study ? describeOrder(series.study) : "");
    // A plain list of images asks for nothing that ends.
    this.#box.hidden = endless.length === images.length;
    setText(this.#button, nameGo(state));
    this.#button.setAttribute("aria-disabled", String(!isLive || endless.length > 0 || state === "through"));
    const phase = isLive ? presentation.phase : "over";
    const isUnseen = isLive && presentation.course.isUnseen;
    const said = endless.length > 0 ? describeEndless(endless) : describeGoing(state, phase, isUnseen);
    setText(find("go-said", HTMLElement), said);
    const isCounted = index !== null && (state === "going" || state === "paused");
    setText(find("go-count", HTMLElement), isCounted ? countShown(index, images.length) : "");
  }
}
