/**
 * All that is on the console's page, drawn from the state of things.
 *
 * @import { Choice } from "./stage.js"
 * @import { ImageSource, Presence } from "../core/protocol/wire.js"
 * @import { Presentation } from "./presentation.js"
 * @import { Journal, Standing } from "./journal.js"
 * @import { SocketState } from "../peer/socket.js"
 * @import { Phase, Status } from "../words/console.js"
 *
 * @typedef {object} State
 * @property {SocketState} relay
 * @property {number} code with which the relay has closed its socket; 0 if it has not
 * @property {Presentation | null} presentation the session, or the last one
 * @property {string | null} awaited with whom one is being started or taken up
 * @property {string} trouble why the last one could not be started
 * @property {readonly ImageSource[]} images the series
 * @property {number | null} index of what is current
 * @property {number} since when the series was loaded
 *
 * @typedef {object} Doors what a person wants
 * @property {(clientId: string) => void} start
 * @property {() => void} end
 * @property {(choice: Choice) => void} choose
 * @property {(images: ImageSource[], name: string) => void} load a series
 */

import { ClientsView } from "./clients.js";
import { Intake } from "./intake.js";
import { LatencyView } from "./latency_view.js";
import { Outcomes } from "./outcomes.js";
import { JournalView } from "./journal_view.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import {
  NOT_VALID,
  NO_SESSION,
  SEEN_BY_YOU,
  describeFate,
  describeNothing,
  describeRelay,
  describeSession,
  describeWaiting,
  nameEvaluator,
  titlePage,
} from "../words/console.js";
import { find, setText } from "../page/dom.js";

export class ConsoleView {
  #journal;
  #clients;
  #intake;
  #stage;
  #strip;
  #latency = new LatencyView();
  #outcomes = new Outcomes();
  #downloads;
  #end = find("end", HTMLButtonElement);
  #seriesName = "";

  /** @param {string} userId @param {Journal} journal @param {Doors} doors */
  constructor(userId, journal, doors) {
    this.#journal = journal;
    this.#clients = new ClientsView(doors.start);
    this.#intake = new Intake(doors.load);
    this.#stage = new Stage(doors.choose);
    this.#strip = new Strip(doors.choose);
    this.#downloads = new JournalView(journal, userId);
    this.#end.addEventListener("click", () => doors.end());
    setText(find("user", HTMLElement), nameEvaluator(userId));
  }

  /** The page can't begin. @param {Status} why */
  static showStopped(why) {
    showStatus(why);
    document.body.dataset.stopped = "";
  }

  /** @param {readonly ImageSource[]} images @param {string} name */
  fill(images, name) {
    this.#strip.fill(images);
    this.#seriesName = name;
    this.#intake.fold();
  }

  /** @param {string} url of a manifest */
  load(url) {
    void this.#intake.load(url);
  }

  /** @param {ReadonlyMap<string, Presence>} online */
  present(online) {
    this.#clients.present(online);
  }

  /** @param {string} clientId */
  isOnline(clientId) {
    return this.#clients.isOnline(clientId);
  }

  /** The button that was pressed for it is gone, and with it the focus. */
  sessionBegan() {
    if (document.activeElement !== document.body) return;
    this.#end.hidden = false;
    this.#end.focus();
    this.#stage.focus(); // where there are images
  }

  /** @param {State} state */
  render({ relay, code, presentation, awaited, trouble, images, index, since }) {
    const phase = phaseOf(presentation);
    const isLive = presentation !== null && phase !== "over";
    const relayStatus = describeRelay(relay, code);
    setText(find("relay", HTMLElement), relayStatus.text);
    find("relay", HTMLElement).dataset.mood = relayStatus.mood;
    showStatus(this.#describe(presentation, awaited, relay));
    setText(find("trouble", HTMLElement), trouble);
    this.#renderEnd(isLive || awaited !== null, isLive && presentation.isEnding);
    const ours = isLive ? presentation.route.peerId : awaited;
    this.#clients.render(ours, !isLive && awaited === null && relay === "up");
    this.#latency.render(presentation?.latency ?? null, presentation?.clockOffset ?? null);

    const rows = this.#rows(presentation);
    const byIndex = new Map(rows.filter((r) => r.sentAt >= since).map((r) => [r.imageIndex, r]));
    const row = index === null ? undefined : byIndex.get(index);
    const isShown = isLive && row !== undefined;
    const fate = isShown ? describeFate(row, phase) : SEEN_BY_YOU;
    find("stage", HTMLElement).dataset.fate = isShown ? row.fate : "none";
    this.#stage.render(images, index, fate, describeNothing(isLive));
    this.#strip.render(index, byIndex, phase);
    this.#intake.render(images.length, this.#seriesName);
    const current = isLive ? (presentation.current?.sentAt ?? null) : null;
    this.#outcomes.render(rows, (shown) => this.#journal.measured(shown), phase, current);
    this.#downloads.render();
  }

  /** @param {boolean} isWanted @param {boolean} isEnding */
  #renderEnd(isWanted, isEnding) {
    const hadFocus = document.activeElement === this.#end;
    this.#end.hidden = !isWanted;
    this.#end.setAttribute("aria-disabled", String(isEnding));
    if (!isWanted && hadFocus) this.#clients.focus();
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
      return describeSession(this.#clients.nameOf(presentation.route.peerId), presentation);
    }
    return relay === "refused" ? NOT_VALID : NO_SESSION;
  }

  /** Those of the session, or of the last one. @param {Presentation | null} presentation @returns {Standing[]} */
  #rows(presentation) {
    const last = [...this.#journal.rows.values()].at(-1)?.sessionId ?? "";
    return this.#journal.rowsOf(presentation?.route.sessionId ?? last);
  }
}

/** @param {Presentation | null} presentation @returns {Phase} */
function phaseOf(presentation) {
  if (presentation === null || presentation.isOver) return "over";
  return ["connecting", "interrupted"].includes(presentation.state) ? "waiting" : "open";
}

/** Of the session. @param {Status} status */
function showStatus({ text, hint, mood }) {
  find("session", HTMLElement).dataset.mood = mood;
  setText(find("session-text", HTMLElement), text);
  setText(find("session-hint", HTMLElement), hint);
  document.title = titlePage(text);
}
