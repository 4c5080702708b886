/**
 * The evaluator's console: who is there, what they are shown, and what becomes of it. One session at
 * a time; a reload of the page takes it up again.
 *
 * @import { Choice } from "./stage.js"
 * @import { Entrance } from "../page/entrance.js"
 * @import { Place } from "./memory.js"
 * @import { Presence, ImageSource } from "../core/protocol/wire.js"
 * @import { Route } from "../peer/route.js"
 * @import { SocketState } from "../peer/socket.js"
 */

import { now } from "../peer/clock.js";
import { Memory } from "./memory.js";
import { ConsoleView } from "./view.js";
import { isAble } from "../page/first.js";
import { REPAIR_DEADLINE } from "../core/protocol/numbers.js";
import { Journal } from "./journal.js";
import { Presentation } from "./presentation.js";
import { Selection } from "./selection.js";
import { Signalling } from "../peer/signalling.js";
import { Starting } from "./starting.js";
import { wakeOnReturn } from "../peer/waking.js";
import { INCOMPLETE, UNABLE } from "../words/console.js";

class Console {
  #memory;
  #journal;
  #signalling;
  #starting;
  #selection = new Selection();
  /** The session, or the last one. @type {Presentation | null} */
  #presentation = null;
  #view;
  /** With which the relay has closed its socket. */
  #code = 0;
  #isRenderDue = false;

  /** @param {Entrance} entrance @param {string | null} address of a manifest */
  constructor({ userId, token, relayUrl, first }, address) {
    this.#memory = new Memory(userId);
    this.#journal = new Journal(this.#memory.storage, this.#memory.recordKey);
    this.#view = new ConsoleView(userId, this.#journal, {
      start: (clientId) => {
        if (!this.#isLive) this.#starting.choose(clientId);
      },
      end: () => this.#end(),
      choose: (choice) => this.#choose(choice),
      load: (images, name) => this.#load(images, name, address),
    });
    this.#signalling = new Signalling(
      { url: relayUrl, userId, role: "evaluator", token, first },
      {
        changed: (state, code) => this.#relayChanged(state, code),
        present: (clients) => this.#present(clients),
      },
    );
    this.#starting = new Starting(this.#signalling, {
      begun: (route, before) => this.#begin(route, before),
      changed: () => this.#render(),
    });
    this.#restore(address);
    this.#journal.begin(userId, now());
    this.#signalling.start();
    wakeOnReturn(this.#signalling);
    this.#render();
  }

  get #isLive() {
    return this.#presentation !== null && !this.#presentation.isOver;
  }

  // ── over a reload ──────────────────────────────────────────────────────────────────────────────

  /** @param {string | null} address */
  #restore(address) {
    const { series, place } = this.#memory;
    if (series !== null && (address === null || series.address === address)) {
      this.#selection.load(series);
      this.#view.fill(series.images, series.name);
    } else if (address !== null) {
      this.#view.load(address);
    }
    // A browser that is opened again days later has the tab's memory still.
    const last = this.#journal.events.at(-1)?.at ?? 0;
    if (place === null || place.isOver || now() - last > REPAIR_DEADLINE * 1000) return;
    this.#starting.remember(place);
    this.#selection.index = place.index;
  }

  #keepPlace() {
    if (this.#presentation === null) return;
    const { route, current, isOver, isEnding } = this.#presentation;
    const { sessionId, peerId: clientId } = route;
    const { index } = this.#selection;
    this.#memory.keepPlace({ sessionId, clientId, current, index, isOver: isOver || isEnding });
  }

  // ── the series ─────────────────────────────────────────────────────────────────────────────────

  /** @param {ImageSource[]} images @param {string} name @param {string | null} address */
  #load(images, name, address) {
    const series = { name, address, since: now(), images };
    this.#selection.load(series);
    this.#view.fill(images, name);
    if (!this.#memory.keepSeries(series)) this.#journal.isKept = false;
    this.#presentation?.seriesChanged(images);
    this.#keepPlace();
    this.#render();
  }

  /** @param {Choice} choice */
  #choose(choice) {
    const index = this.#selection.choose(choice);
    if (index === null) return;
    // Without a session it is for the evaluator's eyes alone.
    if (this.#isLive) this.#presentation?.show(this.#selection.images, index);
    this.#render();
  }

  // ── the session ────────────────────────────────────────────────────────────────────────────────

  /** @param {Route} route @param {Place | null} before the session that was to be taken up */
  #begin(route, before) {
    const isSame = before?.sessionId === route.sessionId;
    const index = before?.index ?? null;
    this.#selection.index = index;
    const { images } = this.#selection;
    const { iceServers } = this.#signalling;
    const current = isSame ? before.current : null;
    this.#presentation = new Presentation(route, iceServers, this.#journal, current, () => {
      this.#keepPlace();
      this.#renderSoon();
    });
    // A relay that can't take a session up has begun another one.
    if (!isSame && index !== null) this.#presentation.show(images, index);
    else this.#presentation.announce(images, index);
    this.#keepPlace();
    if (before === null) this.#view.sessionBegan();
  }

  #end() {
    const before = this.#starting.forget();
    if (before !== null) this.#memory.keepPlace({ ...before, isOver: true });
    void this.#presentation?.end();
    this.#render();
  }

  // ── the relay ──────────────────────────────────────────────────────────────────────────────────

  /** @param {SocketState} state @param {number} code */
  #relayChanged(state, code) {
    this.#code = code;
    this.#takeUp();
    this.#renderSoon();
  }

  /** @param {ReadonlyMap<string, Presence>} clients */
  #present(clients) {
    this.#view.present(clients);
    this.#takeUp();
    this.#renderSoon();
  }

  #takeUp() {
    this.#starting.takeUp((clientId) => this.#view.isOnline(clientId));
  }

  // ── what is seen ───────────────────────────────────────────────────────────────────────────────

  /** Many things that happen at once are drawn once. */
  #renderSoon() {
    if (this.#isRenderDue) return;
    this.#isRenderDue = true;
    setTimeout(() => this.#render());
  }

  #render() {
    this.#isRenderDue = false;
    const { images, index, since } = this.#selection;
    const { awaited, trouble } = this.#starting;
    this.#view.render({
      relay: this.#signalling.state,
      code: this.#code,
      presentation: this.#presentation,
      awaited,
      trouble: trouble || (this.#presentation?.trouble ?? ""),
      images,
      index,
      since,
    });
  }
}

/** @param {Entrance} entrance */
export function begin(entrance) {
  if (!isAble) ConsoleView.showStopped(UNABLE);
  else if (entrance.userId === "") ConsoleView.showStopped(INCOMPLETE);
  else new Console(entrance, new URL(location.href).searchParams.get("manifest"));
}
