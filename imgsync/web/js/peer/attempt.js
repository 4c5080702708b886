/** One attempt of a session: a peer connection, and the line that its first channel is. */

/**
 * @import { Came } from "../core/channel/early.js"
 * @import { Health } from "../core/channel/heartbeat.js"
 * @import { LineOutput } from "../core/channel/line.js"
 * @import { AttemptEvent } from "../core/handshake/inputs.js"
 * @import { CandidateSignal, ChannelMessage, IceServer } from "../core/protocol/wire.js"
 * @import { LinkEvent } from "./link.js"
 * @import { DataEvent } from "./shared.js"
 *
 * @typedef {object} AttemptListener
 * @property {() => boolean} isCurrent one that is being replaced has no say any more
 * @property {(event: AttemptEvent) => void} happened
 * @property {(message: ChannelMessage, at: number) => void} received all but pings, and but pongs of
 *   pings that were none of ours; the others tell how the two clocks differ
 * @property {(health: Health) => void} judged
 * @property {() => void} unanswered
 * @property {() => void} drained
 * @property {(event: DataEvent) => void} shared something is new on its second channel, once the talk has begun
 */

import { Early } from "../core/channel/early.js";
import { Line } from "../core/channel/line.js";
import { Cause } from "../core/protocol/numbers.js";
import { encodeMessage } from "../core/protocol/wire.js";
import { Timer, now, seconds } from "./clock.js";
import { Link } from "./link.js";

export class Attempt {
  #line;
  #early = new Early();
  #timer = new Timer(() => this.#perform(this.#line.tick(seconds())));
  #link;
  #listener;
  /** Whether the talk has begun. */
  #isTalking = false;
  /** Whether the second channel is open. */
  #isShared = false;

  /**
   * @param {{iceServers: readonly IceServer[], offers: boolean}} options of the session
   * @param {AttemptListener} listener
   * @throws {DOMException} for servers that the browser refuses
   */
  constructor({ iceServers, offers }, listener) {
    this.#listener = listener;
    this.#line = new Line(!offers);
    this.#link = new Link(iceServers, offers, (event) => this.#onLinkEvent(event));
  }

  /** @param {string | null} offer its SDP; null to make one */
  async describe(offer) {
    /** @type {AttemptEvent} */
    let event;
    try {
      const sdp = await (offer === null ? this.#link.makeOffer() : this.#link.makeAnswer(offer));
      event = { kind: "described", sdp };
    } catch (error) {
      event = { kind: "notMade", why: String(error) };
    }
    this.#listener.happened(event);
  }

  /** @param {string} sdp */
  async applyAnswer(sdp) {
    try {
      await this.#link.applyAnswer(sdp);
    } catch (error) {
      this.#listener.happened({ kind: "notMade", why: String(error) });
    }
  }

  /** The browser refuses what it can't use; others may still do. @param {CandidateSignal} candidate */
  async addCandidate(candidate) {
    try {
      await this.#link.addCandidate(candidate);
    } catch (error) {
      console.debug(`a candidate was refused: ${error}`);
    }
  }

  /**
   * @param {ChannelMessage} message
   * @returns {boolean} whether it is on its way
   * @throws {RangeError} for one that is too large
   */
  send(message) {
    return this.#link.send(encodeMessage(message));
  }

  /** Bytes that wait to be sent. */
  get waiting() {
    return this.#link.waiting;
  }

  /** Bytes of a message that the other side takes, once the channel is open. */
  get maxMessage() {
    return this.#link.maxMessage;
  }

  /** Have the second channel, too. */
  share() {
    this.#link.share();
  }

  /** @param {string | ArrayBuffer} data on the second channel @returns {boolean} whether it is on its way */
  sendData(data) {
    return this.#link.sendData(data);
  }

  /** Its channel is open. @param {readonly string[]} features what the client speaks, as the relay knows */
  opened(features) {
    this.#perform(this.#line.opened(features, seconds()));
  }

  /** Its talk has begun: what came in before is heard now. */
  catchUp() {
    this.#isTalking = true;
    this.#read(this.#early.opened());
    if (this.#isShared) this.#onDataEvent({ kind: "shared" });
  }

  /** With what was sent before; nothing is told any more. */
  closeChannel() {
    return this.#link.closeChannel();
  }

  /** At once. What was under way may still be told, and is no news. */
  close() {
    this.#timer.set(Infinity);
    this.#link.close();
  }

  /** It ends: say what may be why, where that can be seen. */
  #blame() {
    if (this.#line.isOneWay) this.#listener.happened({ kind: "hindered", cause: Cause.PATH_MTU });
  }

  /** @param {LinkEvent} event */
  #onLinkEvent(event) {
    switch (event.kind) {
      case "received":
        this.#read(this.#early.come(event.data, event.at));
        break;
      case "drained":
        if (this.#listener.isCurrent()) this.#listener.drained();
        break;
      case "shared":
      case "dataReceived":
      case "dataDrained":
      case "unshared":
        this.#onDataEvent(event);
        break;
      default:
        if (event.kind === "linkLost" || event.kind === "channelClosed") this.#blame();
        this.#listener.happened(event);
    }
  }

  /** @param {DataEvent} event */
  #onDataEvent(event) {
    if (event.kind === "shared") this.#isShared = true;
    if (this.#isTalking && this.#listener.isCurrent()) this.#listener.shared(event);
  }

  /** @param {Came[]} came */
  #read(came) {
    for (const { data, at } of came) this.#perform(this.#line.receive(data, at, seconds()));
  }

  /** @param {LineOutput[]} outputs */
  #perform(outputs) {
    for (const output of outputs) {
      if (!this.#listener.isCurrent()) return;
      this.#performOne(output);
    }
    if (this.#listener.isCurrent()) this.#timer.set(this.#line.due);
  }

  /** @param {LineOutput} output */
  #performOne(output) {
    switch (output.kind) {
      case "sendPing":
        this.send({ type: "ping", id: output.id, t0: now() });
        break;
      case "sendPong": {
        const { id, t0 } = output.ping;
        this.send({ type: "pong", id, t0, t1: output.t1, t2: now() });
        break;
      }
      case "judged":
        if (output.health === "lost") this.#blame();
        this.#listener.judged(output.health);
        break;
      case "ponged":
        this.#listener.received(output.pong, output.t3);
        break;
      case "heard":
        this.#listener.received(output.message, output.at);
        break;
      case "unanswered":
        this.#listener.unanswered();
        break;
      case "drop":
        console.debug(`dropped a message: ${output.why}`);
    }
  }
}
