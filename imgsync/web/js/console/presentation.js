/**
 * One session of the evaluator: what is shown in it, and what becomes of that.
 *
 * @import { ChannelMessage, Image, ImageSource, Preloaded } from "../core/protocol/wire.js"
 * @import { PresenterOutput } from "../core/channel/presenter.js"
 * @import { Listed } from "./manifest.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { Earlier } from "../core/channel/showings.js"
 * @import { Journal, Standing } from "./journal.js"
 * @import { Noted } from "./marking.js"
 * @import { Phase } from "../words/console.js"
 * @import { Probe } from "../core/channel/clocks.js"
 * @import { SharingSession } from "./sharing_session.js"
 * @import { StateChange } from "../peer/session.js"
 * @import { Series } from "./own_page.js"
 */

import { Contact } from "./contact.js";
import { Course } from "./course.js";
import { Announcements } from "../core/channel/preload.js";
import { Presenter } from "../core/channel/presenter.js";
import { trialFields } from "../core/protocol/trials.js";
import { now, skew } from "../peer/clock.js";
import { Latency } from "./latency.js";
import { Remarks } from "./remarks.js";
import { SessionJournal } from "./session_journal.js";
import { describeTooLong } from "../words/console.js";

export class Presentation {
  isEnding = false;
  remarks = new Remarks();
  latency = new Latency();
  contact = new Contact();
  course;
  /** What has become of the session. @type {StateChange} */
  change = { state: "connecting", at: 0, reason: null, detail: "", wasConnected: false };
  #announcements = new Announcements();
  #session;
  #presenter;
  #journal;
  #listener;

  /**
   * @param {SharingSession} session
   * @param {Journal} journal
   * @param {Image | null} current what a page before this one has shown last in this session
   * @param {object} listener
   * @param {(said: Preloaded) => void} listener.counted how many of those that were announced are there
   * @param {() => void} listener.changed something is to be seen that was not
   * @param {(reason: string) => void} listener.failed
   */
  constructor(session, journal, current, listener) {
    const { route } = session;
    this.route = route;
    this.#listener = listener;
    const earlier = journal.rowsOf(route.sessionId);
    this.#presenter = new Presenter({ lastSentAt: journal.lastSentAt, current, earlier: earlier.map(earlierOf) });
    this.course = courseOf(current, earlier, () => this.remarks.speaks ?? route.features);
    const about = (/** @type {number} */ sentAt) => journal.rows.get(sentAt);
    this.#journal = new SessionJournal(route.sessionId, journal.add.bind(journal), about);
    this.#journal.began(now(), route.peerId, route.resumed);
    this.#session = session;
    session.listen({
      opened: () => {
        this.#journal.connected();
        const limit = this.#session.maxMessage;
        this.#perform(this.#presenter.opened(route.features, limit), now());
      },
      drained: () => this.#perform(this.#presenter.drained(this.#session.waiting), now()),
      received: (message, at) => this.#receive(message, at),
      changed: (change) => this.#follow(change),
      isSeen: () => this.#presenter.isSeen,
    });
  }

  get isOver() {
    return this.change.state === "ended";
  }

  /** Whether the server has lost the client, and nothing was heard of it since. */
  get isGone() {
    return this.contact.isGone;
  }

  /** @returns {Phase} */
  get phase() {
    const { state } = this.change;
    if (state === "ended") return "over";
    if (state === "connecting" || state === "interrupted") return "waiting";
    return state === "suspect" || this.isGone ? "unsure" : "open";
  }

  /** @returns {Image | null} secret included */
  get current() {
    return this.#presenter.current;
  }

  /** How far the client's clock is ahead of ours. */
  get clockOffset() {
    return this.#journal.offsetAt(now());
  }

  /**
   * @param {readonly Listed[]} images the series
   * @param {number} index
   */
  show(images, index) {
    const source = images[index];
    if (source === undefined || this.isOver || this.isEnding) return;
    const shown = orTooLarge(() => this.#presenter.show(index, source, now()));
    this.remarks.trouble = shown === null ? describeTooLong(index) : "";
    if (shown === null) {
      this.course.refuse(source.imageUrl, now());
    } else {
      this.course.begin(source.imageUrl, shown.image.sentAt, source.trial);
      this.#journal.ordered(shown.image, this.route.peerId, source.extra ?? null, factsOf(source));
      this.#perform(shown.outputs, shown.image.sentAt);
      this.announce(images, index);
    }
    this.#listener.changed();
  }

  /**
   * @param {readonly ImageSource[]} images the series
   * @param {number | null} index of what is shown; null before the first
   */
  announce(images, index) {
    const places = this.#announcements.next(images.length, index);
    this.#session.offer(images.slice(index ?? 0, (index ?? -1) + 1));
    if (places === null) return;
    const coming = places.map((place) => /** @type {ImageSource} */ (images[place]));
    // It is only a hint; what is wrong comes out when an image is shown.
    const outputs = orTooLarge(() => this.#presenter.preload(coming, this.#session.waiting));
    this.#session.offer(outputs === null ? [] : coming);
    this.#perform(outputs ?? [], now());
  }

  /**
   * Another one takes the place of the one that was announced, or has other URLs.
   *
   * @param {readonly ImageSource[]} images @param {number | null} index of what is shown of it
   */
  seriesChanged(images, index) {
    this.#presenter.renew(images);
    this.#announcements = new Announcements();
    this.announce(images, index);
  }

  /** What is shown from now on, which may be a study. @param {Series | null} series */
  seriesBegan(series) {
    if (series?.study) this.#journal.studyBegan(now(), series.study);
  }

  /** The evaluator notes this of what is shown, or was last. @param {Noted} noted */
  mark(noted) {
    this.#journal.marked(now(), this.current, noted);
    this.#listener.changed();
  }

  /** In good order: the channel first, then the relay is told. */
  async end() {
    if (this.isEnding) return;
    this.isEnding = true;
    this.#listener.changed();
    await this.#session.close();
  }

  /** @param {ChannelMessage} message @param {number} at */
  #receive(message, at) {
    this.contact.heard(at);
    this.remarks.hear(message);
    if ("type" in message && message.type === "pong") {
      this.#compareClocks({ t0: message.t0, t1: message.t1, t2: message.t2, t3: at });
    } else this.#perform(this.#presenter.received(message, this.#session.waiting), at);
  }

  /** @param {Probe} probe */
  #compareClocks(probe) {
    this.#journal.looked(probe.t3, skew());
    const remark = this.#journal.ponged(probe);
    if (remark?.kind !== "refused") this.latency.ponged(probe);
    this.#listener.changed();
  }

  /** @param {StateChange} change */
  #follow(change) {
    const { state, at } = change;
    this.change = change;
    this.#journal.changed(change);
    if (state === "interrupted" || state === "ended") this.#perform(this.#presenter.closed(), at);
    this.#listener.changed();
  }

  /** @param {PresenterOutput[]} outputs @param {number} at */
  #perform(outputs, at) {
    for (const output of outputs) this.#performOne(output, at);
    if (outputs.length > 0) this.#listener.changed();
  }

  /** @param {PresenterOutput} output @param {number} at */
  #performOne(output, at) {
    switch (output.kind) {
      case "transmit": {
        const { message } = output;
        const isGone = this.#session.send(message) ?? false;
        if (isGone && "imageUrl" in message) this.#journal.sent(now(), message, this.#presenter.copies);
        break;
      }
      case "share":
        return void this.#session.share();
      case "acked": {
        const { image, receivedAt, copies } = output;
        this.#journal.looked(at, skew());
        const latency = this.#journal.acked(at, image, receivedAt);
        // The picture is of ways; one that waited for a channel was not on its way all the time.
        if (copies === 1) this.latency.acked(at, at - image.sentAt, latency);
        break;
      }
      default:
        this.#journal.became(at, output);
    }
    this.remarks.heed(output);
    this.course.heed(output, at);
    if (output.kind === "counted") this.#listener.counted(output.said);
    if (output.kind === "staged" && output.stage === "failed") this.#listener.failed(output.reason ?? "");
  }
}

/** @param {Standing} row @returns {Earlier} */
function earlierOf(row) {
  return { ...row, isOver: !["sent", "acked", "fetched"].includes(row.fate) };
}

/**
 * @param {Image | null} current what a page before this one has shown last
 * @param {readonly Standing[]} earlier of the same session
 * @param {() => readonly string[]} spoken by the client
 */
function courseOf(current, earlier, spoken) {
  const course = new Course(spoken);
  if (current === null) return course;
  const heard = earlier.find(({ sentAt }) => sentAt === current.sentAt)?.responses ?? [];
  course.begin(current.imageUrl, current.sentAt, trialFields(current), heard.length > 0);
  return course;
}

/** Of a picture whose bytes are ours. @param {Listed} source @returns {Facts | null} */
function factsOf({ own }) {
  return /** @type {{facts: Facts} | undefined} */ (own)?.facts ?? null;
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
