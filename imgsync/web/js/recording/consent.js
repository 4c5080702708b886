/**
 * Whether a participant may be recorded: asked before anything is asked of the browser, and until
 * there is an answer. The answer holds for the tab: a reload in the middle of a session does not ask
 * again.
 *
 * @import { Kind } from "../words/recording.js"
 *
 * @typedef {object} Answer
 * @property {boolean} isAllowed
 * @property {string | null} destination the host that gets the recordings, as they were told; null
 *   where they save them by hand
 */

import { make } from "../page/dom.js";
import { OWN } from "../words/language.js";
import { QUESTION, announceDialog, explainRecording } from "../words/recording.js";

/** @type {Answer} */
const REFUSED = { isAllowed: false, destination: null };

export class Consent {
  /** What holds on this page; nothing is allowed before they were asked. */
  #answer = REFUSED;
  #key;
  #wanted;

  /** @param {string} userId @param {readonly Kind[]} wanted */
  constructor(userId, wanted) {
    this.#key = `imgsync recording of ${userId} at ${location.pathname}: ${wanted}`;
    this.#wanted = wanted;
  }

  get isGiven() {
    return this.#answer.isAllowed;
  }

  /** The host that may get what is recorded; null for none. */
  get destination() {
    return this.#answer.destination;
  }

  /** What was answered in this tab holds again. @returns {boolean} whether there was an answer */
  recall() {
    const kept = this.#readKept();
    if (kept !== null) this.#answer = kept;
    return kept !== null;
  }

  /** They want no more of it. */
  withdraw() {
    this.#keep(REFUSED);
  }

  /**
   * Ask, until there is an answer.
   *
   * @param {HTMLElement} place
   * @param {string | null} destination the host that would get the recordings
   * @param {() => Promise<void>} open asks the browser, which may ask the participant again
   * @returns {Promise<void>} once the devices are open, or are not to be
   */
  async ask(place, destination, open) {
    const allow = make("button", { type: "button", class: "main" }, QUESTION.allow);
    const refuse = make("button", { type: "button" }, QUESTION.refuse);
    const note = make("p", { role: "status" });
    const card = make(
      "section",
      { id: "consent", class: "card", "aria-labelledby": "consent-title" },
      make("h1", { id: "consent-title" }, QUESTION.title),
      make("p", { class: "own", dir: "auto" }, OWN.consent ?? ""),
      listFacts(explainRecording(this.#wanted, destination)),
      note,
      make("div", { class: "buttons" }, allow, refuse),
    );
    // A tap on it answers, and does not fill the screen.
    card.addEventListener("click", (event) => event.stopPropagation());
    place.append(card);
    const isAllowed = await new Promise((resolve) => {
      refuse.addEventListener("click", () => resolve(false));
      allow.addEventListener("click", () => {
        allow.disabled = true;
        note.textContent = announceDialog(this.#wanted);
        void open().then(() => resolve(true));
      });
    });
    this.#keep({ isAllowed, destination });
    card.remove();
  }

  /** @returns {Answer | null} */
  #readKept() {
    try {
      const kept = sessionStorage.getItem(this.#key);
      return kept === null ? null : JSON.parse(kept);
    } catch {
      return null; // storage may be forbidden
    }
  }

  /** @param {Answer} answer */
  #keep(answer) {
    this.#answer = answer;
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(answer));
    } catch {
      // Then a reload asks again.
    }
  }
}

/** @param {Record<string, string>} facts by their headings */
function listFacts(facts) {
  const list = make("dl");
  for (const [term, text] of Object.entries(facts)) {
    list.append(make("div", {}, make("dt", {}, term), make("dd", {}, text)));
  }
  return make("div", {}, list, make("p", {}, QUESTION.free));
}
