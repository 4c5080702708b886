/**
 * The evaluator's console: who is there, what they are shown, and what becomes of it. One session at
 * a time; a reload of the page takes it up again.
 *
 * @import { Choice } from "./stage.js"
 * @import { Entrance } from "../page/entrance.js"
 * @import { Place } from "./memory.js"
 * @import { Presence } from "../core/protocol/wire.js"
 * @import { Series } from "./memory.js"
 * @import { Shown } from "../core/channel/presenter.js"
 * @import { Route } from "../peer/route.js"
 * @import { SocketState } from "../peer/socket.js"
 */

import { now } from "../peer/clock.js";
import { Memory } from "./memory.js";
import { ConsoleView } from "./view.js";
import { enter } from "../page/entrance.js";
import { REPAIR_DEADLINE } from "../core/protocol/numbers.js";
import { Journal } from "./journal.js";
import { Presentation } from "./presentation.js";
import { Selection } from "./selection.js";
import { Signalling } from "../peer/signalling.js";
import { Starting } from "./starting.js";
import { wakeOnReturn } from "../peer/waking.js";

/** How old a list of images is, is told in minutes. */
const AGE_MS = 60_000;

class Console {
  #memory;
  #journal;
  #signalling;
  #starting;
  #selection = new Selection({
    changed: (series, isNew) => this.#seriesChanged(series, isNew),
    complain: (why) => this.#view.complain(why),
  });
  /** Whether what is current was chosen while a session was being started. */
  #isChosen = false;
  /** The session, or the last one. @type {Presentation | null} */
  #presentation = null;
  #view;
  #code = 0; // with which the relay has closed its socket
  #isRenderDue = false;

  /** @param {Entrance} entrance @param {string | null} address of a manifest */
  constructor({ userId, token, relayUrl }, address) {
    this.#memory = new Memory(userId);
    this.#journal = new Journal(this.#memory.storage, this.#memory.recordKey);
    this.#view = new ConsoleView(userId, this.#journal, {
      start: (clientId) => this.#start(clientId),
      end: () => this.#end(),
      choose: (choice) => this.#choose(choice),
      load: (loaded) => this.#selection.load(loaded, address, this.#isLive),
    });
    this.#signalling = new Signalling(
      { url: relayUrl, userId, role: "evaluator", token },
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
    setInterval(() => this.#renderSoon(), AGE_MS);
    this.#render();
  }

  get #isLive() {
    return this.#presentation !== null && !this.#presentation.isOver;
  }

  /** Whether what is current never came to be shown. */
  get #canRetry() {
    if (!this.#isLive) return false;
    const fate = this.#journal.rows.get(this.#presentation?.current?.sentAt ?? 0)?.fate ?? "failed";
    return fate === "failed" || fate === "superseded";
  }

  // ── over a reload ──────────────────────────────────────────────────────────────────────────────

  /** @param {string | null} address */
  #restore(address) {
    const { series, place } = this.#memory;
    if (series !== null && (address === null || series.address === address)) {
      this.#selection.restore(series);
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

  /** @param {Series} series @param {boolean} isNew */
  #seriesChanged(series, isNew) {
    if (isNew) this.#view.fill(series.images);
    else this.#view.renew(series.images);
    if (!this.#memory.keepSeries(series)) this.#journal.isKept = false;
    this.#presentation?.seriesChanged(series.images, this.#selection.index);
    this.#keepPlace();
    this.#renderSoon();
  }

  /** @param {Shown} image @param {string} reason */
  async #imageFailed({ sentAt }, reason) {
    await this.#selection.imageFailed(reason);
    const { images, index } = this.#selection;
    const current = this.#presentation?.current;
    if (index === null || current?.sentAt !== sentAt) return;
    if (images[index]?.signedUrl !== current.signedUrl) this.#presentation?.show(images, index);
  }

  /** @param {Choice} choice */
  #choose(choice) {
    const index = this.#selection.choose(choice, this.#canRetry);
    if (index === null) return;
    // Without a session it is for the evaluator's eyes alone, or for the one that is about to begin.
    if (this.#isLive) this.#presentation?.show(this.#selection.images, index);
    this.#isChosen = !this.#isLive && this.#starting.awaited !== null;
    this.#render();
  }

  // ── the session ────────────────────────────────────────────────────────────────────────────────

  /** @param {string} clientId */
  #start(clientId) {
    if (this.#isLive) return;
    this.#isChosen = false;
    this.#starting.choose(clientId);
  }

  /** @param {Route} route @param {Place | null} before the session that was to be taken up */
  #begin(route, before) {
    const isSame = before?.sessionId === route.sessionId;
    const isChosen = this.#isChosen;
    const index = isChosen ? this.#selection.index : (before?.index ?? null);
    this.#isChosen = false;
    this.#selection.index = index;
    const { images } = this.#selection;
    const { iceServers } = this.#signalling;
    const current = isSame ? before.current : null;
    this.#presentation = new Presentation(route, iceServers, this.#journal, current, {
      changed: () => {
        this.#keepPlace();
        this.#renderSoon();
      },
      failed: (image, reason) => void this.#imageFailed(image, reason),
    });
    // A relay that can't take a session up has begun another one.
    if ((!isSame || isChosen) && index !== null) this.#presentation.show(images, index);
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
    const clientId = this.#presentation?.route.peerId;
    if (clientId !== undefined) this.#presentation?.contact.told(this.#view.isOnline(clientId), now());
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
    const { series, index } = this.#selection;
    const { awaited, trouble } = this.#starting;
    this.#view.render({
      relay: this.#signalling.state,
      isChosen: this.#isChosen && awaited !== null,
      code: this.#code,
      presentation: this.#presentation,
      awaited,
      trouble: trouble || (this.#presentation?.trouble ?? ""),
      series,
      index,
    });
  }
}

const entrance = enter();
if (entrance.userId === "") ConsoleView.showIncomplete();
else new Console(entrance, new URL(location.href).searchParams.get("manifest"));
