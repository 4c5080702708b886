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
 * @import { Onset } from "../core/channel/onsets.js"
 * @import { Kind, Obstacle } from "../words/recording.js"
 * @import { RecordingSituation } from "./panel.js"
 *
 * @typedef {{userId: string, wanted: readonly Kind[]}} RecordingRequest
 *   `wanted`: what the link asks for, none where that is not known
 */

import { Archive } from "./archive.js";
import { NothingCame } from "./capture.js";
import { Consent } from "./consent.js";
import { Devices, parseKinds } from "./devices.js";
import { hostOf, rowsToSave } from "./destination.js";
import { Panel } from "./panel.js";
import { reportOf } from "./report.js";
import { StorageFull } from "../page/storage.js";
import { RecordingGone, RecordingStore } from "./store.js";
import { Takes } from "./takes.js";
import { NOTHING_CAME, REMOVED, describeNotKept } from "../words/recording.js";

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
  #reported;
  /** What the evaluator is to know. @type {{devices: string[], troubles: string[]}} */
  report = { devices: [], troubles: [] };
  /** @type {RecordingSituation} */
  #situation;

  /**
   * @param {HTMLElement} place for what is shown of it
   * @param {string} userId
   * @param {string} record what the link asks for
   * @param {() => void} reported `report` is another one
   */
  constructor(place, userId, record, reported) {
    const wanted = parseKinds(record) ?? [];
    this.#place = place;
    this.#request = { userId, wanted };
    this.#reported = reported;
    this.#consent = new Consent(userId, wanted);
    this.#devices = new Devices(wanted, {
      switched: (stream) => this.#kept?.takes.use(stream),
      changed: () => this.#update({}),
      happened: (kind, what) => this.#kept?.takes.note(`${kind}_${what}`),
    });
    this.#situation = {
      states: this.#devices.states,
      obstacle: null,
      record,
      lost: "",
      isFull: false,
      isStoreGone: false,
      isLive: false,
      sent: { host: null, failures: 0, refused: new Map(), isUnreadable: false },
      rows: [],
      folder: "",
      failed: "",
    };
    this.#panel = new Panel(place, {
      stop: () => this.#withdraw(),
      sendAgain: () => this.#kept?.archive.sendAgain(),
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
    if (this.#isAsked) {
      this.#kept?.archive.sendTo(url);
      return;
    }
    this.#isAsked = true;
    // What is not secure has no lasting storage either, which would be no reason to give.
    if (isSecureContext) await this.#openArchive();
    this.#kept?.archive.sendTo(url);
    const obstacle = this.#findObstacle();
    if (obstacle !== null) this.#update({ obstacle });
    else if (!this.#consent.recall()) await this.#ask(url);
    else if (this.#consent.isGiven) void this.#open();
    else this.#update({ obstacle: "refused" });
    this.#answer();
  }

  /** Whether a session goes on. @param {boolean} isLive */
  attend(isLive) {
    if (isLive === this.#situation.isLive) return;
    this.#update({ isLive, lost: "" });
    if (!isLive) this.#closeDevices();
    else if (this.#consent.isGiven && this.#situation.obstacle === null) void this.#open();
  }

  /** An image is put up; since when it is on the screen comes later. @param {Image} image @param {number} at */
  seen(image, at) {
    this.#kept?.takes.start(image, at, this.#consent.destination);
  }

  /** Something became of an image. @param {Image} image @param {StageName} stage @param {{at: number, onset?: Onset}} told */
  staged(image, stage, { at, onset }) {
    if (onset !== undefined) this.#kept?.takes.shown(image, onset);
    else if (stage === "hidden") this.#kept?.takes.hide(image, at);
  }

  // ── consent ────────────────────────────────────────────────────────────────────────────────────

  /** @param {string | null} url where the relay wants recordings posted */
  async #ask(url) {
    document.body.dataset.state = "asking";
    await this.#consent.ask(this.#place, hostOf(url), () => this.#open());
    document.body.dataset.state = "idle";
    if (!this.#consent.isGiven) this.#refuse();
    // A browser that is short of room may throw away what it was not asked to keep. Some ask the
    // participant: now, and never while an image is up.
    else void navigator.storage.persist().catch(() => false);
  }

  #withdraw() {
    this.#consent.withdraw();
    this.#refuse();
  }

  #refuse() {
    this.#closeDevices();
    this.#update({ obstacle: "refused" });
  }

  // ── devices ────────────────────────────────────────────────────────────────────────────────────

  /** @returns {Obstacle | null} what no answer of the participant's would change */
  #findObstacle() {
    if (this.#request.wanted.length === 0) return "unknown_request";
    if (!isSecureContext) return "not_secure";
    return this.#kept === null ? "not_kept" : null;
  }

  async #open() {
    // They were asked all the same: what they answer holds in this tab, whatever its browser can.
    if (navigator.mediaDevices === undefined || globalThis.MediaRecorder === undefined) {
      this.#update({ obstacle: "cant_record" });
      return;
    }
    await this.#devices.open();
  }

  #closeDevices() {
    this.#devices.close(this.#kept?.takes.stopped ?? Promise.resolve());
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
        reached: (isThere) => this.#update({ isStoreGone: !isThere }),
        troubles: () => this.#deviceTroubles,
      });
      this.#kept = { archive, takes };
      await archive.tidy();
    } catch (error) {
      console.debug(`recordings can't be kept: ${error}`);
    }
  }

  /** What is the matter with a recording that begins now. */
  get #deviceTroubles() {
    const states = [...this.#devices.states];
    return states.filter(([, state]) => state !== "on").map(([kind, state]) => `${kind}_${state}`);
  }

  /** @param {unknown} error */
  #takeFailed(error) {
    if (error instanceof StorageFull) this.#update({ isFull: true });
    else if (error instanceof RecordingGone) this.#update({ lost: REMOVED });
    else if (error instanceof NothingCame) this.#update({ lost: NOTHING_CAME });
    else this.#update({ lost: describeNotKept(error) });
  }

  /** @param {Partial<RecordingSituation>} news */
  #update(news) {
    Object.assign(this.#situation, news);
    this.#panel.update(this.#situation);
    const report = reportOf(this.#situation);
    if (JSON.stringify(report) === JSON.stringify(this.report)) return;
    this.report = report;
    this.#reported();
  }
}
