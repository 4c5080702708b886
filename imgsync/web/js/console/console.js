/**
 * The evaluator's console: who is there, what they are shown, and what becomes of it. One session at
 * a time; a reload of the page takes it up again.
 *
 * @import { Choice } from "./stage.js"
 * @import { Place, Series } from "./memory.js"
 * @import { Presence, ImageSource } from "../core/protocol/wire.js"
 * @import { Route } from "../peer/route.js"
 * @import { SocketState } from "../peer/socket.js"
 */

import { now } from "../peer/clock.js";
import { Memory } from "./memory.js";
import { ConsoleView } from "./view.js";
import { enter } from "../page/entrance.js";
import { REPAIR_DEADLINE } from "../core/protocol/numbers.js";
import { Presentation } from "./presentation.js";
import { SessionRecord } from "./record.js";
import { Signalling } from "../peer/signalling.js";
import { RelayError } from "../peer/starting.js";
import { wakeOnReturn } from "../peer/waking.js";
import { describeTrouble } from "../words/console.js";

class Console {
  #memory;
  #record;
  #signalling;
  #view;
  /** @type {Presentation | null} */
  #presentation = null;
  /** @type {Series | null} */
  #series = null;
  /** What is current of the series. @type {number | null} */
  #index = null;
  /** A session of the page before this one, which is to be taken up. @type {Place | null} */
  #before = null;
  /** With whom a session is being started. @type {string | null} */
  #starting = null;
  #trouble = "";
  #code = 0;
  #isRenderDue = false;

  /** @param {import("../page/entrance.js").Entrance} entrance @param {string | null} address of a manifest */
  constructor({ userId, token, relayUrl }, address) {
    this.#memory = new Memory(userId);
    this.#record = new SessionRecord(this.#memory.storage, this.#memory.recordKey);
    this.#view = new ConsoleView(userId, this.#record, {
      start: (clientId) => this.#choosePeer(clientId),
      end: () => this.#end(),
      choose: (choice) => this.#choose(choice),
      take: (images, name) => this.#take(images, name, address),
    });
    this.#restore(address);
    this.#record.begin(userId, now());
    this.#signalling = new Signalling(
      { url: relayUrl, userId, role: "evaluator", token },
      {
        changed: (state, code) => this.#relayChanged(state, code),
        present: (clients) => this.#present(clients),
      },
    );
    this.#signalling.start();
    wakeOnReturn(this.#signalling);
    this.#render();
  }

  get #images() {
    return this.#series?.images ?? [];
  }

  get #isLive() {
    return this.#presentation !== null && !this.#presentation.isOver;
  }

  // ── over a reload ──────────────────────────────────────────────────────────────────────────────

  /** @param {string | null} address */
  #restore(address) {
    const { series, place } = this.#memory;
    if (series !== null && (address === null || series.address === address)) this.#put(series);
    else if (address !== null) this.#view.load(address);
    // A browser that is opened again days later has the tab's memory still.
    const last = this.#record.events.at(-1)?.at ?? 0;
    if (place === null || place.isOver || now() - last > REPAIR_DEADLINE * 1000) return;
    this.#before = place;
    this.#index = place.index;
  }

  #keepPlace() {
    if (this.#presentation === null) return;
    const { route, current, isOver, isEnding } = this.#presentation;
    const { sessionId, peerId: clientId } = route;
    const index = this.#index;
    this.#memory.keepPlace({ sessionId, clientId, current, index, isOver: isOver || isEnding });
  }

  // ── the series ─────────────────────────────────────────────────────────────────────────────────

  /** @param {ImageSource[]} images @param {string} name @param {string | null} address */
  #take(images, name, address) {
    const series = { name, address, since: now(), images };
    this.#put(series);
    if (!this.#memory.keepSeries(series)) this.#record.isKept = false;
    this.#index = null;
    this.#presentation?.seriesChanged(images);
    this.#keepPlace();
    this.#render();
  }

  /** @param {Series} series */
  #put(series) {
    this.#series = series;
    this.#view.fill(series.images, series.name);
  }

  /** @param {Choice} choice */
  #choose(choice) {
    const index = indexOf(choice, this.#index, this.#images.length);
    if (index === null) return;
    this.#index = index;
    // Without a session it is for the evaluator's eyes alone.
    if (this.#isLive) this.#presentation?.show(this.#images, index);
    this.#render();
  }

  // ── the session ────────────────────────────────────────────────────────────────────────────────

  /** @param {string} clientId */
  #choosePeer(clientId) {
    if (this.#before?.clientId !== clientId) this.#before = null;
    void this.#start(clientId);
  }

  /** @param {string} clientId */
  async #start(clientId) {
    if (this.#starting !== null || this.#isLive) return;
    this.#starting = clientId;
    this.#trouble = "";
    this.#render();
    const before = this.#before;
    try {
      this.#begin(await this.#signalling.startSession(clientId, before?.sessionId ?? null), before);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      if (before === null || !error.mayPass) {
        this.#before = null;
        this.#trouble = describeTrouble(error.code, error.message);
      }
    } finally {
      this.#starting = null;
      this.#render();
    }
  }

  /** @param {Route} route @param {Place | null} before the session that was to be taken up */
  #begin(route, before) {
    const isSame = before?.sessionId === route.sessionId;
    const index = before?.index ?? null;
    this.#before = null;
    this.#index = index;
    const { iceServers } = this.#signalling;
    const current = isSame ? before.current : null;
    this.#presentation = new Presentation(route, iceServers, this.#record, current, () => {
      this.#keepPlace();
      this.#renderSoon();
    });
    // A relay that can't take a session up has begun another one.
    if (!isSame && index !== null) this.#presentation.show(this.#images, index);
    else this.#presentation.announce(this.#images, index);
    this.#keepPlace();
    if (before === null) this.#view.sessionBegan();
  }

  #end() {
    if (this.#before !== null) {
      this.#memory.keepPlace({ ...this.#before, isOver: true });
      this.#before = null;
    }
    void this.#presentation?.end();
    this.#render();
  }

  /** The page before this one has left a session: take it up, as soon as that can be. */
  #takeUp() {
    const clientId = this.#before?.clientId;
    if (clientId === undefined || this.#signalling.state !== "up") return;
    if (this.#view.isOnline(clientId)) void this.#start(clientId);
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

  // ── what is seen ───────────────────────────────────────────────────────────────────────────────

  /** Many things that happen at once are drawn once. */
  #renderSoon() {
    if (this.#isRenderDue) return;
    this.#isRenderDue = true;
    setTimeout(() => this.#render());
  }

  #render() {
    this.#isRenderDue = false;
    this.#view.render({
      relay: this.#signalling.state,
      code: this.#code,
      presentation: this.#presentation,
      awaited: this.#before?.clientId ?? this.#starting,
      trouble: this.#trouble,
      images: this.#images,
      index: this.#index,
      since: this.#series?.since ?? 0,
    });
  }
}

/** @param {Choice} choice @param {number | null} current @param {number} count */
function indexOf(choice, current, count) {
  const here = current ?? -1;
  const places = { next: here + 1, previous: here - 1, first: 0, last: count - 1 };
  const index = typeof choice === "number" ? choice : places[choice];
  return Number.isInteger(index) && index >= 0 && index < count ? index : null;
}

const entrance = enter();
if (entrance.userId === "") ConsoleView.sayIncomplete();
else new Console(entrance, new URL(location.href).searchParams.get("manifest"));
