/**
 * What a client says of itself: how its participant is recorded, what it shows images on, how many of
 * those that were announced are there. Each is said as a whole, and again on each channel; what is no
 * news is told to nobody.
 *
 * @import { ChannelMessage, Display, Preloaded } from "../protocol/wire.js"
 *
 * @typedef {{kind: "counted", said: Preloaded}
 *   | {kind: "recorded", devices: string[], troubles: string[], at: number}
 *   | {kind: "displayed", said: Display}} Said
 */

import { MAX_DISPLAYS, MAX_RECORDINGS } from "../protocol/numbers.js";

/** What it says of one thing. */
class Changes {
  #last = "";
  #left;

  /** @param {number} most so many changes are listened to */
  constructor(most) {
    this.#left = most;
  }

  /** Whether it has not said this before, and has not changed too often. @param {object} said as it was read */
  isNews(said) {
    const text = JSON.stringify(said);
    if (text === this.#last || this.#left === 0) return false;
    this.#last = text;
    this.#left -= 1;
    return true;
  }
}

export class About {
  #recordings = new Changes(MAX_RECORDINGS);
  #displays = new Changes(MAX_DISPLAYS);

  /** @param {ChannelMessage} message @returns {Said[]} */
  heard(message) {
    if (!("type" in message)) return [];
    switch (message.type) {
      case "preloaded":
        return [{ kind: "counted", said: message }];
      case "recording": {
        const { devices, troubles, at } = message;
        return this.#recordings.isNews(message) ? [{ kind: "recorded", devices, troubles, at }] : [];
      }
      case "display":
        return this.#displays.isNews(message) ? [{ kind: "displayed", said: message }] : [];
      default:
        return [];
    }
  }
}
