/**
 * One session of the evaluator: what is shown in it, and what becomes of that.
 *
 * @import { ChannelMessage, IceServer, Image, ImageSource } from "../core/protocol/wire.js"
 * @import { PresenterOutput } from "../core/channel/presenter.js"
 * @import { Journal } from "./journal.js"
 * @import { Probe } from "../core/channel/clocks.js"
 * @import { Route } from "../peer/route.js"
 * @import { StateChange } from "../peer/session.js"
 */

import { Announcements } from "../core/channel/preload.js";
import { Presenter } from "../core/channel/presenter.js";
import { now, skew } from "../peer/clock.js";
import { Session } from "../peer/session.js";
import { Latency } from "./latency.js";
import { SessionJournal } from "./session_journal.js";
import { describeRecording, describeTooLong } from "../words/console.js";

export class Presentation {
  isEnding = false;
  /** Why the last image was not shown. */
  trouble = "";
  /** What is the matter with the recording of the participant. */
  recordingTrouble = "";
  latency = new Latency();
  /** What has become of the session. @type {StateChange} */
  #change = { state: "connecting", at: 0, reason: null, detail: "", wasConnected: false };
  #announcements = new Announcements();
  /** @type {Session | null} */
  #session = null;
  #presenter;
  #journal;
  #changed;

  /**
   * @param {Route} route
   * @param {readonly IceServer[]} iceServers
   * @param {Journal} journal
   * @param {Image | null} current what a page before this one has shown last in this session
   * @param {() => void} changed something is to be seen that was not
   */
  constructor(route, iceServers, journal, current, changed) {
    this.route = route;
    this.#changed = changed;
    this.#presenter = new Presenter({
      lastSentAt: journal.lastSentAt,
      current,
      earlier: journal.rowsOf(route.sessionId).map((row) => ({
        ...row,
        isOver: !["sent", "acked", "fetched"].includes(row.fate),
      })),
    });
    this.#journal = new SessionJournal(route.sessionId, (at, event, fields) =>
      journal.add(at, event, fields),
    );
    this.#journal.began(now(), route.peerId, route.resumed);
    this.#session = new Session(
      route,
      { iceServers, offers: true },
      {
        opened: () => {
          this.#journal.connected();
          const limit = this.#session?.maxMessage;
          this.#perform(this.#presenter.opened(route.features, limit), now());
        },
        drained: () => this.#perform(this.#presenter.drained(this.#waiting), now()),
        received: (message, at) => this.#receive(message, at),
        changed: (change) => this.#follow(change),
        isSeen: () => this.#presenter.isSeen,
      },
    );
  }

  get #waiting() {
    return this.#session?.waiting ?? 0;
  }

  get state() {
    return this.#change.state;
  }

  /** Why it has ended. */
  get reason() {
    return this.#change.reason;
  }

  get detail() {
    return this.#change.detail;
  }

  get wasConnected() {
    return this.#change.wasConnected;
  }

  get isOver() {
    return this.state === "ended";
  }

  /** @returns {Image | null} what is current, secret included */
  get current() {
    return this.#presenter.current;
  }

  /** How far the client's clock is ahead of ours. */
  get clockOffset() {
    return this.#journal.offsetAt(now());
  }

  /**
   * @param {readonly ImageSource[]} images the series
   * @param {number} index
   */
  show(images, index) {
    const source = images[index];
    if (source === undefined || this.isOver || this.isEnding) return;
    const shown = orTooLarge(() => this.#presenter.show(index, source, now()));
    this.trouble = shown === null ? describeTooLong(index) : "";
    if (shown !== null) {
      this.#journal.ordered(shown.image, this.route.peerId);
      this.#perform(shown.outputs, shown.image.sentAt);
      this.announce(images, index);
    }
    this.#changed();
  }

  /**
   * @param {readonly ImageSource[]} images the series
   * @param {number | null} index of what is shown; null before the first
   */
  announce(images, index) {
    const places = this.#announcements.next(images.length, index);
    if (places === null) return;
    const coming = places.map((place) => /** @type {ImageSource} */ (images[place]));
    // It is only a hint; what is wrong comes out when an image is shown.
    const outputs = orTooLarge(() => this.#presenter.preload(coming, this.#waiting));
    this.#perform(outputs ?? [], now());
  }

  /** Another one takes the place of the one that was announced. @param {readonly ImageSource[]} images */
  seriesChanged(images) {
    this.#announcements = new Announcements();
    this.announce(images, null);
  }

  /** In good order: the channel first, then the relay is told. */
  async end() {
    if (this.isEnding) return;
    this.isEnding = true;
    this.#changed();
    await this.#session?.close();
  }

  /** @param {ChannelMessage} message @param {number} at */
  #receive(message, at) {
    if ("type" in message && message.type === "pong") {
      this.#compareClocks({ t0: message.t0, t1: message.t1, t2: message.t2, t3: at });
      return;
    }
    this.#perform(this.#presenter.received(message, this.#waiting), at);
  }

  /** @param {Probe} probe */
  #compareClocks(probe) {
    this.#journal.looked(probe.t3, skew());
    const remark = this.#journal.ponged(probe);
    if (remark?.kind !== "refused") this.latency.ponged(probe);
    this.#changed();
  }

  /** @param {StateChange} change */
  #follow(change) {
    const { state, at } = change;
    this.#change = change;
    this.#journal.changed(change);
    if (state === "interrupted" || state === "ended") this.#perform(this.#presenter.closed(), at);
    this.#changed();
  }

  /** @param {PresenterOutput[]} outputs @param {number} at */
  #perform(outputs, at) {
    for (const output of outputs) this.#performOne(output, at);
    if (outputs.length > 0) this.#changed();
  }

  /** @param {PresenterOutput} output @param {number} at */
  #performOne(output, at) {
    switch (output.kind) {
      case "transmit": {
        const { message } = output;
        const isGone = this.#session?.send(message) ?? false;
        if (isGone && "sentAt" in message) this.#journal.sent(now(), message, this.#presenter.copies);
        break;
      }
      case "acked": {
        const { image, receivedAt, copies } = output;
        this.#journal.looked(at, skew());
        const latency = this.#journal.acked(at, image, receivedAt);
        // The picture is of ways; one that waited for a channel was not on its way all the time.
        if (copies === 1) this.latency.acked(at, at - image.sentAt, latency);
        break;
      }
      case "tooLarge":
        this.trouble = describeTooLong(output.image.imageIndex);
        this.#journal.superseded(at, output.image);
        break;
      case "superseded":
        this.#journal.superseded(at, output.image);
        break;
      case "neverShown":
        this.#journal.passedBy(at, output.image);
        break;
      case "recorded":
        this.recordingTrouble = describeRecording(output.devices, output.troubles);
        this.#journal.recorded(at, output);
        break;
      case "staged":
        this.#journal.staged(at, output);
    }
  }
}

/**
 * @template T
 * @param {() => T} say
 * @returns {T | null} null where the client does not take a message of that size
 */
function orTooLarge(say) {
  try {
    return say();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null;
  }
}
