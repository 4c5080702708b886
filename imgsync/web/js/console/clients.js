/**
 * Who is online, and the button that starts a session with each.
 *
 * @import { Presence } from "../core/protocol/wire.js"
 *
 * @typedef {{item: HTMLLIElement, name: Element, state: Element, button: HTMLButtonElement}} Entry
 */

import { find, make, setText } from "../page/dom.js";
import { START, countOnline, describeClient, describeStart, namePresence } from "../words/console.js";

export class ClientsView {
  #list = find("clients", HTMLUListElement);
  #fold = find("clients-fold", HTMLDetailsElement);
  /** Everybody who was seen: as many as the relay lets register. @type {Map<string, Presence>} */
  #known = new Map();
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #start;
  #wasLive = false;

  /** @param {(clientId: string) => void} start */
  constructor(start) {
    this.#start = start;
  }

  /** @param {ReadonlyMap<string, Presence>} online */
  present(online) {
    for (const [userId, known] of this.#known) {
      if (!online.has(userId)) this.#known.set(userId, { ...known, state: "offline" });
    }
    for (const [userId, presence] of online) this.#known.set(userId, presence);
  }

  /** @param {string} userId @returns {string} */
  nameOf(userId) {
    return this.#known.get(userId)?.name || userId;
  }

  /** @param {string} userId */
  isOnline(userId) {
    const state = this.#known.get(userId)?.state;
    return state !== undefined && state !== "offline";
  }

  focus() {
    this.#fold.querySelector("summary")?.focus();
  }

  /**
   * @param {string | null} ours with whom there is a session
   * @param {boolean} canStart
   */
  render(ours, canStart) {
    const isLive = ours !== null;
    // On a narrow screen it would push the images out of sight.
    if (isLive !== this.#wasLive && matchMedia("(width < 56rem)").matches) this.#fold.open = !isLive;
    this.#wasLive = isLive;
    for (const presence of this.#known.values()) {
      const entry = this.#entries.get(presence.userId) ?? this.#add(presence.userId);
      fill(entry, presence, presence.userId === ours, canStart);
    }
    const online = [...this.#known.values()].filter(({ state }) => state !== "offline").length;
    setText(find("clients-count", HTMLElement), countOnline(online));
    find("clients-none", HTMLElement).hidden = this.#known.size > 0;
  }

  /** @param {string} userId @returns {Entry} */
  #add(userId) {
    const name = make("span", { class: "name" });
    const state = make("span", { class: "state" });
    const button = make("button", { type: "button" }, START);
    button.addEventListener("click", () => this.#start(userId));
    const item = make("li", {}, make("span", { class: "who" }, name, state), button);
    this.#list.append(item);
    const entry = { item, name, state, button };
    this.#entries.set(userId, entry);
    return entry;
  }
}

/** @param {Entry} entry @param {Presence} presence @param {boolean} isOurs @param {boolean} canStart */
function fill(entry, { userId, name, state }, isOurs, canStart) {
  const shown = isOurs && state !== "offline" ? "ours" : state;
  setText(entry.name, describeClient(userId, name));
  setText(entry.state, namePresence(shown));
  entry.item.dataset.state = shown;
  entry.button.disabled = !canStart || state === "offline";
  entry.button.hidden = isOurs;
  entry.button.setAttribute("aria-label", describeStart(name || userId));
}
