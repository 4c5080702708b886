/**
 * One peer connection with its data channels, for either side. It carries out and decides nothing.
 *
 * @import { AttemptEvent } from "../core/handshake/inputs.js"
 * @import { CandidateSignal, IceServer } from "../core/protocol/wire.js"
 * @import { DataEvent } from "./shared.js"
 *
 * @typedef {AttemptEvent | {kind: "received", data: unknown, at: number} | {kind: "drained"} | DataEvent} LinkEvent
 *   `drained`: more than DRAINED bytes waited to be sent, and do no more.
 *   One of `channelClosed` and `linkLost` comes last, or the one that is no reset and then the other.
 */

import { now } from "./clock.js";
import { parseDescription, reduceOffer, respell } from "../core/handshake/sdp.js";
import {
  CHANNEL_LABEL,
  Cause,
  DATA_LABEL,
  DRAINED,
  MAX_BUFFERED,
  MAX_CHANNEL_MESSAGE,
  MAX_MESSAGE_SIZE,
} from "../core/protocol/numbers.js";
import { connectWith } from "./servers.js";
import { SharedChannel } from "./shared.js";

/** How long the other side has to close its half of the channel, and to take what was sent. */
const CLOSE_MS = 2000;

/**
 * How long DTLS has on a path that works, until large packets may be what is lost: it takes two or
 * three times there and back, and what is lost is sent again each second.
 */
const HANDSHAKE_PATIENCE_MS = 3000;

/** The media identification that browsers give to the data channel's section of an offer. */
const OWN_MID = "0";

/**
 * Whether this browser tells errors of transports, so that a channel whose whole connection has gone
 * gets one before its close, and a close alone is a stream that was reset. That there is an
 * RTCErrorEvent says nothing: Firefox 153 has it, and fires none.
 */
const TELLS_ERRORS = "RTCDtlsTransport" in globalThis && "onerror" in RTCDtlsTransport.prototype;

/**
 * @param {string} sdp
 * @param {string} from
 * @param {string} to
 */
function renameMid(sdp, from, to) {
  return sdp
    .replace(`a=mid:${from}\r\n`, `a=mid:${to}\r\n`)
    .replace(`a=group:BUNDLE ${from}\r\n`, `a=group:BUNDLE ${to}\r\n`);
}

/** Browsers allow a quarter of a MiB, or a GiB. @param {string} sdp of ours */
function allow(sdp) {
  return sdp.replace(/^a=max-message-size:.*/gm, `a=max-message-size:${MAX_MESSAGE_SIZE}`);
}

/** @param {unknown} data of a message event @returns {boolean} whether it is longer than we have allowed */
function isTooLong(data) {
  if (data instanceof Blob) return data.size > MAX_MESSAGE_SIZE;
  if (data instanceof ArrayBuffer) return data.byteLength > MAX_MESSAGE_SIZE;
  // A unit of UTF-16 takes three bytes at most.
  const text = String(data);
  return text.length > MAX_MESSAGE_SIZE / 3 && new TextEncoder().encode(text).length > MAX_MESSAGE_SIZE;
}

/** The code of a server that gave no answer, or could not be reached; W3C WebRTC, section 5.6.3. */
const NOT_REACHED = 701;

/** @param {RTCPeerConnectionIceErrorEvent} event @returns {string} one of `Cause` */
function causeOf({ url, errorCode }) {
  const isTurn = /^turns?:/i.test(url ?? "");
  if (isTurn && errorCode === 401) return Cause.TURN_UNAUTHORIZED;
  if (errorCode === NOT_REACHED) return isTurn ? Cause.TURN_SILENT : Cause.STUN_SILENT;
  return isTurn ? Cause.TURN_FAILED : Cause.STUN_FAILED;
}

export class Link {
  /**
   * What the section of our offer is called on the wire: an answer repeats it, and by that is told
   * from one to an earlier offer. Three characters, as RFC 9429, section 5.2.1, asks for no more. The
   * connection itself calls it OWN_MID.
   */
  #mid = Math.random().toString(36).slice(2, 5).padEnd(3, "0");
  /**
   * The data channel's, as the connection knows it: of it are candidates that don't say of which.
   *
   * @type {{sdpMid: string} | {sdpMLineIndex: number}}
   */
  #section = { sdpMid: OWN_MID };
  #offers;
  #pc;
  #tell;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  #shared = new SharedChannel((event) => this.#happened(event));
  #isOver = false;
  /** Whether the channel has failed, and not been closed. */
  #hasFailed = false;

  /**
   * @param {readonly IceServer[]} iceServers that the relay names
   * @param {boolean} offers whether this side makes the channel
   * @param {(event: LinkEvent) => void} tell
   * @param {boolean} [isRelayed] whether it may go through TURN servers alone
   */
  constructor(iceServers, offers, tell, isRelayed = false) {
    this.#tell = tell;
    this.#offers = offers;
    const { connection, causes } = connectWith(iceServers, isRelayed);
    this.#pc = connection;
    queueMicrotask(() => causes.forEach((cause) => this.#hindered(cause)));
    this.#pc.onicecandidate = ({ candidate }) => this.#gathered(candidate);
    this.#pc.onicecandidateerror = (event) => this.#hindered(causeOf(event));
    const failing = () => {
      // Firefox has the state of the whole from 113 on.
      if ((this.#pc.connectionState ?? this.#pc.iceConnectionState) !== "failed") return;
      if (this.#pc.sctp?.transport.state === "failed") this.#hindered(Cause.DTLS_REFUSED);
      this.#finish({ kind: "linkLost", why: "the connection failed", byPeer: false });
    };
    this.#pc.onconnectionstatechange = failing;
    this.#pc.oniceconnectionstatechange = () => {
      const isDone = ["connected", "completed"].includes(this.#pc.iceConnectionState);
      if (isDone) setTimeout(() => this.#judgeHandshake(), HANDSHAKE_PATIENCE_MS);
      failing();
    };
    if (offers) this.#adopt(this.#pc.createDataChannel(CHANNEL_LABEL, { ordered: true }));
    else this.#pc.ondatachannel = ({ channel }) => this.#adopt(channel);
  }

  /** @returns {Promise<string>} the offer's SDP */
  async makeOffer() {
    const offer = await this.#pc.createOffer();
    await this.#pc.setLocalDescription(offer);
    return allow(renameMid(offer.sdp ?? "", OWN_MID, this.#mid));
  }

  /** @param {string} sdp of the offer @returns {Promise<string>} the answer's */
  async makeAnswer(sdp) {
    const offer = reduceOffer(sdp);
    const { mid, index } = parseDescription(offer.sdp);
    this.#section = mid === "" ? { sdpMLineIndex: index } : { sdpMid: mid };
    await this.#pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    // Sound and pictures, where they are offered, are not taken. Browsers can't undo a bundle with them.
    for (const transceiver of this.#pc.getTransceivers()) transceiver.direction = "inactive";
    const answer = await this.#pc.createAnswer();
    await this.#pc.setLocalDescription(answer);
    return offer.frame(allow(answer.sdp ?? ""));
  }

  /** @param {string} sdp */
  async applyAnswer(sdp) {
    const own = renameMid(sdp, this.#mid, OWN_MID);
    await this.#pc.setRemoteDescription({ type: "answer", sdp: own });
  }

  /** Descriptions that are being set go first. @param {CandidateSignal} signal */
  async addCandidate({ candidate, sdpMid, usernameFragment }) {
    // Of several sections, each may have a fragment of its own.
    const section = sdpMid && !this.#offers ? { sdpMid } : this.#section;
    const line = candidate ? respell(candidate) : "";
    await this.#pc.addIceCandidate({ candidate: line, usernameFragment, ...section });
  }

  /** @param {string} text @returns {boolean} whether it is on its way */
  send(text) {
    if (this.#channel?.readyState !== "open" || this.#isOver) return false;
    if (this.waiting + text.length > MAX_BUFFERED) {
      const why = "the other side takes nothing of what is sent to it";
      this.#finish({ kind: "linkLost", why, byPeer: false });
      return false;
    }
    this.#channel.send(text);
    return true;
  }

  /** Bytes that wait to be sent. */
  get waiting() {
    return this.#channel?.bufferedAmount ?? 0;
  }

  /** Have the second channel, too: its side is open when that is told. */
  share() {
    if (!this.#isOver) this.#shared.open(this.#pc);
  }

  /** @param {string | ArrayBuffer} data on the second channel @returns {boolean} whether it is on its way */
  sendData(data) {
    return !this.#isOver && this.#shared.send(data);
  }

  /** Bytes of a message that the other side takes, of ours. */
  get maxMessage() {
    return Math.min(this.#pc.sctp?.maxMessageSize ?? MAX_CHANNEL_MESSAGE, MAX_CHANNEL_MESSAGE);
  }

  /** Close the channel and let arrive what was sent; closing the connection would drop it. */
  closeChannel() {
    this.#isOver = true;
    const channel = this.#channel;
    if (channel === null || channel.readyState === "closed") return Promise.resolve();
    return new Promise((resolve) => {
      channel.onclose = () => resolve(undefined);
      setTimeout(resolve, CLOSE_MS);
      channel.close();
    });
  }

  /** Without a word to our side: nothing is told any more. */
  close() {
    this.#isOver = true;
    this.#pc.close();
  }

  /** The path has worked for a while: large packets may be what is lost. */
  #judgeHandshake() {
    if (this.#pc.connectionState === "connecting") this.#hindered(Cause.PATH_MTU);
  }

  /** @param {string} cause */
  #hindered(cause) {
    if (!this.#isOver) this.#tell({ kind: "hindered", cause });
  }

  /** @param {RTCIceCandidate | null} candidate */
  #gathered(candidate) {
    // An empty one ends a generation, of which there is only one; null, which comes after it, all.
    if (this.#isOver || candidate?.candidate === "") return;
    this.#tell({ kind: "gathered", line: candidate?.candidate ?? null });
  }

  /** @param {RTCDataChannel} channel one of neither label is not for us */
  #adopt(channel) {
    if (channel.label === DATA_LABEL) this.#shared.adopt(channel);
    if (this.#channel !== null || channel.label !== CHANNEL_LABEL) return;
    this.#channel = channel;
    channel.onmessage = ({ data }) => this.#happened({ kind: "received", data, at: now() });
    channel.bufferedAmountLowThreshold = DRAINED;
    channel.onbufferedamountlow = () => this.#happened({ kind: "drained" });
    channel.onerror = () => (this.#hasFailed = true);
    channel.onclose = () => this.#channelClosed();
    // One that the other side made may be open already when we first see it.
    const open = () => this.#isOver || this.#tell({ kind: "opened" });
    if (channel.readyState === "open") open();
    else channel.onopen = open;
  }

  /** Something came in, or is new on the second channel. @param {LinkEvent} event */
  #happened(event) {
    if (this.#isOver) return;
    if (!("data" in event && isTooLong(event.data))) {
      this.#tell(event);
      return;
    }
    const why = `the other side has sent a message of more than ${MAX_MESSAGE_SIZE} bytes`;
    this.#finish({ kind: "linkLost", why, byPeer: false });
    this.#pc.close();
  }

  #channelClosed() {
    const { sctp } = this.#pc;
    const stands = sctp?.state === "connected" && sctp.transport.state === "connected";
    if (this.#hasFailed || !stands) {
      this.#finish({ kind: "linkLost", why: "the other side has closed the connection", byPeer: true });
    } else if (TELLS_ERRORS) this.#finish({ kind: "channelClosed", isReset: true });
    else if (!this.#isOver) this.#tell({ kind: "channelClosed", isReset: false });
  }

  /** @param {LinkEvent} event */
  #finish(event) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell(event);
  }
}
