/**
 * One session of one peer, of either role: carries out what the handshake decides, over a route and
 * links, and keeps the heartbeat of the channel. What is said on the channel belongs to the client
 * and the evaluator, which give a `Talk`.
 *
 *     connecting ──▶ connected ◀──▶ suspect
 *                        │             │
 *                        ▼             ▼
 *                    interrupted ──▶ resumed (as connected, for the second time and later)
 *                                         from anywhere ──▶ ended
 */

/**
 * @import { AttemptEvent, Input } from "../core/handshake/inputs.js"
 * @import { Output } from "../core/handshake/outputs.js"
 * @import { Health } from "../core/channel/heartbeat.js"
 * @import { ChannelMessage, EndReason, IceServer } from "../core/protocol/wire.js"
 * @import { Route } from "./route.js"
 * @import { DataEvent } from "./shared.js"
 *
 * @typedef {"connecting" | "connected" | "suspect" | "interrupted" | "resumed" | "ended"}
 *   SessionState
 * @typedef {{state: SessionState, at: number, reason: EndReason | null, detail: string,
 *   wasConnected: boolean}} StateChange `at` is in milliseconds since the epoch; `wasConnected`:
 *   there is a channel, or was one
 *
 * @typedef {{iceServers: readonly IceServer[], offers: boolean}} SessionOptions `iceServers`: what the
 *   relay has named last, looked at for each attempt, as credentials expire; `offers`: whether this is
 *   the evaluator's side
 *
 * @typedef {object} Talk
 * @property {() => void} opened a channel is open; there may have been others before
 * @property {() => void} [unanswered] for the client: what it said then may be lost, and is to be said again
 * @property {() => void} [drained] for the evaluator: of what waited to be sent, little is left
 * @property {(event: DataEvent) => void} [shared] something is new on the second channel of the open one
 * @property {(message: ChannelMessage, at: number) => void} received all but pings, and
 *   but pongs of pings that were none of ours
 * @property {(change: StateChange) => void} changed the last one is `ended`; what is sent then may still
 *   arrive
 * @property {() => boolean} [isSeen] for the evaluator: whether what it shows is on the other side's
 *   screen, as that has said
 */

import { LAST_WORDS_DEADLINE, MAX_CHANNEL_MESSAGE } from "../core/protocol/numbers.js";
import { Handshake } from "../core/handshake/handshake.js";
import { lastWords } from "../core/handshake/telling.js";
import { Attempt } from "./attempt.js";
import { Timer, now, seconds } from "./clock.js";

/** @type {AttemptEvent} */
const NO_WEBRTC = {
  kind: "notMade",
  why: "the browser of this side has no WebRTC, or it is turned off there",
  reason: "unsupported",
};

/**
 * What was said last arrives, but where the other side is to take the end for a failure.
 *
 * @param {Map<number, Attempt>} attempts
 * @param {Attempt | undefined} last to be flushed
 */
function closeAll(attempts, last) {
  const closing = [...attempts.values()];
  attempts.clear();
  for (const attempt of closing) {
    if (attempt === last) void attempt.closeChannel().then(() => attempt.close());
    else attempt.close();
  }
}

/** How a session is left: the relay is told once, and last words are waited for. */
class Leaving {
  #session;
  #talk;
  #handshake;
  #offers;
  #hasLeft = false;
  /** Hears when something came in, or the session is over. */
  heard = () => {};

  /**
   * @param {Session} session
   * @param {Talk} talk
   * @param {Handshake} handshake
   * @param {boolean} offers
   */
  constructor(session, talk, handshake, offers) {
    this.#session = session;
    this.#talk = talk;
    this.#handshake = handshake;
    this.#offers = offers;
  }

  get #isSeen() {
    return this.#session.end === null && (this.#talk.isSeen?.() ?? false);
  }

  /**
   * While an image of ours is on the other side's screen, the relay is told first: so the other side
   * takes it down, and has the channel to say so.
   */
  async hearLastWords() {
    if (!this.#isSeen || !this.#handshake.isOurs) return;
    this.leave("ended", "");
    await new Promise((resolve) => {
      setTimeout(resolve, LAST_WORDS_DEADLINE * 1000);
      this.heard = () => this.#isSeen || resolve(undefined);
    });
  }

  /** Nothing more is wanted of it, as it has ended so. @param {EndReason} reason @param {string} detail */
  leave(reason, detail) {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const { route } = this.#session;
    if (this.#handshake.isOurs) {
      route.end(lastWords(route.sessionId, { reason, detail }, this.#offers));
    }
    route.close();
  }
}

export class Session {
  /** @type {SessionState} */
  state = "connecting";
  /** @type {StateChange | null} */
  end = null;
  #wasConnected = false;
  #leaving;
  #options;
  #talk;
  #handshake;
  /** @type {Map<number, Attempt>} */
  #attempts = new Map();
  #timer = new Timer(() => this.#perform(this.#handshake.tick(seconds())));

  /**
   * It begins as soon as whoever makes it has it: what waits in the route may be the end of it.
   *
   * @param {Route} route
   * @param {SessionOptions} options
   * @param {Talk} talk
   */
  constructor(route, options, talk) {
    this.route = route;
    this.#options = options;
    this.#talk = talk;
    this.#handshake = new Handshake({ offers: options.offers, chance: Math.random });
    this.#leaving = new Leaving(this, talk, this.#handshake, options.offers);
    queueMicrotask(() => this.#begin());
  }

  /**
   * @param {ChannelMessage} message
   * @returns {boolean} whether it is on its way; without an open channel it goes nowhere
   * @throws {RangeError} for one that is too large
   */
  send(message) {
    return this.#current?.send(message) ?? false;
  }

  /** Bytes that wait to be sent on the open channel. */
  get waiting() {
    return this.#current?.waiting ?? 0;
  }

  /** Bytes of a message that the other side of the open channel takes. */
  get maxMessage() {
    return this.#current?.maxMessage ?? MAX_CHANNEL_MESSAGE;
  }

  /** Have the second channel, too, beside the open one; that it is there is told. */
  share() {
    this.#current?.share();
  }

  /** @param {string | ArrayBuffer} data on the second channel @returns {boolean} whether it is on its way */
  sendData(data) {
    return this.#current?.sendData(data) ?? false;
  }

  /** End it in good order: the channel first, flushed, then the relay is told. */
  async close() {
    await null; // until it has begun
    if (this.end === null) await this.#leaving.hearLastWords();
    if (this.end !== null) return;
    const attempt = this.#current;
    this.#handshake.handle({ kind: "ownEnd", reason: "ended" }, seconds());
    await attempt?.closeChannel();
    this.#finish("ended", "");
  }

  get #current() {
    return this.#attempts.get(this.#handshake.attempt);
  }

  // ── inputs ─────────────────────────────────────────────────────────────────────────────────────

  /** @param {Input} input */
  #handle(input) {
    this.#perform(this.#handshake.handle(input, seconds()));
  }

  #begin() {
    const { resumed, ownerUnknown, isEarly } = this.route;
    this.#handle({ kind: "start", resumed, ownerUnknown, isHidden: document.hidden, isEarly });
    this.route.listen((input) => this.#handle(input));
  }

  /** @param {Health} health */
  #judge(health) {
    // One whose channel is closed is kept while it may turn out to have failed.
    const isConnected = this.#handshake.phase === "connected";
    if (health === "alive" && isConnected) this.#tell("connected");
    if (health === "suspect" && isConnected) {
      this.route.probe();
      this.#tell("suspect", null, this.#handshake.warning);
    }
    if (health !== "lost") return;
    const { attempt } = this.#handshake;
    const why = "the other side has not answered for too long";
    this.#handle({ kind: "fromAttempt", attempt, event: { kind: "linkLost", why, byPeer: false } });
  }

  // ── outputs ────────────────────────────────────────────────────────────────────────────────────

  /** @param {Output[]} outputs */
  #perform(outputs) {
    for (const output of outputs) this.#performOne(output);
    this.#timer.set(this.#handshake.due);
  }

  /** @param {Output} output */
  #performOne(output) {
    switch (output.kind) {
      case "makeOffer":
        this.#connect(output.attempt, null);
        break;
      case "makeAnswer":
        this.#connect(output.attempt, output.sdp);
        break;
      case "applyAnswer":
        void this.#attempts.get(output.attempt)?.applyAnswer(output.sdp);
        break;
      case "addCandidate":
        void this.#attempts.get(output.attempt)?.addCandidate(output.candidate);
        break;
      case "say":
        this.route.say(output.signal);
        break;
      case "takeUp":
        this.route.takeUp();
        break;
      case "discard":
        this.#attempts.get(output.attempt)?.close();
        this.#attempts.delete(output.attempt);
        break;
      case "connected":
        this.#wasConnected = true;
        this.#tell(this.state === "connecting" ? "connected" : "resumed", null, this.#handshake.warning);
        this.#current?.opened(this.route.features);
        this.#talk.opened();
        this.#current?.catchUp();
        break;
      case "interrupted":
        this.route.probe();
        this.#tell("interrupted", output.reason, output.detail);
        break;
      case "ended":
        this.#finish(output.reason, output.detail);
        break;
      case "note":
        console.debug(`session ${this.route.label}: ${output.text}`);
    }
  }

  /** @param {number} number @param {string | null} offer to be answered; null to make one */
  #connect(number, offer) {
    const happened = (/** @type {AttemptEvent} */ event) => {
      if (event.kind === "hindered") this.route.hindered(event.cause);
      this.#handle({ kind: "fromAttempt", attempt: number, event });
    };
    try {
      /** @type {Attempt} */
      const attempt = new Attempt(this.#options, {
        isCurrent: () => attempt === this.#current,
        happened,
        received: (message, at) => {
          this.#talk.received(message, at);
          this.#leaving.heard();
        },
        judged: (health) => this.#judge(health),
        drained: () => this.#talk.drained?.(),
        unanswered: () => this.#talk.unanswered?.(),
        shared: (event) => this.#talk.shared?.(event),
      });
      this.#attempts.set(number, attempt);
      void attempt.describe(offer);
    } catch (error) {
      // By a browser that has no WebRTC.
      happened(typeof RTCPeerConnection === "undefined" ? NO_WEBRTC : { kind: "notMade", why: String(error) });
    }
  }

  /** @param {EndReason} reason @param {string} detail */
  #finish(reason, detail) {
    if (this.end !== null) return;
    this.#timer.set(Infinity);
    this.#tell("ended", reason, detail);
    this.#leaving.leave(reason, detail);
    this.#leaving.heard();
    closeAll(this.#attempts, reason === "ended" ? this.#current : undefined);
  }

  /** @param {SessionState} state @param {EndReason | null} [reason] @param {string} [detail] */
  #tell(state, reason = null, detail = "") {
    this.state = state;
    const change = { state, at: now(), reason, detail, wasConnected: this.#wasConnected };
    if (state === "ended") this.end = change;
    this.#talk.changed(change);
  }
}
