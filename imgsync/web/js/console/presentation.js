/**
 * One session of the evaluator: what is shown in it, and the record of what becomes of that.
 *
 * @import { ChannelMessage, EndReason, IceServer, Image, ImageSource } from "../core/protocol/wire.js"
 * @import { PresenterOutput } from "../core/channel/presenter.js"
 * @import { Probe, Remark } from "../core/channel/clocks.js"
 * @import { Route } from "../peer/route.js"
 * @import { SessionState, StateChange } from "../peer/session.js"
 */

import { now } from "../peer/clock.js";
import { Latency } from "./latency.js";
import { Measurements } from "../core/channel/measurements.js";
import { Announcements } from "../core/channel/preload.js";
import { Presenter } from "../core/channel/presenter.js";
import { publicUrl } from "./manifest.js";
import { SessionRecord } from "./record.js";
import { Session } from "../peer/session.js";

export class Presentation {
  /** @type {SessionState} */
  state = "connecting";
  /** @type {EndReason | null} */
  reason = null;
  detail = "";
  isEnding = false;
  latency = new Latency();
  #measurements = new Measurements();
  #announcements = new Announcements();
  /** @type {Session | null} */
  #session = null;
  #presenter;
  #record;
  #changed;

  /**
   * @param {Route} route
   * @param {readonly IceServer[]} iceServers
   * @param {SessionRecord} record
   * @param {Image | null} current what a page before this one has shown last in this session
   * @param {() => void} changed something is to be seen that was not
   */
  constructor(route, iceServers, record, current, changed) {
    this.route = route;
    this.#record = record;
    this.#changed = changed;
    this.#presenter = new Presenter({
      lastSentAt: record.lastSentAt,
      current,
      earlier: record.rowsOf(route.sessionId).map((row) => ({
        ...row,
        isOver: !["sent", "acked", "fetched"].includes(row.fate),
      })),
    });
    this.#note(now(), "session", { peerId: route.peerId, resumed: route.resumed });
    this.#session = new Session(
      route,
      { iceServers, offers: true },
      {
        opened: () => {
          this.#measurements.connected();
          this.#perform(this.#presenter.opened(), now());
        },
        received: (message, at) => this.#receive(message, at),
        changed: (change) => this.#follow(change),
      },
    );
  }

  /** @returns {Image | null} what is current, secret included */
  get current() {
    return this.#presenter.current;
  }

  /** How far the client's clock is ahead of ours. */
  get clockOffset() {
    return this.#measurements.offsetAt(now());
  }

  get isOver() {
    return this.state === "ended";
  }

  /**
   * @param {readonly ImageSource[]} images the series
   * @param {number} index
   */
  show(images, index) {
    const source = images[index];
    if (source === undefined || this.isOver || this.isEnding) return;
    const { image, outputs } = this.#presenter.show(index, source, now());
    const { sentAt } = image;
    this.#note(sentAt, "show", { clientId: this.route.peerId, imageIndex: index, imageUrl: publicUrl(source.imageUrl), sentAt });
    this.#perform(outputs, sentAt);
    this.announce(images, index);
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
    this.#perform(this.#presenter.preload(coming), now());
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
    this.#perform(this.#presenter.received(message), at);
  }

  /** @param {Probe} probe */
  #compareClocks(probe) {
    const remark = this.#measurements.ponged(probe);
    this.#remark(remark, probe.t3);
    if (remark?.kind !== "refused") this.latency.ponged(probe);
    this.#note(probe.t3, "probe", probe);
    this.#changed();
  }

  /** @param {Remark | null} remark @param {number} at */
  #remark(remark, at) {
    if (remark?.kind === "stepped") this.#note(at, "clock_step", { by: remark.by, whose: "theirs" });
  }

  /** @param {StateChange} change */
  #follow({ state, at, reason, detail }) {
    Object.assign(this, { state, reason, detail });
    this.#note(at, "state", { state, reason, detail });
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
    if (output.kind === "transmit") {
      const { message } = output;
      const isGone = this.#session?.send(message) ?? false;
      if (isGone && "sentAt" in message) {
        const { imageIndex, sentAt } = message;
        const imageUrl = publicUrl(message.imageUrl);
        this.#note(now(), "sent", { imageIndex, imageUrl, sentAt, copy: this.#presenter.copies });
      }
      return;
    }
    const { imageIndex, sentAt } = output.image;
    switch (output.kind) {
      case "acked":
        this.#acked(output, at);
        break;
      case "superseded":
        this.#note(at, "superseded", { imageIndex, sentAt });
        break;
      case "neverShown":
        this.#note(at, "passed_by", { imageIndex, sentAt });
        break;
      case "staged": {
        const { stage, at: stageAt, reason } = output;
        this.#note(at, "stage", { imageIndex, sentAt, stage, stageAt, reason });
      }
    }
  }

  /** @param {Extract<PresenterOutput, {kind: "acked"}>} output @param {number} ackedAt */
  #acked({ image: { imageIndex, sentAt }, receivedAt, copies }, ackedAt) {
    const { remark, latency } = this.#measurements.acked(sentAt, receivedAt, ackedAt);
    this.#remark(remark, ackedAt);
    const roundTrip = ackedAt - sentAt;
    // The picture is of ways; one that waited for a channel was not on its way all the time.
    if (copies === 1) this.latency.acked(ackedAt, roundTrip, latency);
    this.#note(ackedAt, "acked", {
      imageIndex,
      sentAt,
      receivedAt,
      ackedAt,
      roundTrip,
      latency: latency.value,
      bound: latency.bound,
    });
  }

  /** @param {number} at @param {string} event @param {object} fields */
  #note(at, event, fields) {
    this.#record.add(at, event, { sessionId: this.route.sessionId, ...fields });
  }
}
