/**
 * What the page shows of recording beside its status: that it is on, what is left to be sent, and the
 * list to save from. Never while an image is shown.
 *
 * @import { Row } from "./store.js"
 * @import { Devices } from "../words/recording.js"
 * @import { Sent } from "./destination.js"
 *
 * @typedef {object} Recordings
 * @property {Sent} sent how it goes with sending
 * @property {readonly Row[]} rows recordings that are on this device
 * @property {string} folder in which they were saved; empty for none
 * @property {string} failed why something was not saved; empty where nothing was, or all
 *
 * @typedef {Devices & Recordings} RecordingSituation
 *
 * @typedef {object} PanelListener
 * @property {() => void} stop record no more
 * @property {() => void} sendAgain what the server has not taken
 * @property {() => void} saveAll into a folder
 * @property {(row: Row) => void} save one, as a download
 */

import { make, setText } from "../page/dom.js";
import { rowsToSave, sortRows } from "./destination.js";
import { fileName, pickFolder } from "./files.js";
import { isWanted } from "./watch.js";
import { writeSize, writeTime } from "../words/language.js";
import {
  PANEL,
  describeLeft,
  describeNow,
  describeSaving,
  nameRecording,
  nameSaving,
} from "../words/recording.js";

export class Panel {
  #listener;
  #now = make("p", { id: "recording-now", role: "status" });
  #stop = make("button", { type: "button" }, PANEL.stop);
  #left = make("p", { id: "recordings-left", role: "status" });
  #hint = make("p", { class: "hint" });
  #failed = make("p", { role: "alert" });
  #sendAgain = make("button", { type: "button" }, PANEL.sendAgain);
  #saveAll = make("button", { type: "button", class: "main" }, PANEL.saveAll);
  #list = make("ul", { role: "list" });
  #card = make(
    "section",
    { id: "recordings", class: "card", "aria-label": PANEL.title },
    this.#now,
    this.#stop,
    this.#left,
    this.#hint,
    this.#failed,
    this.#sendAgain,
    this.#saveAll,
    this.#list,
  );
  /** What the list shows. */
  #listed = "";

  /** @param {HTMLElement} place @param {PanelListener} listener */
  constructor(place, listener) {
    this.#listener = listener;
    this.#stop.addEventListener("click", () => listener.stop());
    this.#sendAgain.addEventListener("click", () => listener.sendAgain());
    this.#saveAll.addEventListener("click", () => listener.saveAll());
    // A tap on it does not fill the screen.
    this.#card.addEventListener("click", (event) => event.stopPropagation());
    place.append(this.#card);
  }

  /** @param {RecordingSituation} situation */
  update(situation) {
    const toSave = rowsToSave(situation);
    const { unsent, refused, kept } = sortRows(situation);
    const { failures, isUnreadable, refused: reasons } = situation.sent;
    const { text, hint } = describeLeft({
      unsent: unsent.length,
      refused: refused.map(({ key }) => reasons.get(key) ?? ""),
      kept,
      failures,
      isUnreadable,
      isLive: situation.isLive,
      folder: situation.folder,
    });
    // Until all is elsewhere, a status that says that the page can be closed is wrong.
    document.body.toggleAttribute("data-unsaved", !situation.isLive && hint !== "");
    setText(this.#now, describeNow(situation));
    setText(this.#left, text);
    setText(this.#hint, hint);
    setText(this.#failed, situation.failed);
    this.#stop.hidden = ![...situation.states.values()].some((state) => isWanted(state));
    this.#sendAgain.hidden = refused.length === 0 && !(isUnreadable && unsent.length > 0);
    this.#saveAll.hidden = toSave.length === 0 || pickFolder === undefined;
    this.#showList(toSave);
    const lines = [this.#now, this.#left, this.#failed];
    this.#card.hidden = lines.every((line) => line.textContent === "");
  }

  /** @param {readonly Row[]} rows */
  #showList(rows) {
    const listed = JSON.stringify(rows.map(({ key, isSaved }) => [key, isSaved]));
    if (listed === this.#listed) return;
    this.#listed = listed;
    this.#list.replaceChildren(...rows.map((row) => this.#item(row)));
  }

  /** @param {Row} row */
  #item(row) {
    const { about, isSaved } = row;
    const time = writeTime(about.shownAt);
    const facts = make("small", {}, `${time}, ${writeSize(about.size)}`);
    const item = make("li", {}, make("span", {}, nameRecording(about.imageIndex), facts));
    item.title = fileName(row);
    if (pickFolder === undefined) {
      const label = describeSaving(isSaved, about.imageIndex, time);
      const save = make("button", { type: "button", "aria-label": label }, nameSaving(isSaved));
      save.addEventListener("click", () => this.#listener.save(row));
      item.append(save);
    }
    return item;
  }
}
