/** The client: follows one session. */

/** @import { ClientResult, ImageMessage, Options } from "./peer.mjs" */

import { CHANNEL_LABEL, closeChannel, now, onceOpen } from "./channel.mjs";
import { Handshake } from "./handshake.mjs";
import { Relay } from "./relay.mjs";
import { DEADLINE_MS, Watch, deferred } from "./watch.mjs";

/**
 * Follow one session: ack every copy of an image, and keep the distinct showings.
 *
 * @param {Options} options
 * @returns {Promise<ClientResult>}
 */
export async function runClient(options) {
  const watch = new Watch("client", options.deadlineMs ?? DEADLINE_MS);
  const relay = new Relay(options, "client", watch);
  const handshake = new Handshake(options, relay, watch);
  try {
    return await follow(options, watch, relay, handshake);
  } finally {
    watch.stop();
    handshake.close();
    relay.close();
  }
}

/**
 * @param {Options} options
 * @param {Watch} watch
 * @param {Relay} relay
 * @param {Handshake} handshake
 * @returns {Promise<ClientResult>}
 */
async function follow(options, watch, relay, handshake) {
  const offered = handshake.descriptionFrom("offer");
  await watch.until("a connection to the relay", relay.opened.promise);
  const { iceServers } = await watch.until("`registered`", relay.registered.promise);
  options.log?.("registered", { userId: options.userId });
  const { sessionId, evaluatorId } = await watch.until(
    "`session_started`",
    relay.sessionStarted.promise,
  );
  relay.otherUserId = evaluatorId;

  const offer = await watch.until("the offer", offered);
  const pc = handshake.connect(iceServers);
  const viewer = new Viewer(pc, watch);
  await watch.until("the own answer", handshake.acceptOffer(pc, offer));
  await watch.until("the data channel to open", viewer.opened.promise);
  relay.outlived((trouble) => watch.complain(trouble));

  const endedBy = await watch.until(
    "the end of the session",
    Promise.race([
      viewer.closed.promise.then(() => "the channel closed"),
      relay.sessionEnded.promise.then(({ reason }) => `session_ended, ${reason}`),
    ]),
  );
  relay.outlived(() => {});
  if (viewer.channel) await closeChannel(viewer.channel);
  return {
    role: "client",
    sessionId,
    evaluatorId,
    showings: [...viewer.showings.values()],
    copies: viewer.copies,
    endedBy,
    ...handshake.connectivity(),
    complaints: watch.complaints,
  };
}

/** The client's end of the channel: says `ready`, acks every copy, shows each image once. */
class Viewer {
  opened = deferred();
  closed = deferred();
  /** By `sentAt`. @type {Map<number, ImageMessage & {receivedAt: number}>} */
  showings = new Map();
  copies = 0;
  /** @type {RTCDataChannel | null} */
  channel = null;

  /** @param {RTCPeerConnection} pc @param {Watch} watch */
  constructor(pc, watch) {
    this.watch = watch;
    pc.ondatachannel = ({ channel }) => this.#adopt(channel);
  }

  /** @param {RTCDataChannel} channel */
  #adopt(channel) {
    this.channel = channel;
    if (channel.label !== CHANNEL_LABEL || !channel.ordered) {
      this.watch.complain(`the channel is ${channel.label}, ordered: ${channel.ordered}`);
    }
    channel.onmessage = ({ data: text }) => this.#receive(JSON.parse(text));
    channel.onclose = () => this.closed.resolve(undefined);
    onceOpen(channel, () => {
      channel.send(JSON.stringify({ type: "ready" }));
      this.opened.resolve(undefined);
    });
  }

  /** @param {any} message */
  #receive(message) {
    const receivedAt = now();
    if ("type" in message || !("imageIndex" in message) || !("imageUrl" in message)) {
      // Without `features` in our ready, the evaluator is to use no extension.
      this.watch.complain(`the evaluator sent ${JSON.stringify(message)} unasked`);
      return;
    }
    this.copies += 1;
    this.#show(message, receivedAt);
    const { sentAt } = message;
    this.channel?.send(JSON.stringify({ type: "ack", sentAt, receivedAt }));
  }

  /** @param {ImageMessage} image @param {number} receivedAt */
  #show(image, receivedAt) {
    const shown = this.showings.get(image.sentAt);
    if (!shown) {
      this.showings.set(image.sentAt, { ...image, receivedAt });
    } else if (!samePayload(shown, image)) {
      this.watch.complain(`a resend of image ${shown.imageIndex} changed it`);
    }
  }
}

/** @param {ImageMessage} one @param {ImageMessage} other */
function samePayload(one, other) {
  return (
    one.imageIndex === other.imageIndex &&
    one.imageUrl === other.imageUrl &&
    one.signedUrl === other.signedUrl
  );
}
