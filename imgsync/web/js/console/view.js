/**
 * All that is on the console's page, drawn from the state of things.
 *
 * @import { Choice } from "./stage.js"
 * @import { Ask } from "./inviting.js"
 * @import { Preloaded, Presence } from "../core/protocol/wire.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { Deed, OwnPictures } from "./own_pictures.js"
 * @import { Listed } from "./manifest.js"
 * @import { Loaded, Place, Series } from "./own_page.js"
 * @import { Noted } from "./marking.js"
 * @import { RecordStore } from "./record_store.js"
 * @import { Presentation } from "./presentation.js"
 * @import { Journal, Standing } from "./journal.js"
 * @import { SocketState } from "../peer/socket.js"
 * @import { Phase, Status } from "../words/console.js"
 * @import { GoingState } from "../words/going.js"
 *
 * @typedef {object} State
 * @property {SocketState} relay
 * @property {Obstacle | null} obstacle what is in the way to the relay, where that is known
 * @property {Presentation | null} presentation the session, or the last one
 * @property {string | null} awaited with whom one is being started or taken up
 * @property {boolean} isChosen what is current was chosen meanwhile, to be shown as soon as it begins
 * @property {string} trouble why the last one could not be started
 * @property {Series | null} series
 * @property {number | null} index of what is current
 * @property {OwnPictures} pictures
 * @property {(Place & {at: number}) | null} left a session that can be taken up
 * @property {GoingState} going whether the series goes on by itself
 *
 * @typedef {object} Doors what a person wants
 * @property {(clientId: string) => void} start
 * @property {Ask} invite
 * @property {() => void} end
 * @property {() => void} takeUp the session that was left
 * @property {() => void} leave it as it is
 * @property {() => void} remove what the browser keeps
 * @property {(choice: Choice) => void} choose
 * @property {(noted: Noted) => void} mark what is shown
 * @property {() => void} go on by itself, or pause
 * @property {(loaded: Loaded) => void} load a series
 * @property {(images: readonly Listed[]) => void} join the series that is there, with more in it
 * @property {(deed: Deed) => void} arrange
 * @property {() => void} changed what is to be drawn anew
 */

import { Arranging } from "./arranging.js";
import { Asking } from "./asking.js";
import { ClientsView } from "./clients.js";
import { Intake } from "./intake.js";
import { Findings } from "./findings.js";
import { Outcomes } from "./outcomes.js";
import { JournalView } from "./journal_view.js";
import { Stage } from "./stage.js";
import { standingsOf } from "./standings.js";
import { Strip } from "./strip.js";
import { TrialView } from "./trial_view.js";
import {
  NOT_VALID,
  NO_SESSION,
  SEEN_BY_YOU,
  SHOWN_SOON,
  describeAge,
  describeFate,
  describeNothing,
  describeOffer,
  describePreloaded,
  describeRelay,
  describeSession,
  describeWaiting,
  nameEvaluator,
  titlePage,
} from "../words/console.js";
import { isLost } from "./own_series.js";
import { find, setText } from "../page/dom.js";
import { NOT_SHOWN } from "../words/pictures.js";

export class ConsoleView {
  #journal;
  #clients;
  #intake;
  #stage;
  #strip;
  #trial;
  #findings = new Findings();
  #outcomes = new Outcomes();
  #downloads;
  #arranging;
  #end;
  #session = find("session", HTMLElement);

  /** @param {string} userId @param {Journal} journal @param {RecordStore} store @param {Doors} doors */
  constructor(userId, journal, store, doors) {
    this.#journal = journal;
    this.#clients = new ClientsView(doors.start, doors.invite);
    this.#intake = new Intake(doors.load, doors.join);
    this.#stage = new Stage(doors.choose);
    this.#trial = new TrialView(doors.mark, doors.go);
    const arranging = new Arranging(doors.arrange, doors.changed);
    this.#arranging = arranging;
    this.#strip = new Strip((index) => (arranging.picked === null ? doors.choose(index) : arranging.pick(index)));
    this.#downloads = new JournalView(journal, store, userId, doors.remove);
    onAnswer("take-up", this.#session, doors.takeUp);
    onAnswer("leave", this.#session, () => {
      doors.leave();
      doors.changed();
    });
    this.#end = new Asking("end", doors.end, this.#session);
    setText(find("user", HTMLElement), nameEvaluator(userId));
  }

  /** The page can't begin. @param {Status} why */
  static showStopped(why) {
    showStatus(why);
    document.body.dataset.stopped = "";
  }

  /** @param {readonly Listed[]} images @param {boolean} isNew */
  fill(images, isNew) {
    this.#strip.fill(images, isNew);
    if (isNew) this.#intake.fold();
  }

  /** Of a list of images. @param {string} why */
  complain(why) {
    this.#intake.complain(why);
  }

  /** @param {string} url of a manifest */
  load(url) {
    void this.#intake.load(url);
  }

  /** @param {ReadonlyMap<string, Presence>} online */
  present(online) {
    this.#clients.present(online);
  }

  /** The button that was pressed for it is gone, and with it the focus. */
  sessionBegan() {
    if (document.activeElement !== document.body) return;
    this.#session.focus({ preventScroll: true });
    this.#stage.focus(); // where there are images
  }

  /** How many of the images that were announced are there. @param {Preloaded} said */
  count(said) {
    setText(find("preloaded", HTMLElement), describePreloaded(said));
  }

  /** @param {State} state */
  render({ relay, obstacle, presentation, awaited, isChosen, trouble, series, index, pictures, left, going }) {
    const images = series?.images ?? [];
    // What was left, or is about to begin, may be on a screen still.
    const unheard = left === null && awaited === null ? "over" : "waiting";
    const phase = presentation === null ? unheard : presentation.phase;
    const isLive = presentation !== null && phase !== "over";
    const relayStatus = describeRelay(relay, obstacle);
    setText(find("relay", HTMLElement), relayStatus.text);
    find("relay", HTMLElement).dataset.mood = relayStatus.mood;
    showStatus(this.#describe(presentation, awaited, relay));
    setText(find("trouble", HTMLElement), trouble);
    if (!isLive) setText(find("preloaded", HTMLElement), "");
    this.#renderEnd(isLive || awaited !== null, isLive && presentation.isEnding);
    const ours = isLive ? presentation.route.peerId : awaited;
    const session = ours === null ? null : { userId: ours, phase: isLive ? phase : /** @type {Phase} */ ("waiting") };
    const isUp = relay === "up";
    this.#clients.render(session, !isLive && awaited === null && isUp, isUp);
    this.#findings.render(presentation, isLive, images);

    const rows = this.#rows(presentation);
    const byIndex = standingsOf(images, rows.filter((r) => r.sentAt >= (series?.since ?? 0)));
    const row = index === null ? undefined : byIndex.get(index);
    const isShown = isLive && row !== undefined;
    const seen = isChosen ? SHOWN_SOON : SEEN_BY_YOU;
    const unsent = index !== null && isLost(images[index]) ? NOT_SHOWN : seen;
    const fate = isShown ? describeFate(row, phase) : unsent;
    find("stage", HTMLElement).dataset.fate = isShown ? row.fate : "none";
    document.body.dataset.phase = phase;
    this.#stage.render(images, index, fate, describeNothing(isLive));
    this.#trial.render(series, index, row, presentation, going);
    this.#arranging.render({ series, index, isLive, ...pictures.state });
    this.#strip.render(index, byIndex, phase, this.#arranging.picked);
    this.#intake.render(series);
    const current = isLive ? (presentation.current?.sentAt ?? null) : null;
    this.#outcomes.render(rows, (shown) => this.#journal.measured(shown), phase, current);
    this.#downloads.render(isLive);
    showOffer(left);
  }

  /** @param {boolean} isWanted @param {boolean} isEnding */
  #renderEnd(isWanted, isEnding) {
    const isOver = this.#end.isWanted && !isWanted;
    const hadFocus = this.#session.contains(document.activeElement);
    this.#end.render(isWanted, !isEnding);
    if (isOver && hadFocus) this.#clients.focus();
  }

  /**
   * @param {Presentation | null} presentation
   * @param {string | null} awaited
   * @param {SocketState} relay
   * @returns {Status} of the session
   */
  #describe(presentation, awaited, relay) {
    if (awaited !== null) return describeWaiting(this.#clients.nameOf(awaited));
    if (presentation !== null) {
      const { change, isEnding, isGone, current } = presentation;
      const name = this.#clients.nameOf(presentation.route.peerId);
      return describeSession(name, { ...change, isEnding, isGone, current });
    }
    return relay === "refused" ? NOT_VALID : NO_SESSION;
  }

  /** Those of the session, or of the last one. @param {Presentation | null} presentation @returns {Standing[]} */
  #rows(presentation) {
    const last = [...this.#journal.rows.values()].at(-1)?.sessionId ?? "";
    return this.#journal.rowsOf(presentation?.route.sessionId ?? last);
  }
}

/** @param {State["left"]} left */
function showOffer(left) {
  find("offer", HTMLElement).hidden = left === null;
  if (left === null) return;
  const words = describeOffer(left.clientId, left.index, describeAge(Date.now() - left.at));
  setText(find("offer-text", HTMLElement), words);
}

/** To what is offered. @param {string} id of a button @param {HTMLElement} after @param {() => void} act */
function onAnswer(id, after, act) {
  find(id, HTMLButtonElement).addEventListener("click", () => {
    find("offer", HTMLElement).hidden = true;
    after.focus({ preventScroll: true });
    act();
  });
}

/** Of the session. @param {Status} status */
function showStatus({ text, hint, mood }) {
  find("session", HTMLElement).dataset.mood = mood;
  setText(find("session-text", HTMLElement), text);
  setText(find("session-hint", HTMLElement), hint);
  document.title = titlePage(text);
}
