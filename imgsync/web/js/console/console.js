/**
 * The evaluator's console: who is there, what they are shown, and what becomes of it. One session at
 * a time; a reload of the page takes it up again.
 *
 * @import { Choice } from "./stage.js"
 * @import { Entrance } from "../page/entrance.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Place } from "./own_page.js"
 * @import { Presence } from "../core/protocol/wire.js"
 * @import { Series } from "./own_page.js"
 * @import { Route } from "../peer/route.js"
 */

import { askForToken } from "./granting.js";
import { EXPIRY_REASONS } from "../core/protocol/numbers.js";
import { now } from "../peer/clock.js";
import { Memory } from "./memory.js";
import { Drawing } from "./drawing.js";
import { ConsoleView } from "./view.js";
import { isAble } from "../page/first.js";
import { Going } from "./going.js";
import { Journal } from "./journal.js";
import { OwnPictures } from "./own_pictures.js";
import { Presentation } from "./presentation.js";
import { RecordStore } from "./record_store.js";
import { Selection } from "./selection.js";
import { SharingSession } from "./sharing_session.js";
import { Signalling } from "../peer/signalling.js";
import { Starting } from "./starting.js";
import { wakeOnReturn } from "../peer/waking.js";
import { INCOMPLETE, UNABLE } from "../words/console.js";

/** How old a list of images is, is told in minutes. */
const AGE_MS = 60_000;

class Console {
  #memory;
  #pictures;
  #journal;
  #signalling;
  #starting;
  #selection = new Selection({
    changed: (series, isNew) => this.#seriesChanged(series, isNew),
    complain: (why) => this.#view.complain(why),
  });
  #going = new Going({
    look: () => ({ presentation: this.#presentation, images: this.#selection.images, index: this.#selection.index }),
    show: (index) => this.#choose(index),
    changed: () => this.#changed(),
  });
  /** Whether what is current was chosen while a session was being started. */
  #isChosen = false;
  /** The session, or the last one. @type {Presentation | null} */
  #presentation = null;
  #view;
  /** What is in the way to the relay. @type {Obstacle | null} */
  #obstacle = null;
  #drawing = new Drawing(() => this.#render(), AGE_MS);

  /** @param {Entrance} entrance @param {string | null} address @param {RecordStore} store @param {OwnPictures} pictures */
  constructor({ userId, token, relayUrl, first }, address, store, pictures) {
    this.#memory = new Memory(userId, store);
    this.#journal = new Journal(store.earlier, (event) => store.add(event));
    this.#pictures = pictures;
    store.changed = pictures.changed = () => this.#drawing.soon();
    this.#view = new ConsoleView(userId, this.#journal, store, {
      start: (clientId) => this.#start(clientId),
      invite: (clientId, seconds) => askForToken(token, clientId, seconds),
      end: () => this.#end(),
      takeUp: () => this.#takeUpLeft(this.#memory.left),
      leave: () => this.#memory.leave(),
      remove: () => void pictures.removeAll(),
      choose: (choice) => this.#choose(choice),
      mark: (noted) => this.#presentation?.mark(noted),
      go: () => this.#going.toggle(),
      arrange: (deed) => pictures.arrange(this.#selection, deed),
      join: (images) => pictures.join(this.#selection, images),
      changed: () => this.#render(),
      load: (loaded) => this.#selection.load(loaded, address, this.#isLive, this.#presentation?.current),
    });
    this.#signalling = new Signalling(
      { url: relayUrl, userId, role: "evaluator", token, first },
      {
        changed: (_, obstacle) => {
          this.#obstacle = obstacle;
          this.#starting.takeUp();
          this.#drawing.soon();
        },
        present: (clients) => this.#present(clients),
      },
    );
    this.#starting = new Starting(this.#signalling, {
      open: (route) => open(route, this.#signalling),
      begun: (route, before, early) => this.#begin(early ?? open(route, this.#signalling), before),
      changed: () => this.#render(),
    });
    this.#restore(address, store);
    this.#journal.begin(userId, now());
    this.#signalling.start();
    wakeOnReturn(this.#signalling);
    warnBeforeUnload(() => this.#isLive || (!store.isKept && store.unsaved > 0));
    this.#render();
  }

  get #isLive() {
    return this.#presentation !== null && !this.#presentation.isOver;
  }

  // ── over a reload ──────────────────────────────────────────────────────────────────────────────

  /** @param {string | null} address @param {RecordStore} store */
  #restore(address, { series, isReload }) {
    const { mine, left } = this.#memory;
    const isWanted = series?.address === address && (isReload || left !== null);
    if (series !== null && (address === null || isWanted)) this.#selection.restore(series);
    else if (address !== null) this.#view.load(address);
    if (mine !== null) this.#takeUpLeft(mine);
  }

  #keepPlace() {
    if (this.#presentation !== null) this.#memory.keep(placeOf(this.#presentation, this.#selection, this.#going));
  }

  /** @param {Place | null} place */
  #takeUpLeft(place) {
    if (place === null || this.#isLive) return;
    this.#memory.left = null;
    this.#selection.index = place.index;
    this.#starting.remember(place);
  }

  // ── the series ─────────────────────────────────────────────────────────────────────────────────

  /** @param {Series} series @param {boolean} isNew */
  #seriesChanged(series, isNew) {
    this.#view.fill(series.images, isNew);
    this.#pictures.keep(series, isNew);
    this.#presentation?.seriesChanged(series.images, this.#selection.index);
    if (isNew && this.#isLive) this.#presentation?.seriesBegan(series);
    if (isNew) this.#going.stop();
    this.#retry();
    this.#changed();
  }

  /** Show what is current again, where it was refused and has another URL by now. */
  #retry() {
    return isExpired(this.#selection, this.#journal, this.#presentation) && this.#selection.show(this.#presentation);
  }

  /** @param {Choice} choice */
  #choose(choice) {
    const isSeen = this.#selection.isShownIn(this.#presentation) && !hasFailed(this.#journal, this.#presentation);
    const index = this.#selection.choose(choice, this.#isLive && !isSeen);
    if (index === null) return;
    // Without a session it is for the evaluator's eyes alone, or for the one that is about to begin.
    if (this.#isLive) this.#selection.show(this.#presentation);
    this.#isChosen = !this.#isLive && this.#starting.awaited !== null;
    this.#render();
  }

  // ── the session, and who is there for one ──────────────────────────────────────────────────────

  /** @param {string} clientId */
  #start(clientId) {
    if (this.#isLive) return;
    this.#isChosen = false;
    this.#starting.choose(clientId);
  }

  /** @param {SharingSession} session @param {Place | null} before the session that was to be taken up */
  #begin(session, before) {
    const [isSame, isChosen] = [before?.sessionId === session.route.sessionId, this.#isChosen];
    const index = isChosen ? this.#selection.index : (before?.index ?? null);
    this.#isChosen = false;
    this.#selection.index = index;
    const current = isSame ? (before?.current ?? null) : null;
    this.#selection.shownUrl = current?.signedUrl ?? null;
    this.#presentation = new Presentation(session, this.#journal, current, {
      changed: () => this.#changed(),
      counted: (said) => this.#view.count(said),
      failed: (reason) => this.#retry() || void this.#selection.imageFailed(reason),
    });
    if (!isSame) this.#presentation.seriesBegan(this.#selection.series);
    // A relay that can't take a session up has begun another one.
    if ((!isSame || isChosen) && index !== null) this.#selection.show(this.#presentation);
    else this.#presentation.announce(this.#selection.images, index);
    if (isSame && before?.isGoing) this.#going.resume();
    this.#keepPlace();
    if (before === null) this.#view.sessionBegan();
  }

  #end() {
    const before = this.#starting.forget();
    if (before !== null) this.#memory.giveUp(before);
    void this.#presentation?.end();
    this.#render();
  }

  /** @param {ReadonlyMap<string, Presence>} clients */
  #present(clients) {
    this.#view.present(clients);
    this.#presentation?.contact.told(clients.has(this.#presentation.route.peerId), now());
    this.#starting.takeUp();
    this.#drawing.soon();
  }

  /** Something that matters to the page after this one, and to how the series goes on. */
  #changed() {
    this.#going.step();
    this.#keepPlace();
    this.#drawing.soon();
  }

  // ── what is seen ───────────────────────────────────────────────────────────────────────────────

  #render() {
    const { series, index } = this.#selection;
    const { awaited, trouble } = this.#starting;
    this.#view.render({
      relay: this.#signalling.state,
      isChosen: this.#isChosen && awaited !== null,
      obstacle: this.#obstacle,
      presentation: this.#presentation,
      awaited,
      trouble: trouble || this.#presentation?.remarks.text || "",
      series,
      index,
      pictures: this.#pictures,
      left: this.#isLive || awaited !== null ? null : this.#memory.left,
      going: this.#going.state,
    });
  }
}

/** @param {Route} route @param {Signalling} relay asked for each attempt which ICE servers it names */
function open(route, relay) {
  return new SharingSession(route, { get iceServers() { return relay.iceServers; }, offers: true });
}

/** @param {Presentation} presentation @param {Selection} selection @param {Going} going @returns {Place} */
function placeOf({ route, current, isOver, isEnding }, { index }, { state }) {
  const { sessionId, peerId: clientId } = route;
  return { sessionId, clientId, current, index, isOver: isOver || isEnding, isGoing: state === "going" };
}

/** Whether what is current never came to be shown. @param {Journal} journal @param {Presentation | null} presentation */
function hasFailed(journal, presentation) {
  const fate = journal.rows.get(presentation?.current?.sentAt ?? 0)?.fate ?? "failed";
  return fate === "failed" || fate === "superseded";
}

/**
 * Whether its URL may have expired, and there is another.
 *
 * @param {Selection} selection @param {Journal} journal @param {Presentation | null} presentation
 */
function isExpired({ isRenewed }, journal, presentation) {
  const reason = journal.rows.get(presentation?.current?.sentAt ?? 0)?.failed ?? "";
  return isRenewed && /** @type {readonly string[]} */ (EXPIRY_REASONS).includes(reason);
}

/** A browser asks its user in words of its own. @param {() => boolean} isNeeded */
function warnBeforeUnload(isNeeded) {
  addEventListener("beforeunload", (event) => {
    if (!isNeeded()) return;
    event.preventDefault();
    event.returnValue = true; // for browsers of before 2024
  });
}

/** @param {Entrance} entrance */
export async function begin(entrance) {
  if (!isAble) {
    ConsoleView.showStopped(UNABLE);
  } else if (entrance.userId === "") {
    ConsoleView.showStopped(INCOMPLETE);
  } else {
    const address = new URL(location.href).searchParams.get("manifest");
    const store = await RecordStore.open(entrance.userId);
    new Console(entrance, address, store, await OwnPictures.open(entrance.userId, store));
  }
}
