/**
 * Recording of the participant, for a page whose link asks for it: nothing before they have agreed,
 * then one recording for each time that an image is seen, kept on this device until it is sent or
 * saved.
 *
 *     relay is up ──▶ asked ──▶ refused
 *                        └──▶ devices open ──▶ a capture for each image ──▶ session ends, closed
 *                                   ▲                                            │
 *                                   └──────────── another session begins ────────┘
 *
 * @import { Image, StageName } from "../core/protocol/wire.js"
 * @import { Answer } from "./consent.js"
 * @import { Kind } from "../words/recording.js"
 * @import { Row } from "./store.js"
 * @import { RecordingSituation } from "./panel.js"
 */

import { Capture } from "./capture.js";
import { Consent } from "./consent.js";
import { NoDevice, closeDevices, kindsOf, makeRecorder, openDevices, parseKinds } from "./devices.js";
import { download, pickFolder, writeTo } from "./files.js";
import { hostOf, rowsToSave } from "./destination.js";
import { Panel } from "./panel.js";
import { RecordingStore, StorageFull } from "./store.js";
import { Upload } from "./upload.js";

const WITHOUT = "The session goes on without recording.";

export class Recording {
  /** They have agreed, or not: a session may begin. @type {Promise<void>} */
  answered;
  #tellAnswered = () => {};
  #place;
  #userId;
  #record;
  /** @type {readonly Kind[]} */
  #wanted;
  #consent;
  #panel;
  /** @type {RecordingStore | null} */
  #store = null;
  /** @type {Upload | null} */
  #upload = null;
  /** @type {MediaStream | null} */
  #stream = null;
  /** Devices that were asked for are those of the last turn, or not wanted any more. */
  #turn = 0;
  /** @type {Promise<void> | null} */
  #opening = null;
  /** Made ahead of its image, so that the frame need not wait. @type {MediaRecorder | null} */
  #recorder = null;
  /** Of the image that is seen. @type {Capture | null} */
  #capture = null;
  /** Those that are not in the store yet. @type {Set<Capture>} */
  #unfinished = new Set();
  #isAsked = false;
  #isAllowed = false;
  /** The host that gets what is recorded, as they have agreed. @type {string | null} */
  #destination = null;
  #failed = "";
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
  };

  /**
   * @param {HTMLElement} place for what is shown of it
   * @param {string} userId
   * @param {string} record what the link asks for
   */
  constructor(place, userId, record) {
    this.#place = place;
    this.#userId = userId;
    this.#record = record;
    this.#wanted = parseKinds(record) ?? [];
    this.#consent = new Consent(userId, this.#wanted);
    this.#panel = new Panel(place, {
      stop: () => this.#withdraw(),
      saveAll: () => void this.#saveAll(),
      save: (row) => void this.#save(row),
    });
    this.#say({});
    this.answered = new Promise((resolve) => (this.#tellAnswered = resolve));
    addEventListener("beforeunload", (event) => {
      const isAnyLeft = this.#situation.rows.some(({ isSaved }) => !isSaved);
      if (isAnyLeft || this.#unfinished.size > 0) event.preventDefault();
    });
  }

  /** The relay is there. @param {string | null} url where it wants recordings posted */
  async reach(url) {
    this.#say({ host: hostOf(url) });
    if (this.#isAsked) {
      this.#upload?.reach(url);
      return;
    }
    this.#isAsked = true;
    await this.#openStore();
    this.#upload?.reach(url);
    if (this.#wanted.length === 0) {
      const unknown = `This link asks to record “${this.#record}”, which this page can’t.`;
      this.#say({ trouble: `${unknown} Please tell whoever gave it to you. ${WITHOUT}` });
    } else if (this.#store === null) {
      this.#say({ trouble: `This browser keeps no recordings for this page. ${WITHOUT}` });
    } else {
      await this.#hearAnswer(url);
    }
    this.#tellAnswered();
  }

  /** @param {string | null} url where the relay wants recordings posted */
  async #hearAnswer(url) {
    const earlier = this.#consent.answer;
    if (earlier !== null) {
      this.#obey(earlier);
      if (earlier.isAllowed) void this.#openDevices();
      return;
    }
    document.body.dataset.state = "asking";
    const answer = await this.#consent.ask(this.#place, url, () => this.#openDevices());
    this.#obey(answer);
    document.body.dataset.state = "idle";
    if (!answer.isAllowed) this.#closeDevices();
    // A browser that is short of room may throw away what it was not asked to keep. Some ask the
    // participant: now, and never while an image is up.
    else void navigator.storage.persist().catch(() => false);
  }

  /** @param {Answer} answer */
  #obey({ isAllowed, destination }) {
    this.#isAllowed = isAllowed;
    this.#destination = destination;
  }

  /** @param {boolean} isLive whether a session goes on */
  attend(isLive) {
    if (isLive === this.#situation.isLive) return;
    this.#say({ isLive });
    if (!isLive) this.#closeDevices();
    else if (this.#isAllowed && this.#stream === null) void this.#openDevices();
  }

  /** Something became of an image. @param {Image} image @param {StageName} stage @param {number} at */
  staged(image, stage, at) {
    if (stage === "shown") {
      this.#start(image, at);
    } else if (stage === "hidden") {
      this.#capture?.stop(at);
      this.#capture = null;
    }
  }

  // ── recording ──────────────────────────────────────────────────────────────────────────────────

  async #openStore() {
    try {
      const store = await RecordingStore.open();
      this.#store = store;
      this.#upload = new Upload(store, () => void this.#refresh());
      await store.purge();
      await store.adopt(() => this.#kept());
      await this.#refresh();
    } catch (error) {
      console.debug(`recordings can't be kept: ${error}`);
    }
  }

  #openDevices() {
    this.#opening ??= this.#askForDevices().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #askForDevices() {
    const turn = (this.#turn += 1);
    let stream;
    try {
      stream = await openDevices(this.#wanted);
    } catch (error) {
      if (!(error instanceof NoDevice)) throw error;
      if (turn === this.#turn) this.#say({ trouble: `${error.message} ${WITHOUT}` });
      return;
    }
    if (turn !== this.#turn) {
      closeDevices(stream);
      return;
    }
    this.#stream = stream;
    for (const track of stream.getTracks()) {
      const kind = track.kind === "video" ? "camera" : "microphone";
      track.addEventListener("ended", () => this.#deviceEnded(stream, kind));
    }
    this.#prepare();
    const open = kindsOf(stream);
    const missing = this.#wanted.filter((kind) => !open.includes(kind));
    const trouble = missing.map((kind) => `No ${kind} was found. `).join("");
    this.#say({ open, trouble });
  }

  /** @param {MediaStream} stream @param {Kind} kind */
  #deviceEnded(stream, kind) {
    if (stream !== this.#stream) return;
    this.#capture?.breakOff();
    this.#closeDevices();
    this.#say({ trouble: `Your ${kind} has gone or was switched off. ${WITHOUT}` });
  }

  #closeDevices() {
    this.#turn += 1;
    this.#opening = null;
    const stream = this.#stream;
    this.#stream = this.#recorder = null;
    // What is being recorded still needs them, until it has stopped.
    const captures = [...this.#unfinished].map(({ done }) => done);
    if (stream !== null) void Promise.allSettled(captures).then(() => closeDevices(stream));
    this.#say({ open: [] });
  }

  #prepare() {
    this.#recorder = this.#stream === null ? null : makeRecorder(this.#stream);
  }

  /** @param {Image} image @param {number} shownAt */
  #start(image, shownAt) {
    if (this.#recorder === null || this.#store === null) return;
    const capture = new Capture(
      this.#recorder,
      this.#store,
      this.#userId,
      this.#destination,
      image,
      shownAt,
    );
    this.#capture = capture;
    this.#recorder = null;
    this.#unfinished.add(capture);
    // After the frame.
    setTimeout(() => this.#prepare());
    // Where there is no room, each image is a new try.
    const kept = capture.done.then(() => this.#say({ isFull: false }));
    kept.catch((error) => this.#captureFailed(error)).finally(() => {
      this.#unfinished.delete(capture);
      this.#kept();
    });
  }

  /** @param {unknown} error */
  #captureFailed(error) {
    const why = `A recording could not be kept on this device (${error}).`;
    this.#say(error instanceof StorageFull ? { isFull: true } : { trouble: why });
  }

  /** They want no more of it. */
  #withdraw() {
    this.#isAllowed = false;
    this.#consent.answer = { isAllowed: false, destination: null };
    this.#closeDevices();
  }

  // ── what was recorded ──────────────────────────────────────────────────────────────────────────

  /** There may be more in the store. */
  #kept() {
    void this.#refresh();
    this.#upload?.wake();
  }

  async #refresh() {
    const all = (await this.#store?.finished()) ?? [];
    // Those of another participant at this device are nobody else's to see.
    const rows = all.filter(({ about }) => about.userId === this.#userId);
    this.#say({ rows, failures: this.#upload?.failures ?? 0 });
  }

  async #saveAll() {
    await this.#try(async (store) => {
      const folder = await pickFolder?.();
      if (folder === undefined) return;
      for (const row of rowsToSave(this.#situation)) {
        await writeTo(folder, store, row);
        await store.remove(row.key);
        await this.#refresh();
      }
      this.#say({ folder: folder.name });
    });
  }

  /** @param {Row} row */
  async #save(row) {
    await this.#try(async (store) => {
      await download(store, row);
      await store.markSaved(row.key);
      await this.#refresh();
    });
  }

  /** @param {(store: RecordingStore) => Promise<void>} act */
  async #try(act) {
    this.#failed = "";
    try {
      if (this.#store !== null) await act(this.#store);
    } catch (error) {
      const isDropped = error instanceof DOMException && error.name === "AbortError";
      if (!isDropped) this.#failed = `It was not saved: ${/** @type {Error} */ (error).message}`;
    }
    this.#say({});
  }

  /** @param {Partial<RecordingSituation>} news */
  #say(news) {
    Object.assign(this.#situation, news);
    this.#panel.update(this.#situation, this.#failed);
  }
}
