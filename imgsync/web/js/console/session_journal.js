/**
 * What one session writes down: the client's clock, and what became of each image. It is the
 * evaluator's half of what the Python peers write, word for word, and two events of the page's own.
 *
 * @import { Extra } from "../core/protocol/extra.js"
 * @import { Facts } from "../core/pictures/facts.js"
 * @import { Probe, Remark } from "../core/channel/clocks.js"
 * @import { Bounded } from "../core/channel/drift.js"
 * @import { PresenterOutput } from "../core/channel/presenter.js"
 * @import { Shown } from "../core/channel/showings.js"
 * @import { Display, Image, Response } from "../core/protocol/wire.js"
 * @import { Standing } from "./journal.js"
 * @import { Study } from "./manifest.js"
 * @import { StateChange } from "../peer/session.js"
 *
 * @typedef {(at: number, event: string, fields: object) => void} Write
 * @typedef {Pick<Standing, "extra" | "own" | "picture">} About
 */

import { Measurements } from "../core/channel/clocks.js";
import { trialFields } from "../core/protocol/trials.js";
import { publicUrl } from "../core/protocol/urls.js";

/** Milliseconds. What the wall clock moves by more at once was set, or slept through: see
 * `imgsync/peer/record.py`. */
const STEP = 100;

/** Measures on the way, as what is measured is written down. */
export class SessionJournal {
  #sessionId;
  #write;
  #about;
  #measurements = new Measurements();
  /** How far our wall clock was ahead when it was looked at last. @type {number | null} */
  #skew = null;
  /** By how much more than the time before; 0 where it was not set. */
  #moved = 0;

  /**
   * @param {string} sessionId
   * @param {Write} write
   * @param {(sentAt: number) => About | undefined} about what is known of the image shown then
   */
  constructor(sessionId, write, about) {
    this.#sessionId = sessionId;
    this.#write = write;
    this.#about = about;
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

  /** An image was handed to the channel. @param {number} at @param {Image} image @param {number} copy */
  sent(at, { imageIndex, imageUrl, sentAt, ...asked }, copy) {
    const { extra = null, own = null } = (copy === 1 && this.#about(sentAt)) || {};
    const trial = copy === 1 ? trialFields(asked) : {};
    const told = { imageIndex, imageUrl: publicUrl(imageUrl), sentAt, copy };
    const isAsked = Object.keys(trial).length > 0;
    this.#note(at, "sent", { ...told, ...(extra !== null && { extra }), ...(isAsked && { trial }) });
    if (own !== null) this.identified(at, { imageIndex, imageUrl, sentAt }, own);
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
  staged(at, { image: { imageIndex, sentAt }, stage, at: stageAt, reason, ...rest }) {
    const { timing, within, detail, frames, dropped, drawn } = rest;
    const more = Object.entries({ timing, within, detail, frames, dropped, drawn }).filter(([, value]) => value !== null);
    this.#note(at, "stage", { imageIndex, sentAt, stage, stageAt, reason, ...Object.fromEntries(more) });
  }

  /** Which picture an image is, where that is news. @param {number} at @param {Shown} image @param {Facts} facts */
  identified(at, { imageIndex, sentAt }, { sha256, contentType, bytes, width, height }) {
    if (this.#about(sentAt)?.picture?.sha256 === sha256) return;
    this.#note(at, "picture", { imageIndex, sentAt, sha256, contentType, bytes, width, height });
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
      case "identified":
        this.identified(at, found.image, { width: null, height: null, ...found.said });
        break;
      case "responded":
        this.#note(at, "response", fieldsOfResponse(found.said));
        break;
      case "displayed":
        this.#note(at, "display", fieldsOfDisplay(found.said));
        break;
      case "staged":
        this.staged(at, found);
    }
  }

  // ── of the evaluator's ─────────────────────────────────────────────────────────────────────────

  /** What is shown in this session is a study. @param {number} at @param {Study} study */
  studyBegan(at, { name, order, seed, entries }) {
    this.#note(at, "study", { name, order, seed, trials: entries });
  }

  /**
   * The evaluator notes this.
   *
   * @param {number} at
   * @param {Shown | null} of what is shown; null before the first image
   * @param {{score: number | null, text: string | null}} mark
   */
  marked(at, of, { score, text }) {
    const [imageIndex, sentAt] = [of?.imageIndex ?? null, of?.sentAt ?? null];
    this.#note(at, "mark", { imageIndex, sentAt, markAt: at, score, text });
  }

  // ── of the page's own ──────────────────────────────────────────────────────────────────────────

  /**
   * An image is to be shown.
   *
   * @param {Shown} image
   * @param {string} clientId
   * @param {Extra | null} extra what else is said of it
   * @param {Facts | null} own which picture it is, where its bytes are ours to send
   */
  ordered({ imageIndex, imageUrl, sentAt }, clientId, extra, own) {
    this.#note(sentAt, "show", { clientId, imageIndex, imageUrl: publicUrl(imageUrl), sentAt, extra, own });
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

/** @param {Response} said */
function fieldsOfResponse({ type: _, at: responseAt, ...rest }) {
  const { imageIndex, sentAt, number, ...more } = rest;
  return { imageIndex, sentAt, number, responseAt, ...more };
}

/** @param {Display} said */
function fieldsOfDisplay({ type: _, at: since, ...facts }) {
  return { since, ...facts };
}
