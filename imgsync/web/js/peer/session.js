/**
 * One session of one peer, of either role: carries out what the handshake decides, over a route and
 * links, and keeps the heartbeat of the channel. What is said on the channel belongs to the client
 * and the evaluator, who give a `Talk`.
 *
 *     connecting ──▶ connected ◀──▶ suspect
 *                        │             │
 *                        ▼             ▼
 *                    interrupted ──▶ resumed (as connected, for the second time and later)
 *                                         from anywhere ──▶ ended
 */

/**
 * @import { ChannelMessage, EndReason, IceServer } from "../core/protocol/wire.js"
 * @import { HeartbeatOutput } from "../core/channel/heartbeat.js"
 * @import { LinkEvent } from "./link.js"
 * @import { Output } from "../core/handshake/outputs.js"
 * @import { Route, RouteInput } from "./route.js"
 *
 * @typedef {"connecting" | "connected" | "suspect" | "interrupted" | "resumed" | "ended"}
 *   SessionState
 * @typedef {{state: SessionState, at: number, reason: EndReason | null, detail: string}} StateChange
 *   `at` is in milliseconds since the epoch
 *
 * @typedef {object} Talk
 * @property {() => void} opened a channel is open; there may have been others before
 * @property {(message: ChannelMessage, at: number) => void} received all but pings and pongs
 * @property {(change: StateChange) => void} changed the last one is `ended`
 */

import { backoff } from "./backoff.js";
import { now, seconds } from "./clock.js";
import { Handshake } from "../core/handshake/handshake.js";
import { Heartbeat } from "../core/channel/heartbeat.js";
import { Link } from "./link.js";
import { FEATURE_PING } from "../core/protocol/numbers.js";
import { decodeMessage, encodeMessage } from "../core/protocol/wire.js";

/** A peer connection while its session has use for it. */
class Attempt {
  heart = new Heartbeat();
  /** Of the heart. @type {number | undefined} */
  timer;

  /** @param {Link} link */
  constructor(link) {
    this.link = link;
  }

  discard() {
    clearTimeout(this.timer);
    this.link.close();
  }
}

export class Session {
  /** @type {SessionState} */
  state = "connecting";
  /** @type {StateChange | null} */
  end = null;
  #iceServers;
  #offers;
  #talk;
  #handshake;
  /** @type {Map<number, Attempt>} */
  #attempts = new Map();
  /** @type {Set<number>} */
  #timers = new Set();
  /** Whether it is the relay that has ended it. */
  #isTold = false;

  /**
   * It begins at once.
   *
   * @param {Route} route
   * @param {{iceServers: readonly IceServer[], offers: boolean}} options `offers`: whether this is
   *   the evaluator's side
   * @param {Talk} talk
   */
  constructor(route, { iceServers, offers }, talk) {
    this.route = route;
    this.#iceServers = iceServers;
    this.#offers = offers;
    this.#talk = talk;
    this.#handshake = new Handshake(offers);
    this.#perform(this.#handshake.start(route.resumed, route.isDisputed));
    route.listen((input) => this.#perform(this.#onRouteInput(input)));
  }

  /**
   * @param {ChannelMessage} message
   * @returns {boolean} whether it is on its way; without an open channel it goes nowhere
   * @throws {RangeError} for one that is too large
   */
  send(message) {
    return this.#current?.link.send(encodeMessage(message)) ?? false;
  }

  /** End it in good order: the channel first, flushed, then the relay is told. */
  async close() {
    if (this.state !== "ended") {
      const link = this.#current?.link;
      this.#handshake.sessionEnded("ended");
      await link?.closeChannel();
      this.#finish("ended", "");
    }
  }

  get #current() {
    return this.#attempts.get(this.#handshake.attempt);
  }

  // ── inputs ─────────────────────────────────────────────────────────────────────────────────────

  /** @param {RouteInput} input @returns {Output[]} */
  #onRouteInput(input) {
    const core = this.#handshake;
    switch (input.kind) {
      case "signal":
        return core.receive(input.signal);
      case "ended":
        this.#isTold = true;
        return core.sessionEnded(input.reason);
      case "relayLost":
        core.signallingLost();
        return [];
      case "relayBack":
        this.#isTold = false;
        return core.signallingBack();
      case "peerAway":
        core.peerAway();
        return [];
      case "peerBack":
        return core.peerBack();
    }
  }

  /** @param {number} number @param {LinkEvent} event @returns {Output[]} */
  #onLinkEvent(number, event) {
    const core = this.#handshake;
    switch (event.kind) {
      case "gathered":
        return core.gathered(number, event.candidate);
      case "opened":
        return core.opened(number);
      case "received":
        if (number === core.attempt) this.#receive(event.data, event.at);
        return [];
      case "closed":
        if (event.why === "left") return core.left(number);
        return core.lost(number, event.why === "channel" ? "ended" : "connection_lost", event.detail);
    }
  }

  /** @param {unknown} data @param {number} at */
  #receive(data, at) {
    const attempt = this.#current;
    const message = decodeMessage(data);
    if (message === null || attempt === undefined) return;
    const type = "type" in message ? message.type : "image";
    if (type === "ping") {
      const { id, t0 } = /** @type {import("../core/protocol/wire.js").Ping} */ (message);
      this.send({ type: "pong", id, t0, t1: at, t2: now() });
      this.#beat(attempt, attempt.heart.begin(seconds()));
    } else if (type === "pong") {
      const { id } = /** @type {import("../core/protocol/wire.js").Pong} */ (message);
      if (attempt.heart.hasSent(id)) this.#talk.received(message, at);
      this.#beat(attempt, attempt.heart.answered(id, seconds()));
    } else if (type === "ready") {
      const { features } = /** @type {import("../core/protocol/wire.js").Ready} */ (message);
      if (features.includes(FEATURE_PING)) this.#beat(attempt, attempt.heart.begin(seconds()));
    }
    // The talk gets pongs, too, if we have asked: they tell how the two clocks differ.
    if (type !== "ping" && type !== "pong") this.#talk.received(message, at);
  }

  /** @param {Attempt} attempt @param {HeartbeatOutput[]} outputs */
  #beat(attempt, outputs) {
    if (attempt !== this.#current) return; // one that is being replaced has no say any more
    for (const output of outputs) {
      if (output.kind === "ping") this.send({ type: "ping", id: output.id, t0: now() });
      else if (output.health === "alive") this.#tell("connected");
      else if (output.health === "suspect") {
        this.route.probe();
        this.#tell("suspect");
      } else if (output.health === "lost") {
        const silence = "the other side has not answered for too long";
        this.#perform(this.#handshake.lost(this.#handshake.attempt, "connection_lost", silence));
        return;
      }
    }
    clearTimeout(attempt.timer);
    if (attempt.heart.due === Infinity) return;
    const ms = Math.max(0, (attempt.heart.due - seconds()) * 1000);
    attempt.timer = setTimeout(() => this.#beat(attempt, attempt.heart.tick(seconds())), ms);
  }

  // ── outputs ────────────────────────────────────────────────────────────────────────────────────

  /** @param {Output[]} outputs */
  #perform(outputs) {
    for (const output of outputs) this.#performOne(output);
  }

  /** @param {Output} output */
  #performOne(output) {
    switch (output.kind) {
      case "makeOffer":
      case "makeAnswer":
      case "applyAnswer":
        void this.#negotiate(output);
        break;
      case "addCandidate":
        // The browser refuses what it can't use; the others may still do.
        this.#attempts.get(output.attempt)?.link.addCandidate(output.candidate).catch(logRefusal);
        break;
      case "say":
        this.route.say(output.signal);
        break;
      case "timer":
        this.#setTimer(output);
        break;
      case "takeUp":
        this.route.takeUp();
        break;
      case "discard":
        this.#attempts.get(output.attempt)?.discard();
        this.#attempts.delete(output.attempt);
        break;
      case "connected":
        this.#tell(this.state === "connecting" ? "connected" : "resumed");
        this.#talk.opened();
        break;
      case "interrupted":
        this.route.probe();
        this.#tell("interrupted", output.reason, output.detail);
        break;
      case "ended":
        this.#finish(output.reason, output.detail);
        break;
      case "note":
        console.debug(`session ${this.route.sessionId}: ${output.text}`);
        break;
    }
  }

  /** @param {Extract<Output, {kind: "timer"}>} output */
  #setTimer({ timer, number, seconds, failures }) {
    const wait = seconds ?? backoff(failures - 1);
    const id = setTimeout(() => {
      this.#timers.delete(id);
      this.#perform(this.#handshake[timer](number));
    }, wait * 1000);
    this.#timers.add(id);
  }

  /** @param {Extract<Output, {kind: "makeOffer" | "makeAnswer" | "applyAnswer"}>} output */
  async #negotiate(output) {
    const number = output.attempt;
    const core = this.#handshake;
    try {
      if (output.kind === "applyAnswer") {
        await this.#attempts.get(number)?.link.applyAnswer(output.sdp);
        return;
      }
      const link = new Link(this.#iceServers, this.#offers, (event) =>
        this.#perform(this.#onLinkEvent(number, event)),
      );
      this.#attempts.set(number, new Attempt(link));
      const isOffer = output.kind === "makeOffer";
      const sdp = await (isOffer ? link.makeOffer() : link.makeAnswer(output.sdp));
      this.#perform(core.described(number, sdp));
    } catch (error) {
      // Of a link that was discarded meanwhile, this is no news; the handshake knows.
      this.#perform(core.lost(number, "negotiation_failed", String(error)));
    }
  }

  /** @param {EndReason} reason @param {string} detail */
  #finish(reason, detail) {
    if (this.end !== null) return;
    for (const timer of this.#timers) clearTimeout(timer);
    const attempts = [...this.#attempts.values()];
    this.#attempts.clear();
    attempts.forEach((attempt) => attempt.discard());
    if (!this.#isTold && this.#handshake.isOurs) this.route.end();
    this.route.close();
    this.#tell("ended", reason, detail);
  }

  /** @param {SessionState} state @param {EndReason | null} [reason] @param {string} [detail] */
  #tell(state, reason = null, detail = "") {
    this.state = state;
    const change = { state, at: now(), reason, detail };
    if (state === "ended") this.end = change;
    this.#talk.changed(change);
  }
}

/** @param {unknown} error */
function logRefusal(error) {
  console.debug(`a candidate was refused: ${error}`);
}
