/**
 * The question whether a participant may be recorded, before anything is asked of the browser. The
 * answer holds for the tab: a reload in the middle of a session does not ask again.
 *
 * @import { Kind } from "../words/recording.js"
 *
 * @typedef {object} Answer
 * @property {boolean} isAllowed
 * @property {string | null} destination the host that gets the recordings, as they were told; null
 *   where they save them by hand
 */

import { make } from "../page/dom.js";
import { hostOf } from "./destination.js";
import { listed } from "../words/recording.js";

/** @type {Record<string, string>} */
const CONTENTS = {
  camera: "Your picture, by the camera of this device, without sound.",
  microphone: "Your voice, by the microphone of this device.",
  both: "Your picture and your voice, by this device’s camera and microphone.",
};

export class Consent {
  /** @type {Answer | null} */
  #answer = null;
  #key;
  #wanted;

  /** @param {string} userId @param {readonly Kind[]} wanted */
  constructor(userId, wanted) {
    this.#key = `imgsync recording of ${userId} at ${location.pathname}: ${wanted}`;
    this.#wanted = wanted;
  }

  /** @returns {Answer | null} what was answered in this tab; null for nothing yet */
  get answer() {
    try {
      const kept = sessionStorage.getItem(this.#key);
      if (kept !== null) return JSON.parse(kept);
    } catch {
      // Storage may be forbidden.
    }
    return this.#answer;
  }

  set answer(answer) {
    this.#answer = answer;
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(answer));
    } catch {
      // Then a reload asks again.
    }
  }

  /**
   * Ask, until there is an answer.
   *
   * @param {HTMLElement} place
   * @param {string | null} url where recordings are posted
   * @param {() => Promise<void>} open asks the browser, which may ask the participant again
   * @returns {Promise<Answer>} once the devices are open, or are not to be
   */
  async ask(place, url, open) {
    const destination = hostOf(url);
    const allow = make("button", { type: "button", class: "main" }, "Allow recording");
    const refuse = make("button", { type: "button" }, "Take part without recording");
    const note = make("p", { role: "status" });
    const card = make(
      "section",
      { id: "consent", class: "card", "aria-labelledby": "consent-title" },
      make("h1", { id: "consent-title" }, "May this study record you?"),
      this.#explain(destination),
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
        note.textContent = `If your browser now asks whether this page may use your ${listed(this.#wanted)}, please allow it there.`;
        void open().then(() => resolve(true));
      });
    });
    const answer = { isAllowed, destination };
    this.answer = answer;
    card.remove();
    return answer;
  }

  /** @param {string | null} destination */
  #explain(destination) {
    const [kind = "camera", other] = this.#wanted;
    const where =
      destination === null
        ? "On this device. You can save them after the session; nobody gets them unless you hand them on."
        : `To the server of this study, ${destination}. Until it has them, they are kept on this device.`;
    const devices = listed(this.#wanted);
    const verb = other === undefined ? "is" : "are";
    const facts = {
      What: CONTENTS[other === undefined ? kind : "both"] ?? "",
      When: `While an image is shown, and not in between. The ${devices} ${verb} switched off when the session ends.`,
      Sign: "None on this page while an image is shown. Your device may have a light of its own.",
      Where: where,
    };
    const list = make("dl");
    for (const [term, text] of Object.entries(facts)) {
      list.append(make("div", {}, make("dt", {}, term), make("dd", {}, text)));
    }
    const free = "You may take part without it, and can stop it whenever no image is shown.";
    return make("div", {}, list, make("p", {}, free));
  }
}
