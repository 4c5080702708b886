/** Descriptions and candidates, from the first signal to the connection: for both roles. */

/**
 * @import {
 *   CandidateSignal, Connectivity, DescriptionSignal, EndSpelling, Options, Signal
 * } from "./peer.mjs"
 * @import { Relay } from "./relay.mjs"
 * @import { Watch } from "./watch.mjs"
 */

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

/** One peer connection's descriptions and candidates: section 2 of the contract. */
export class Handshake {
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
    const { iceTransportPolicy } = this.options;
    const pc = new this.options.RTCPeerConnection({ iceServers, iceTransportPolicy });
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
      } else if (!candidate) {
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
