/**
 * Camera and microphone: opened for a session, closed at its end, asked for again when they are lost.
 *
 * @import { DeviceState, Kind } from "../words/recording.js"
 *
 * @typedef {object} DevicesListener
 * @property {(stream: MediaStream | null) => void} switched what is to be recorded now; null for nothing
 * @property {() => void} changed `states` are others
 * @property {(kind: Kind, what: "ended" | "muted" | "unmuted") => void} happened to one that is recorded
 */

import { Timer, seconds } from "../peer/clock.js";
import { Watch, reasonOf } from "./watch.js";

/** Small, as the machine has images to show meanwhile. */
const VIDEO = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
/** What is done to voices in calls would change what is recorded, and when. */
const AUDIO = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/**
 * @param {string} record as a link has it: `camera`, `microphone`, or both with a comma
 * @returns {Kind[] | null} null for anything else
 */
export function parseKinds(record) {
  const names = record.split(",").map((name) => name.trim());
  const kinds = /** @type {Kind[]} */ (["camera", "microphone"]).filter((kind) => names.includes(kind));
  return kinds.length === new Set(names).size ? kinds : null;
}

/**
 * @param {readonly Kind[]} kinds
 * @returns {Promise<Map<Kind, MediaStreamTrack | DeviceState>>} each of them, or why it is not there
 */
export async function openDevices(kinds) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: kinds.includes("camera") && VIDEO,
      audio: kinds.includes("microphone") && AUDIO,
    });
    return new Map(stream.getTracks().map((track) => [kindOf(track), track]));
  } catch (error) {
    const reasons = kinds.map((kind) => reasonOf(/** @type {Error} */ (error), isAllowedHere(kind)));
    // One of them is missing or in use: the browser does not say which.
    const mayBeOne = reasons.every((reason) => reason === "missing" || reason === "in_use");
    if (kinds.length === 1 || !mayBeOne) {
      return new Map(kinds.map((kind, place) => [kind, reasons[place] ?? "in_use"]));
    }
  }
  const found = new Map();
  for (const kind of kinds) for (const one of await openDevices([kind])) found.set(...one);
  return found;
}

/** Where a browser does not tell, it is allowed. @param {Kind} kind */
function isAllowedHere(kind) {
  const policy = /** @type {any} */ (document).featurePolicy;
  return policy?.allowsFeature(kind) ?? true;
}

/** @param {MediaStreamTrack} track @returns {Kind} */
export function kindOf(track) {
  return track.kind === "video" ? "camera" : "microphone";
}

/** Those that a link asks for. */
export class Devices {
  #wanted;
  #listener;
  /** Those that are open. @type {Map<Kind, MediaStreamTrack>} */
  #tracks = new Map();
  #watch = new Watch();
  #timer = new Timer(() => this.#tick());
  /**
   * Asked for and not there yet; aborted where they are not wanted any more.
   *
   * @type {{done: Promise<void>, control: AbortController} | null}
   */
  #opening = null;

  /** @param {readonly Kind[]} wanted @param {DevicesListener} listener */
  constructor(wanted, listener) {
    this.#wanted = wanted;
    this.#listener = listener;
    navigator.mediaDevices?.addEventListener("devicechange", () => {
      this.#watch.changed(seconds());
      this.#follow();
    });
  }

  /** Of those that were asked for. @returns {ReadonlyMap<Kind, DeviceState>} */
  get states() {
    return this.#watch.states;
  }

  /** What is not on is asked for. @returns {Promise<void>} once they are on, or can't be */
  open() {
    const states = this.#watch.states;
    return this.#ask(this.#wanted.filter((kind) => states.get(kind) !== "on"));
  }

  /** @param {Promise<unknown>} captured when what is being recorded needs them no more */
  close(captured) {
    this.#opening?.control.abort();
    this.#opening = null;
    this.#watch.off();
    const tracks = [...this.#tracks.values()];
    this.#tracks.clear();
    void captured.then(() => tracks.forEach((track) => track.stop()));
    this.#listener.switched(null);
    this.#follow();
  }

  #tick() {
    // Once it is known what becomes of those, the timer is set again.
    if (this.#opening !== null) return;
    const kinds = this.#watch.tick(seconds());
    this.#follow();
    void this.#ask(kinds);
  }

  #follow() {
    this.#timer.set(this.#watch.due);
    this.#listener.changed();
  }

  /** @param {readonly Kind[]} kinds @returns {Promise<void>} */
  #ask(kinds) {
    if (this.#opening !== null) return this.#opening.done;
    if (kinds.length === 0) return Promise.resolve();
    const control = new AbortController();
    const done = this.#open(kinds, control.signal).finally(() => {
      if (this.#opening?.done === done) this.#opening = null;
    });
    this.#opening = { done, control };
    return done;
  }

  /** @param {readonly Kind[]} kinds @param {AbortSignal} signal */
  async #open(kinds, signal) {
    const found = await openDevices(kinds);
    let isSwitched = false;
    for (const [kind, track] of found) {
      if (typeof track === "string") {
        if (!signal.aborted) this.#watch.failed(kind, track, seconds());
      } else if (signal.aborted || (track.muted && this.#tracks.has(kind))) {
        // One that is as mute as the one that is there is no better.
        track.stop();
        if (!signal.aborted) this.#watch.opened(kind, true, seconds());
      } else {
        this.#take(kind, track);
        isSwitched = true;
      }
    }
    if (signal.aborted) return;
    if (isSwitched) this.#switch();
    this.#follow();
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track */
  #take(kind, track) {
    this.#tracks.get(kind)?.stop();
    this.#tracks.set(kind, track);
    this.#watch.opened(kind, track.muted, seconds());
    /** @param {"ended" | "muted" | "unmuted"} what */
    const happened = (what) => {
      if (this.#tracks.get(kind) !== track) return;
      this.#listener.happened(kind, what);
      this.#watch[what](kind, seconds());
      if (what === "ended") {
        this.#tracks.delete(kind);
        this.#switch();
      }
      this.#follow();
    };
    track.addEventListener("ended", () => happened("ended"));
    track.addEventListener("mute", () => happened("muted"));
    track.addEventListener("unmute", () => happened("unmuted"));
  }

  #switch() {
    const tracks = [...this.#tracks.values()];
    this.#listener.switched(tracks.length === 0 ? null : new MediaStream(tracks));
  }
}
