/**
 * Who is online, and the button that starts a session with each.
 *
 * @import { Ask } from "./inviting.js"
 * @import { Phase } from "../words/console.js"
 * @import { Presence } from "../core/protocol/wire.js"
 *
 * @typedef {{item: HTMLLIElement, name: Element, state: Element, button: HTMLButtonElement}} Entry
 */

import { now } from "../peer/clock.js";
import { find, make, setText } from "../page/dom.js";
import {
  START,
  countOnline,
  describeClient,
  describeStart,
  nameOurs,
  namePresence,
} from "../words/console.js";
import { describeArrival } from "../words/console_invitation.js";
import { Arrivals } from "./arrivals.js";
import { Chime } from "./chime.js";
import { Inviting } from "./inviting.js";

export class ClientsView {
  #list = find("clients", HTMLUListElement);
  #fold = find("clients-fold", HTMLDetailsElement);
  /** Everybody who was seen: as many as the relay lets register. @type {Map<string, Presence>} */
  #known = new Map();
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #arrivals = new Arrivals();
  #chime = new Chime();
  #inviting;
  #start;
  #wasLive = false;

  /** @param {(clientId: string) => void} start @param {Ask} ask */
  constructor(start, ask) {
    this.#start = start;
    this.#inviting = new Inviting(ask);
  }

  /** @param {ReadonlyMap<string, Presence>} online */
  present(online) {
    for (const [userId, known] of this.#known) {
      if (!online.has(userId)) this.#known.set(userId, { ...known, state: "offline" });
    }
    for (const [userId, presence] of online) this.#known.set(userId, presence);
    this.#inviting.present(online);
    const came = this.#arrivals.present(online, performance.now()).at(-1);
    if (came === undefined) return;
    setText(find("came", HTMLElement), describeArrival(came, now()));
    this.#chime.ring();
  }

  /** @param {string} userId @returns {string} */
  nameOf(userId) {
    return this.#known.get(userId)?.name || userId;
  }

  focus() {
    this.#fold.querySelector("summary")?.focus();
  }

  /**
   * @param {{userId: string, phase: Phase} | null} ours with whom there is a session
   * @param {boolean} canStart
   * @param {boolean} isKnown whether the relay is there to say who is
   */
  render(ours, canStart, isKnown) {
    const isLive = ours !== null;
    // On a narrow screen it would push the images out of sight.
    if (isLive !== this.#wasLive && matchMedia("(width < 56rem)").matches) {
      this.#fold.open = !isLive;
      if (isLive) this.#inviting.fold();
    }
    this.#wasLive = isLive;
    for (const presence of this.#known.values()) {
      const { userId } = presence;
      const phase = userId === ours?.userId ? ours.phase : null;
      if (presence.state === "offline" && phase === null) this.#remove(userId);
      else fill(this.#entries.get(userId) ?? this.#add(userId), presence, phase, canStart, isKnown);
    }
    const online = [...this.#known.values()].filter(({ state }) => state !== "offline").length;
    setText(find("clients-count", HTMLElement), countOnline(online, isKnown));
    find("clients-none", HTMLElement).hidden = this.#entries.size > 0;
  }

  /** @param {string} userId */
  #remove(userId) {
    const entry = this.#entries.get(userId);
    if (entry === undefined) return;
    const hadFocus = entry.item.contains(document.activeElement);
    entry.item.remove();
    this.#entries.delete(userId);
    if (hadFocus) this.focus();
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

/**
 * @param {Entry} entry
 * @param {Presence} presence
 * @param {Phase | null} phase of our session; null for none with this one
 * @param {boolean} canStart
 * @param {boolean} isKnown
 */
function fill(entry, { userId, name, state }, phase, canStart, isKnown) {
  const isOurs = phase !== null;
  setText(entry.name, describeClient(userId, name));
  setText(entry.state, isOurs ? nameOurs(phase, state === "offline") : namePresence(state, isKnown));
  const isWell = isOurs ? phase === "open" : isKnown && state === "available";
  entry.item.dataset.mood = isWell ? "good" : isOurs || state === "busy" ? "busy" : "calm";
  const isWaiting = isKnown && state === "waiting";
  entry.button.disabled = !canStart || isWaiting;
  entry.button.hidden = isOurs;
  const label = describeStart(name || userId, isWaiting);
  entry.button.setAttribute("aria-label", label);
  entry.button.title = isWaiting ? label : "";
}
