/**
 * What one session writes down: the client's clock, and what became of each image. It is the
 * evaluator's half of what the Python peers write, word for word, and two events of the page's own.
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Probe, Remark } from "../core/channel/clocks.js"
 * @import { Bounded } from "../core/channel/drift.js"
 * @import { PresenterOutput } from "../core/channel/presenter.js"
 * @import { Shown } from "../core/channel/showings.js"
 * @import { StateChange } from "../peer/session.js"
 *
 * @typedef {(at: number, event: string, fields: object) => void} Write
 */

import { Measurements } from "../core/channel/clocks.js";
import { publicUrl } from "../core/protocol/urls.js";

/** Milliseconds. What the wall clock moves by more at once was set, or slept through: see
 * `imgsync/peer/record.py`. */
const STEP = 100;

/** Measures on the way, as what is measured is written down. */
export class SessionJournal {
  #sessionId;
  #write;
  #extraOf;
  #measurements = new Measurements();
  /** How far our wall clock was ahead when it was looked at last. @type {number | null} */
  #skew = null;
  /** By how much more than the time before; 0 where it was not set. */
  #moved = 0;

  /**
   * @param {string} sessionId
   * @param {Write} write
   * @param {(sentAt: number) => Extra | null} extraOf what else is said of the image shown then
   */
  constructor(sessionId, write, extraOf) {
    this.#sessionId = sessionId;
    this.#write = write;
    this.#extraOf = extraOf;
  }

  /** How far the client's clock is ahead of ours. @param {number} now @returns {Bounded | null} */
  offsetAt(now) {
    return this.#measurements.offsetAt(now);
  }

  /** The session lives. @param {number} at @param {string} peerId @param {boolean} resumed */
  began(at, peerId, resumed) {
    this.#note(at, "session", { peerId, resumed });
  }

  /** It is in another state. @param {StateChange} change */
  changed({ at, state, reason, detail }) {
    this.#note(at, "state", { state, reason, detail });
  }

  /** A channel is open. */
  connected() {
    this.#measurements.connected();
  }

  /** Our wall clock is ahead by so much; the times that we write do not follow it. @param {number} at @param {number} skew */
  looked(at, skew) {
    const moved = this.#skew === null ? 0 : skew - this.#skew;
    this.#skew = skew;
    this.#moved = Math.abs(moved) > STEP ? moved : 0;
    if (this.#moved !== 0) this.#note(at, "clock_step", { sessionId: null, by: moved, whose: "ours" });
  }

  /** A ping of ours was answered. @param {Probe} probe @returns {Remark | null} */
  ponged(probe) {
    const remark = this.#measurements.ponged(probe);
    this.#remark(remark, probe.t3);
    this.#note(probe.t3, "probe", probe);
    return remark;
  }

  /** An image was handed to the channel. @param {number} at @param {Shown} image @param {number} copy */
  sent(at, { imageIndex, imageUrl, sentAt }, copy) {
    const extra = copy === 1 ? this.#extraOf(sentAt) : null;
    const told = { imageIndex, imageUrl: publicUrl(imageUrl), sentAt, copy };
    this.#note(at, "sent", extra === null ? told : { ...told, extra });
  }

  /**
   * The client has it.
   *
   * @param {number} at
   * @param {Shown} image
   * @param {number} receivedAt the client's clock
   * @returns {Bounded} how long it took there
   */
  acked(at, { imageIndex, sentAt }, receivedAt) {
    const { remark, latency } = this.#measurements.acked(sentAt, receivedAt, at);
    this.#remark(remark, at);
    this.#note(at, "acked", {
      imageIndex,
      sentAt,
      receivedAt,
      ackedAt: at,
      roundTrip: at - sentAt,
      latency: latency.value,
      bound: latency.bound,
    });
    return latency;
  }

  /** Another image was shown before this one was acked. @param {number} at @param {Shown} image */
  superseded(at, { imageIndex, sentAt }) {
    this.#note(at, "superseded", { imageIndex, sentAt });
  }

  /** What has become of an image. @param {number} at @param {Extract<PresenterOutput, {kind: "staged"}>} staged */
  staged(at, { image: { imageIndex, sentAt }, stage, at: stageAt, reason, timing, within, detail }) {
    const more = Object.entries({ timing, within, detail }).filter(([, value]) => value !== null);
    this.#note(at, "stage", { imageIndex, sentAt, stage, stageAt, reason, ...Object.fromEntries(more) });
  }

  /** The participant is recorded in another way. @param {number} at @param {Extract<PresenterOutput, {kind: "recorded"}>} recorded */
  recorded(at, { devices, troubles, at: since }) {
    this.#note(at, "recording", { devices, troubles, since });
  }

  /** What was found of an image, or of the client. @param {number} at @param {PresenterOutput} found */
  became(at, found) {
    switch (found.kind) {
      case "tooLarge":
      case "unsendable":
      case "superseded":
        this.superseded(at, found.image);
        break;
      case "neverShown":
        this.passedBy(at, found.image);
        break;
      case "recorded":
        this.recorded(at, found);
        break;
      case "staged":
        this.staged(at, found);
    }
  }

  // ── of the page's own ──────────────────────────────────────────────────────────────────────────

  /** An image is to be shown. @param {Shown} image @param {string} clientId @param {Extra | null} extra */
  ordered({ imageIndex, imageUrl, sentAt }, clientId, extra) {
    this.#note(sentAt, "show", { clientId, imageIndex, imageUrl: publicUrl(imageUrl), sentAt, extra });
  }

  /** A later one is on the screen, and this one never was. @param {number} at @param {Shown} image */
  passedBy(at, { sentAt }) {
    this.#note(at, "passed_by", { sentAt });
  }

  /** @param {Remark | null} remark @param {number} at */
  #remark(remark, at) {
    if (remark?.kind !== "stepped") return;
    // One that stood still here has the other one ahead by as much as the wall clock.
    const isOurs = this.#moved !== 0 && Math.abs(remark.by - this.#moved) <= STEP;
    this.#note(at, "clock_step", { by: remark.by, whose: isOurs ? "ours" : "theirs" });
  }

  /** @param {number} at @param {string} event @param {object} fields */
  #note(at, event, fields) {
    this.#write(at, event, { sessionId: this.#sessionId, ...fields });
  }
}
