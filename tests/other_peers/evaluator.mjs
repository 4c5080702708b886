/** The evaluator: shows its images to one client. */

/** @import { Ack, EvaluatorResult, Image, ImageMessage, Options } from "./peer.mjs" */

import { CHANNEL_LABEL, closeChannel, now, onceOpen } from "./channel.mjs";
import { Handshake } from "./handshake.mjs";
import { Relay } from "./relay.mjs";
import { DEADLINE_MS, Watch, deferred } from "./watch.mjs";

/** A port where nobody listens: a client that fetches the image is told so at once. */
const IMAGE_BASE = "http://127.0.0.1:9/images";

/**
 * Show all images to one client, each after the ack of the one before, and end the session.
 *
 * @param {Options} options
 * @returns {Promise<EvaluatorResult>}
 */
export async function runEvaluator(options) {
  const watch = new Watch("evaluator", options.deadlineMs ?? DEADLINE_MS);
  const relay = new Relay(options, "evaluator", watch);
  const handshake = new Handshake(options, relay, watch);
  try {
    return await evaluate(options, watch, relay, handshake);
  } finally {
    watch.stop();
    handshake.close();
    relay.close();
  }
}

/**
 * Images to show, where it doesn't matter what is on them.
 *
 * @param {number} count
 * @returns {Image[]}
 */
export function makeImages(count) {
  return Array.from({ length: count }, (_, index) => {
    const imageUrl = `${IMAGE_BASE}/${index}.png`;
    return { imageUrl, signedUrl: `${imageUrl}?signature=none` };
  });
}

/**
 * @param {Options} options
 * @param {Watch} watch
 * @param {Relay} relay
 * @param {Handshake} handshake
 * @returns {Promise<EvaluatorResult>}
 */
async function evaluate(options, watch, relay, handshake) {
  await watch.until("a connection to the relay", relay.opened.promise);
  const { iceServers } = await watch.until("`registered`", relay.registered.promise);
  options.log?.("registered", { userId: options.userId });
  const began = performance.now();
  relay.send("start_session", { clientId: options.clientId });
  const { sessionId, clientId } = await watch.until(
    "`session_started`",
    relay.sessionStarted.promise,
  );

  relay.otherUserId = clientId;
  const pc = handshake.connect(iceServers);
  if (options.offersMedia) for (const kind of ["audio", "video"]) pc.addTransceiver(kind);
  const presenter = new Presenter(pc.createDataChannel(CHANNEL_LABEL, { ordered: true }), watch);
  const answered = handshake.descriptionFrom("answer");
  await watch.until("the own offer", handshake.sendLocal(pc, await pc.createOffer()));
  const answer = await watch.until("the answer", answered);
  await watch.until("the answer to be applied", handshake.applyRemote(pc, answer));
  await watch.until("the data channel to open", presenter.opened.promise);
  relay.outlived((trouble) => watch.complain(trouble));

  const images = options.images ?? [];
  for (const [index, image] of images.entries()) {
    options.log?.("show", { imageIndex: index });
    const missing = `the ack of image ${index}, the ${index + 1}. of ${images.length}`;
    await watch.until(missing, presenter.show(image, index));
  }

  // The client may say first that the session is over, and our end_session is refused then.
  relay.outlived(() => {});
  const channelClosed = await closeChannel(presenter.channel);
  relay.send("end_session", { sessionId });
  const { reason } = await watch.until("`session_ended`", relay.sessionEnded.promise);
  return {
    role: "evaluator",
    sessionId,
    acks: presenter.acks,
    extraAcks: presenter.extraAcks,
    firstAckMs: presenter.firstAckAt - began,
    readies: presenter.readies,
    channelClosed,
    endReason: reason,
    ...handshake.connectivity(),
    complaints: watch.complaints,
  };
}

/** The evaluator's end of the channel: the current image, its resends and its acks. */
class Presenter {
  opened = deferred();
  /** @type {Ack[]} */
  acks = [];
  extraAcks = 0;
  firstAckAt = 0;
  readies = 0;
  /** @type {ImageMessage | null} */
  #current = null;
  /** @type {Set<number>} */
  #sentAts = new Set();
  #acked = deferred();
  #shownAt = 0;
  #lastSentAt = 0;

  /** @param {RTCDataChannel} channel @param {Watch} watch */
  constructor(channel, watch) {
    this.channel = channel;
    this.watch = watch;
    channel.onmessage = ({ data: text }) => this.#receive(JSON.parse(text));
    channel.onclose = () => watch.fail(`the channel closed while waiting for ${watch.missing}`);
    onceOpen(channel, () => {
      this.#sendCurrent();
      this.opened.resolve(undefined);
    });
  }

  /**
   * Make this the current image.
   *
   * @param {Image} image
   * @param {number} imageIndex
   * @returns {Promise<void>} done with the ack
   */
  show(image, imageIndex) {
    // Its sentAt is what tells a showing from another, and a browser's clock is coarse.
    this.#lastSentAt = Math.max(now(), this.#lastSentAt + 0.125);
    this.#current = { imageIndex, ...image, sentAt: this.#lastSentAt };
    this.#sentAts.add(this.#lastSentAt);
    this.#shownAt = performance.now();
    this.#acked = deferred();
    this.#sendCurrent();
    return this.#acked.promise;
  }

  #sendCurrent() {
    if (this.#current && this.channel.readyState === "open") {
      this.channel.send(JSON.stringify(this.#current));
    }
  }

  /** @param {any} message */
  #receive(message) {
    if (message.type === "ready") {
      this.readies += 1;
      this.#sendCurrent();
    } else if (message.type === "ack") {
      this.#receiveAck(message);
    } else if (message.type !== "stage" && message.type !== "display") {
      // These a client sends to any evaluator; the rest it keeps to itself until asked.
      this.watch.complain(`the client sent ${JSON.stringify(message)} unasked`);
    }
  }

  /** @param {{sentAt: number, receivedAt: number}} ack */
  #receiveAck({ sentAt, receivedAt }) {
    if (!this.#sentAts.has(sentAt)) {
      this.watch.fail(`an ack says sentAt ${sentAt}, which no image had`);
      return;
    }
    const alreadyAcked = this.acks.some((ack) => ack.sentAt === sentAt);
    if (alreadyAcked || !this.#current) {
      this.extraAcks += 1;
      return;
    }
    const { imageIndex } = this.#current;
    const at = performance.now();
    if (!this.acks.length) this.firstAckAt = at;
    const roundTripMs = at - this.#shownAt;
    this.acks.push({ imageIndex, sentAt, receivedAt, roundTripMs });
    this.#acked.resolve(undefined);
  }
}
