/**
 * Two peers of the imgsync wire contract that share no code with the Python package: written from
 * the contract alone, for libwebrtc, in Node or in a browser page.
 *
 * They speak the original protocol and leave every extension out, but for two: what the relay says
 * of the session's end is read, and the evaluator sends `end_session`. What libwebrtc or the
 * contract takes offence at, but a session can survive, is reported in the result's `complaints`.
 */

/**
 * @typedef {"empty" | "null-candidate" | "null" | "none"} EndSpelling
 *
 * @typedef {object} Options
 * @property {typeof globalThis.WebSocket} WebSocket
 * @property {typeof globalThis.RTCPeerConnection} RTCPeerConnection
 * @property {string} relayUrl
 * @property {string} userId
 * @property {string} [clientId] whom the evaluator starts a session with
 * @property {Image[]} [images] what the evaluator shows
 * @property {(event: string, details: object) => void} [log] hears `registered` and each step
 * @property {boolean} [trickle] false: all candidates go inside the description, and no end signal
 * @property {EndSpelling} [endSpelling] how the end of the candidates is said
 * @property {number} [deadlineMs] for the whole run
 *
 * @typedef {{imageUrl: string, signedUrl: string}} Image
 * @typedef {Image & {imageIndex: number, sentAt: number}} ImageMessage
 * @typedef {{imageIndex: number, sentAt: number, receivedAt: number, roundTripMs: number}} Ack
 * @typedef {{candidate: string | null, sdpMid?: string | null, sdpMLineIndex?: number | null,
 *   usernameFragment?: string | null}} CandidateSignal
 * @typedef {{type: string, sdp: string}} DescriptionSignal
 * @typedef {CandidateSignal | DescriptionSignal | null} Signal
 *
 * @typedef {object} Connectivity
 * @property {string[]} localCandidates the candidate lines that were gathered here
 * @property {number} remoteCandidates how many candidates came as signals
 * @property {number} remoteEnds how often the other side said that its candidates end
 *
 * @typedef {object} EvaluatorRun
 * @property {"evaluator"} role
 * @property {string} sessionId
 * @property {Ack[]} acks the first ack of each image, in order
 * @property {number} extraAcks acks of resent copies
 * @property {number} readies
 * @property {boolean} channelClosed whether the other side closed its half of the channel in time
 * @property {string} endReason
 * @property {string[]} complaints
 * @typedef {EvaluatorRun & Connectivity} EvaluatorResult
 *
 * @typedef {object} ClientRun
 * @property {"client"} role
 * @property {string} sessionId
 * @property {string} evaluatorId
 * @property {Array<ImageMessage & {receivedAt: number}>} showings distinct ones, in order
 * @property {number} copies image messages that came, resent ones included
 * @property {string} endedBy
 * @property {string[]} complaints
 * @typedef {ClientRun & Connectivity} ClientResult
 */

const CHANNEL_LABEL = "image-sync";
const DEFAULT_ICE_SERVERS = [{ urls: "stun:stun.l.google.com:19302" }];
const DEADLINE_MS = 30_000;
/** The other side may be gone before it closes its half of the channel. */
const CHANNEL_CLOSE_MS = 3_000;

/** A port where nobody listens: a client that fetches the image is told so at once. */
const IMAGE_BASE = "http://127.0.0.1:9/images";

/** @type {Record<EndSpelling, ((line: object) => Signal) | null>} */
const END_SPELLINGS = {
  empty: (line) => ({ candidate: "", ...line }),
  "null-candidate": (line) => ({ candidate: null, ...line }),
  null: () => null,
  none: null,
};

/**
 * @param {string} spelling
 * @returns {spelling is EndSpelling}
 */
export function isEndSpelling(spelling) {
  return Object.hasOwn(END_SPELLINGS, spelling);
}

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
  relay.send("start_session", { clientId: options.clientId });
  const { sessionId, clientId } = await watch.until(
    "`session_started`",
    relay.sessionStarted.promise,
  );

  relay.otherUserId = clientId;
  const pc = handshake.connect(iceServers);
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
    readies: presenter.readies,
    channelClosed,
    endReason: reason,
    ...handshake.connectivity(),
    complaints: watch.complaints,
  };
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

/** The one place where a run can fail: its deadline passes, or a part of it gives up. */
class Watch {
  /** What the contract was hurt by without stopping the run. @type {string[]} */
  complaints = [];
  #failure;
  #timer;

  /** @param {string} role @param {number} deadlineMs */
  constructor(role, deadlineMs) {
    this.role = role;
    this.missing = "";
    this.#failure = deferred();
    // A failure between two waits is met by the next one, so it is never unhandled.
    this.#failure.promise.catch(() => {});
    this.#timer = setTimeout(
      () => this.fail(`gave up after ${deadlineMs} ms, still missing: ${this.missing}`),
      deadlineMs,
    );
  }

  /**
   * Wait for one step, unless the run fails before.
   *
   * @template T
   * @param {string} missing what to name should the deadline pass here
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  until(missing, promise) {
    this.missing = missing;
    return Promise.race([promise, this.#failure.promise]);
  }

  /** @param {string} reason */
  fail(reason) {
    const heard = this.complaints.length ? ` (before that: ${this.complaints.join("; ")})` : "";
    this.#failure.reject(new Error(`${this.role}: ${reason}${heard}`));
  }

  /** @param {string} text */
  complain(text) {
    this.complaints.push(text);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** The signalling socket: one JSON object per text frame. */
class Relay {
  opened = deferred();
  registered = deferred();
  sessionStarted = deferred();
  sessionEnded = deferred();
  /** @type {string | undefined} */
  otherUserId;
  /** Set by the handshake. @type {(signal: Signal) => void} */
  onSignal = () => {};
  #socket;
  #onTrouble;
  /** Whether the channel isn't open yet, so that the end of the session is a failure. */
  #needed = true;

  /** @param {Options} options @param {"evaluator" | "client"} role @param {Watch} watch */
  constructor(options, role, watch) {
    this.#onTrouble = (/** @type {string} */ trouble) =>
      watch.fail(`${trouble}, while waiting for ${watch.missing}`);
    this.#socket = new options.WebSocket(options.relayUrl);
    this.#socket.onopen = () => {
      this.opened.resolve(undefined);
      this.send("register", { userId: options.userId, role, package: "webrtc" });
    };
    // A refused connection fires this alone in Node 20.
    this.#socket.onerror = () => this.#onTrouble("the relay's socket failed");
    this.#socket.onclose = ({ code }) =>
      this.#onTrouble(`the relay's socket closed with code ${code}`);
    this.#socket.onmessage = ({ data: text }) => {
      const { event, data } = JSON.parse(text);
      this.#receive(event, data);
    };
  }

  /** @param {string} event @param {object} data */
  send(event, data) {
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(JSON.stringify({ event, data }));
    }
  }

  /** @param {Signal} signal */
  sendSignal(signal) {
    this.send("webrtc_signal", { targetUserId: this.otherUserId, signal });
  }

  /**
   * From here on the data channel carries the session, and the relay's troubles don't fail it.
   *
   * @param {(trouble: string) => void} onTrouble
   */
  outlived(onTrouble) {
    this.#onTrouble = onTrouble;
    this.#needed = false;
  }

  close() {
    this.#onTrouble = () => {};
    this.#socket.close();
  }

  /** @param {string} event @param {any} data */
  #receive(event, data) {
    switch (event) {
      case "registered":
        this.registered.resolve({ iceServers: data?.iceServers ?? DEFAULT_ICE_SERVERS });
        break;
      case "session_started":
        this.sessionStarted.resolve(data);
        break;
      case "webrtc_signal":
        this.onSignal(data.signal);
        break;
      case "session_ended":
        this.#receiveEnd(data);
        break;
      case "error":
        this.#onTrouble(`the relay answered ${data.code}: ${data.message}`);
        break;
      default: // An event that this peer doesn't know is ignored.
    }
  }

  /** @param {{reason: string}} ended */
  #receiveEnd(ended) {
    if (this.#needed) this.#onTrouble(`the session ended: ${ended.reason}`);
    // Whether the other side is gone, an open channel knows better than the relay.
    else if (ended.reason !== "peer_gone") this.sessionEnded.resolve(ended);
  }
}

/** One peer connection's descriptions and candidates: section 2 of the contract. */
class Handshake {
  /** @type {string[]} */
  #localCandidates = [];
  #remoteCandidates = 0;
  #remoteEnds = 0;
  /** Candidates that came before the remote description. @type {CandidateSignal[] | null} */
  #early = [];
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** @type {Map<string, (description: DescriptionSignal) => void>} */
  #awaited = new Map();

  /** @param {Options} options @param {Relay} relay @param {Watch} watch */
  constructor(options, relay, watch) {
    this.options = options;
    this.relay = relay;
    this.watch = watch;
    relay.onSignal = (signal) => this.#receive(signal);
  }

  /** @param {RTCIceServer[]} iceServers */
  connect(iceServers) {
    const pc = new this.options.RTCPeerConnection({ iceServers });
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "failed") {
        this.watch.fail(`the connection failed, while waiting for ${this.watch.missing}`);
      }
    });
    pc.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.candidate) this.#localCandidates.push(candidate.candidate);
    });
    this.#pc = pc;
    return pc;
  }

  /**
   * The first description of this type that comes as a signal.
   *
   * @param {"offer" | "answer"} type
   * @returns {Promise<DescriptionSignal>}
   */
  descriptionFrom(type) {
    return new Promise((resolve) => this.#awaited.set(type, resolve));
  }

  /**
   * Step 4: the answer leaves before the buffered candidates are applied.
   *
   * @param {RTCPeerConnection} pc
   * @param {DescriptionSignal} offer
   */
  async acceptOffer(pc, offer) {
    await pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    await this.sendLocal(pc, await pc.createAnswer());
    this.#applyEarly(pc);
  }

  /**
   * Step 5.
   *
   * @param {RTCPeerConnection} pc
   * @param {DescriptionSignal} answer
   */
  async applyRemote(pc, answer) {
    await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    this.#applyEarly(pc);
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {RTCSessionDescriptionInit} description
   */
  async sendLocal(pc, description) {
    const { type } = description;
    if (this.options.trickle === false) {
      await pc.setLocalDescription(description);
      await gathered(pc);
      this.relay.sendSignal({ type, sdp: pc.localDescription?.sdp ?? "" });
      return;
    }
    const release = this.#holdCandidates(pc);
    await pc.setLocalDescription(description);
    this.relay.sendSignal({ type, sdp: description.sdp ?? "" });
    release();
  }

  /** @returns {Connectivity} */
  connectivity() {
    return {
      localCandidates: this.#localCandidates,
      remoteCandidates: this.#remoteCandidates,
      remoteEnds: this.#remoteEnds,
    };
  }

  close() {
    this.#pc?.close();
  }

  /**
   * Trickle, but not before the description is out: gathering starts before that is sent.
   *
   * @param {RTCPeerConnection} pc
   * @returns {() => void} to be called once the description has been sent
   */
  #holdCandidates(pc) {
    /** @type {Signal[] | null} */
    let held = [];
    /** @type {object} */
    let lastLine = { sdpMid: "0", sdpMLineIndex: 0 };
    const trickle = (/** @type {Signal} */ signal) =>
      held ? held.push(signal) : this.relay.sendSignal(signal);

    pc.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.candidate) {
        const signal = /** @type {CandidateSignal} */ (candidate.toJSON());
        lastLine = { sdpMid: signal.sdpMid, sdpMLineIndex: signal.sdpMLineIndex };
        trickle(signal);
      } else if (candidate === null) {
        // Browsers that fire an empty candidate as well fire it before this one: say it once.
        const end = END_SPELLINGS[this.options.endSpelling ?? "empty"];
        if (end) trickle(end(lastLine));
      }
    });
    return () => {
      held?.forEach((signal) => this.relay.sendSignal(signal));
      held = null;
    };
  }

  /** @param {Signal} signal */
  #receive(signal) {
    if (signal === null || ("candidate" in signal && !signal.candidate)) {
      this.#remoteEnds += 1;
    } else if ("candidate" in signal) {
      this.#remoteCandidates += 1;
      if (this.#early || !this.#pc) this.#early?.push(signal);
      else this.#addCandidate(this.#pc, signal);
    } else {
      this.#receiveDescription(signal);
    }
  }

  /** @param {DescriptionSignal} signal */
  #receiveDescription(signal) {
    const accept = this.#awaited.get(signal.type);
    if (!accept) {
      this.watch.complain(`a signal of type ${JSON.stringify(signal.type)} was not to be expected`);
      return;
    }
    this.#awaited.delete(signal.type);
    accept(signal);
  }

  /** @param {RTCPeerConnection} pc */
  #applyEarly(pc) {
    const early = this.#early ?? [];
    this.#early = null;
    early.forEach((signal) => this.#addCandidate(pc, signal));
  }

  /** @param {RTCPeerConnection} pc @param {CandidateSignal} signal */
  #addCandidate(pc, signal) {
    // The connection queues these calls itself, so the order is kept without waiting.
    pc.addIceCandidate(/** @type {RTCIceCandidateInit} */ (signal)).catch((error) => {
      if (pc.signalingState === "closed") return;
      this.watch.complain(`candidate ${JSON.stringify(signal)} was refused: ${error.message}`);
    });
  }
}

/** The evaluator's end of the channel: the current image, its resends and its acks. */
class Presenter {
  opened = deferred();
  /** @type {Ack[]} */
  acks = [];
  extraAcks = 0;
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
    } else if (message.type !== "stage") {
      // A client sends stages to any evaluator; the rest it keeps to itself until asked.
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
    const roundTripMs = performance.now() - this.#shownAt;
    this.acks.push({ imageIndex, sentAt, receivedAt, roundTripMs });
    this.#acked.resolve(undefined);
  }
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

/** Milliseconds since the Unix epoch, with a fraction. */
function now() {
  return performance.timeOrigin + performance.now();
}

/**
 * A channel that the other side made may be open already when we first see it.
 *
 * @param {RTCDataChannel} channel
 * @param {() => void} onOpen
 */
function onceOpen(channel, onOpen) {
  if (channel.readyState === "open") onOpen();
  else channel.onopen = onOpen;
}

/**
 * Close the channel and let what was sent arrive: closing the connection at once would drop it.
 *
 * @param {RTCDataChannel} channel
 * @returns {Promise<boolean>} whether the other side closed its half in time
 */
function closeChannel(channel) {
  if (channel.readyState === "closed") return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), CHANNEL_CLOSE_MS);
    channel.onclose = () => {
      clearTimeout(timer);
      resolve(true);
    };
    channel.close();
  });
}

/** @param {RTCPeerConnection} pc @returns {Promise<void>} */
function gathered(pc) {
  return new Promise((resolve) => {
    const check = () => {
      if (pc.iceGatheringState === "complete") resolve();
    };
    pc.addEventListener("icegatheringstatechange", check);
    check();
  });
}

/** A promise and the means to settle it from outside. */
function deferred() {
  /** @type {(value: any) => void} */
  let resolve = () => {};
  /** @type {(reason: Error) => void} */
  let reject = () => {};
  /** @type {Promise<any>} */
  const promise = new Promise((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
