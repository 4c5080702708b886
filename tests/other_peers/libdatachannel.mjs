/**
 * libdatachannel (node-datachannel), under the part of WebRTC's interface that the peers use.
 *
 * The polyfill of the package refuses a `mid` of more than three characters and gathers before
 * anybody can listen, so that this stands on the package's own interface.
 */

import { DataChannel, PeerConnection } from "node-datachannel";

/** @implements {Pick<globalThis.RTCDataChannel, "label" | "readyState" | "close">} */
class Channel {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: string}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onclose = null;
  /** @type {RTCDataChannelState} */
  readyState = "connecting";
  #native;

  /** @param {DataChannel} native */
  constructor(native) {
    this.#native = native;
    if (native.isOpen()) this.readyState = "open";
    native.onOpen(() => {
      // It is told again of one that was open when it came.
      if (this.readyState !== "connecting") return;
      this.readyState = "open";
      this.onopen?.();
    });
    native.onMessage((data) => this.onmessage?.({ data: String(data) }));
    native.onClosed(() => {
      this.readyState = "closed";
      this.onclose?.();
    });
  }

  get label() {
    return this.#native.getLabel();
  }

  /** @param {string} text */
  send(text) {
    this.#native.sendMessage(text);
  }

  close() {
    this.#native.close();
  }
}

export class RTCPeerConnection extends EventTarget {
  /** @type {((event: {channel: Channel}) => void) | null} */
  ondatachannel = null;
  #native;
  /** What was gathered before `setLocalDescription`. @type {Array<() => void> | null} */
  #held = [];

  /** @param {RTCConfiguration} configuration */
  constructor({ iceServers = [], iceTransportPolicy }) {
    super();
    this.#native = new PeerConnection("peer", {
      iceServers: iceServers.flatMap(urlsOf),
      iceTransportPolicy,
      disableAutoNegotiation: true,
    });
    this.#native.onStateChange(() => this.dispatchEvent(new Event("connectionstatechange")));
    this.#native.onDataChannel((channel) => this.ondatachannel?.({ channel: new Channel(channel) }));
    this.#native.onLocalCandidate((candidate, sdpMid) =>
      this.#tell({ candidate, toJSON: () => ({ candidate, sdpMid }) }),
    );
    this.#native.onGatheringStateChange((state) => {
      this.dispatchEvent(new Event("icegatheringstatechange"));
      if (state === "complete") this.#tell(null);
    });
  }

  get connectionState() {
    return this.#native.state();
  }

  get iceGatheringState() {
    return this.#native.gatheringState();
  }

  get localDescription() {
    return this.#native.localDescription();
  }

  /** @param {string} label */
  createDataChannel(label) {
    return new Channel(this.#native.createDataChannel(label));
  }

  createOffer() {
    return this.#create("offer");
  }

  createAnswer() {
    return this.#create("answer");
  }

  /** The description was set when it was made, and gathering has begun. */
  setLocalDescription() {
    this.#held?.forEach((tell) => tell());
    this.#held = null;
    return Promise.resolve();
  }

  /** @param {{type: "offer" | "answer", sdp: string}} description */
  async setRemoteDescription({ type, sdp }) {
    this.#native.setRemoteDescription(sdp, type);
  }

  /** @param {{candidate: string, sdpMid?: string | null}} signal */
  async addIceCandidate({ candidate, sdpMid }) {
    this.#native.addRemoteCandidate(candidate, sdpMid ?? "");
  }

  close() {
    this.#native.close();
  }

  /** @param {"offer" | "answer"} type @returns {Promise<{type: string, sdp: string}>} */
  #create(type) {
    return new Promise((resolve) => {
      this.#native.onLocalDescription((sdp) => resolve({ type, sdp }));
      this.#native.setLocalDescription(type);
    });
  }

  /** @param {{candidate: string, toJSON: () => object} | null} candidate */
  #tell(candidate) {
    const tell = () => this.dispatchEvent(Object.assign(new Event("icecandidate"), { candidate }));
    if (this.#held) this.#held.push(tell);
    else tell();
  }
}

/** @param {RTCIceServer} server */
function urlsOf({ urls, username, credential }) {
  return [urls].flat().map((url) => {
    if (!username) return url;
    const secrets = `${encodeURIComponent(username)}:${encodeURIComponent(credential ?? "")}`;
    return url.replace(":", `:${secrets}@`);
  });
}
