/**
 * Recording of the participant, for a page whose link asks for it: nothing before they have agreed,
 * then one recording for each time that an image is seen, kept on this device until it is sent or
 * saved.
 *
 *     relay is up ──▶ asked ──▶ refused
 *                        └──▶ devices open ──▶ a take of each image ──▶ session ends, closed
 *                                   ▲                                         │
 *                                   └────────── another session begins ───────┘
 *
 * The consent holds for the tab, the archive for longer than the page, the devices are open for one
 * session, and a take lasts as long as its image.
 *
 * @import { Image, StageName } from "../core/protocol/wire.js"
 * @import { Kind } from "../words/recording.js"
 * @import { RecordingSituation } from "./panel.js"
 *
 * @typedef {{userId: string, record: string, wanted: readonly Kind[]}} RecordingRequest
 *   `record`: what the link asks for, as it has it; `wanted`: what that means, none where that is
 *   not known
 */

import { Archive } from "./archive.js";
import { Consent } from "./consent.js";
import { Devices, kindsOf, parseKinds } from "./devices.js";
import { hostOf, rowsToSave } from "./destination.js";
import { Panel } from "./panel.js";
import { RecordingStore, StorageFull } from "./store.js";
import { Takes } from "./takes.js";
import {
  NOTHING_KEPT,
  describeGone,
  describeMissing,
  describeNotKept,
  describeUnknown,
  withoutRecording,
} from "../words/recording.js";

export class Recording {
  /** They have agreed, or not: a session may begin. @type {Promise<void>} */
  answered;
  #answer = () => {};
  #isAsked = false;
  #place;
  /** @type {RecordingRequest} */
  #request;
  #consent;
  #devices;
  /** Both are there where this browser keeps recordings. @type {{archive: Archive, takes: Takes} | null} */
  #kept = null;
  #panel;
  /** @type {RecordingSituation} */
  #situation = {
    open: [],
    trouble: "",
    isFull: false,
    isLive: false,
    host: null,
    failures: 0,
    rows: [],
    folder: "",
    failed: "",
  };

  /**
   * @param {HTMLElement} place for what is shown of it
   * @param {string} userId
   * @param {string} record what the link asks for
   */
  constructor(place, userId, record) {
    const wanted = parseKinds(record) ?? [];
    this.#place = place;
    this.#request = { userId, record, wanted };
    this.#consent = new Consent(userId, wanted);
    this.#devices = new Devices(wanted, {
      opened: (stream) => this.#devicesOpened(stream),
      failed: ({ message }) => this.#update({ trouble: withoutRecording(message) }),
      gone: (kind) => this.#deviceGone(kind),
    });
    this.#panel = new Panel(place, {
      stop: () => this.#withdraw(),
      saveAll: () => void this.#kept?.archive.saveAll(() => rowsToSave(this.#situation)),
      save: (row) => void this.#kept?.archive.save(row),
    });
    this.#update({});
    this.answered = new Promise((resolve) => (this.#answer = resolve));
    addEventListener("beforeunload", (event) => {
      const isAnyLeft = this.#situation.rows.some(({ isSaved }) => !isSaved);
      if (isAnyLeft || this.#kept?.takes.areAllKept === false) event.preventDefault();
    });
  }

  /** The relay is there. @param {string | null} url where it wants recordings posted */
  async reach(url) {
    this.#update({ host: hostOf(url) });
    if (this.#isAsked) {
      this.#kept?.archive.sendTo(url);
      return;
    }
    this.#isAsked = true;
    await this.#openArchive();
    this.#kept?.archive.sendTo(url);
    const { record, wanted } = this.#request;
    if (wanted.length === 0) {
      this.#update({ trouble: withoutRecording(describeUnknown(record)) });
    } else if (this.#kept === null) {
      this.#update({ trouble: withoutRecording(NOTHING_KEPT) });
    } else if (this.#consent.recall()) {
      if (this.#consent.isGiven) void this.#devices.open();
    } else {
      await this.#ask(url);
    }
    this.#answer();
  }

  /** Whether a session goes on. @param {boolean} isLive */
  attend(isLive) {
    if (isLive === this.#situation.isLive) return;
    this.#update({ isLive });
    if (!isLive) this.#closeDevices();
    else if (this.#consent.isGiven && !this.#devices.areOpen) void this.#devices.open();
  }

  /** An image is put up; since when it is on the screen comes later. @param {Image} image @param {number} at */
  seen(image, at) {
    this.#kept?.takes.start(image, at, this.#consent.destination);
  }

  /** Something became of an image. @param {Image} image @param {StageName} stage @param {number} at */
  staged(image, stage, at) {
    if (stage === "shown") this.#kept?.takes.shown(image, at);
    else if (stage === "hidden") this.#kept?.takes.hide(image, at);
  }

  // ── consent ────────────────────────────────────────────────────────────────────────────────────

  /** @param {string | null} url where the relay wants recordings posted */
  async #ask(url) {
    document.body.dataset.state = "asking";
    await this.#consent.ask(this.#place, hostOf(url), () => this.#devices.open());
    document.body.dataset.state = "idle";
    if (!this.#consent.isGiven) this.#closeDevices();
    // A browser that is short of room may throw away what it was not asked to keep. Some ask the
    // participant: now, and never while an image is up.
    else void navigator.storage.persist().catch(() => false);
  }

  #withdraw() {
    this.#consent.withdraw();
    this.#closeDevices();
  }

  // ── devices ────────────────────────────────────────────────────────────────────────────────────

  /** @param {MediaStream} stream */
  #devicesOpened(stream) {
    this.#kept?.takes.use(stream);
    const open = kindsOf(stream);
    const missing = this.#request.wanted.filter((kind) => !open.includes(kind));
    this.#update({ open, trouble: missing.map((kind) => `${describeMissing([kind])} `).join("") });
  }

  /** @param {Kind} kind */
  #deviceGone(kind) {
    this.#kept?.takes.breakOff();
    this.#closeDevices();
    this.#update({ trouble: withoutRecording(describeGone(kind)) });
  }

  #closeDevices() {
    this.#kept?.takes.use(null);
    this.#devices.close(this.#kept?.takes.settled ?? Promise.resolve());
    this.#update({ open: [] });
  }

  // ── what was recorded ──────────────────────────────────────────────────────────────────────────

  async #openArchive() {
    const { userId } = this.#request;
    try {
      const store = await RecordingStore.open();
      const archive = new Archive(store, userId, (news) => this.#update(news));
      const takes = new Takes(userId, store, {
        // Where there is no room, each image is a new try.
        kept: () => this.#update({ isFull: false }),
        failed: (error) => this.#takeFailed(error),
        over: () => archive.wake(),
      });
      this.#kept = { archive, takes };
      await archive.tidy();
    } catch (error) {
      console.debug(`recordings can't be kept: ${error}`);
    }
  }

  /** @param {unknown} error */
  #takeFailed(error) {
    const isFull = error instanceof StorageFull;
    this.#update(isFull ? { isFull } : { trouble: describeNotKept(error) });
  }

  /** @param {Partial<RecordingSituation>} news */
  #update(news) {
    Object.assign(this.#situation, news);
    this.#panel.update(this.#situation);
  }
}
