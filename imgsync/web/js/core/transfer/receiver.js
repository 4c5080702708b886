/**
 * The client's side of the channel of pictures: what is asked for, and what has come. The rules of
 * `core/transfer/receiver.py`, which says why.
 *
 *     want ── no channel, or another one before it ──▶ parked ── its turn ──▶ answered ──▶ finished
 *          └─ refused, or no answer for FETCH_STALL ──▶ failed
 *     closed ──▶ all parked        opened ──▶ all wanted anew, from where they are
 *
 * It outlives channels; each has numbers of its own for what is wanted on it. A picture is taken byte for
 * byte in order, and no other than the next byte of it. `now` is on a clock that only goes forward, s. It
 * decides and does nothing.
 *
 * @import { Head } from "../protocol/pictures.js"
 *
 * @typedef {{kind: "tell", text: string}} Tell send this text on the channel
 * @typedef {{kind: "parked", number: number}} Parked this try waits, and no byte of it can come yet
 * @typedef {{kind: "answered", number: number, offset: number, length: number, contentType: string,
 *   sha256: string}} Answered from this offset on the picture comes; where that is 0, what was here is of no use
 * @typedef {{kind: "came", number: number, data: Uint8Array<ArrayBuffer>}} Came the next bytes of it
 * @typedef {{kind: "finished", number: number}} Finished all of it has come
 * @typedef {{kind: "failed", number: number, reason: string, mayPass: boolean, keeps: boolean,
 *   detail: string}} Failed the try has come to nothing. `mayPass`: another one may help; `keeps`: what it has
 *   brought is of use; `detail`: what else is known, for people
 * @typedef {{kind: "drop", why: string}} Drop a message was ignored: for the log
 * @typedef {Tell | Parked | Answered | Came | Finished | Failed | Drop} ReceiverOutput
 *
 * @typedef {object} Wanted
 * @property {number} number of the try
 * @property {string} imageUrl
 * @property {number} have bytes that are here
 * @property {string | null} sha256 of the picture that they are of
 * @property {number} id on this channel; 0: it was not asked for there
 * @property {number | null} length of all of it, once that was answered there
 *
 * @typedef {{detail?: string, mayPass?: boolean, keeps?: boolean, isTold?: boolean}} About a failure; `isTold`:
 *   to the evaluator, which may be sending it
 */

import {
  BAD_OFFSET,
  FETCH_STALL,
  MAX_DATA_TEXT,
  MAX_IMAGE,
  READY_AGAIN,
  SLEPT,
  TOO_MANY,
} from "../protocol/numbers.js";
import { decodeHeads, encodeData } from "../protocol/pictures.js";

/** @type {About} */
const ANOTHER_PART = { detail: "the evaluator sent another part than was asked for", mayPass: true, isTold: true };

/** @param {Wanted} wanted @returns {string} how it is asked for */
function describe({ id, imageUrl, have: offset, sha256 }) {
  const of = offset > 0 && sha256 !== null ? { sha256 } : {};
  return encodeData({ type: "want", id, imageUrl, offset, ...of });
}

/** What is wanted in one session. Tries have numbers of their own, as `core/channel` gives. */
export class Receiver {
  /** By the number of the try, in the order in which they are wanted. @type {Map<number, Wanted>} */
  #wanted = new Map();
  /** @type {Map<number, Wanted>} */
  #byId = new Map();
  #lastId = 0;
  #isOpen = false;
  /** Whether something has come on this channel. */
  #hasHeard = false;
  /** When the first want is said again, as long as nothing has come. @type {number[]} */
  #again = [];
  /** Of the one whose turn it is, until it is answered. @type {{number: number, until: number} | null} */
  #patience = null;

  /** When to call `tick`. */
  get due() {
    return Math.min(this.#patience?.until ?? Infinity, this.#again[0] ?? Infinity);
  }

  // ── what is wanted ─────────────────────────────────────────────────────────────────────────────

  /**
   * A try begins to fetch a picture, from this offset on.
   *
   * @param {number} number
   * @param {string} imageUrl
   * @param {number} offset
   * @param {string | null} sha256 of the picture whose first bytes are here, if any are
   * @param {number} now
   * @returns {ReceiverOutput[]}
   */
  want(number, imageUrl, offset, sha256, now) {
    /** @type {Parked[]} */
    const parked = this.#wanted.size > 0 || !this.#isOpen ? [{ kind: "parked", number }] : [];
    this.#wanted.set(number, { number, imageUrl, have: offset, sha256, id: 0, length: null });
    return [...parked, ...this.#advance(now)];
  }

  /** A try is of no use any more. @param {number} number @param {number} now @returns {ReceiverOutput[]} */
  stop(number, now) {
    const wanted = this.#wanted.get(number);
    return wanted === undefined ? [] : [...this.#drop(wanted), ...this.#advance(now)];
  }

  /** There is a channel, in the place of any before it. @param {number} now @returns {ReceiverOutput[]} */
  opened(now) {
    const closed = this.closed();
    this.#isOpen = true;
    return [...closed, ...this.#advance(now)];
  }

  /** There is none any more; another one may follow. @returns {Parked[]} */
  closed() {
    if (!this.#isOpen) return [];
    this.#isOpen = this.#hasHeard = false;
    this.#lastId = 0;
    this.#again = [];
    this.#patience = null;
    this.#byId.clear();
    for (const wanted of this.#wanted.values()) Object.assign(wanted, { id: 0, length: null });
    return [...this.#wanted.keys()].map((number) => ({ kind: "parked", number }));
  }

  /** `due` has come. @param {number} now @returns {ReceiverOutput[]} */
  tick(now) {
    /** @type {ReceiverOutput[]} */
    const outputs = [];
    if (now >= (this.#again[0] ?? Infinity)) {
      this.#again = this.#again.filter((time) => time > now);
      const [first] = this.#byId.values();
      if (first !== undefined) outputs.push(...this.#say(first));
    }
    if (this.#patience !== null && now >= this.#patience.until) outputs.push(...this.#loseIt(this.#patience, now));
    return [...outputs, ...this.#advance(now)];
  }

  /** Who looks late was asleep. @param {{number: number, until: number}} patience @param {number} now @returns {ReceiverOutput[]} */
  #loseIt({ number, until }, now) {
    const wanted = this.#wanted.get(number);
    if (wanted === undefined) return [];
    if (now > until + SLEPT) {
      this.#patience = { number, until: now + FETCH_STALL };
      return [];
    }
    const detail = `no answer came for ${FETCH_STALL} s`;
    return this.#fail(wanted, "timeout", { detail, isTold: true });
  }

  // ── what comes ─────────────────────────────────────────────────────────────────────────────────

  /** The evaluator says something. @param {unknown} data @param {number} now @returns {ReceiverOutput[]} */
  receive(data, now) {
    if (!this.#isOpen) return []; // of a channel that is given up, which tells nothing of the next one
    this.#hasHeard = true;
    this.#again = [];
    const said = decodeHeads(data);
    if (said.type === "unreadable") return [{ kind: "drop", why: said.why }, ...this.#advance(now)];
    const wanted = this.#byId.get(said.id);
    if (wanted === undefined) return this.#advance(now); // it was stopped
    /** @type {ReceiverOutput[]} */
    let outputs;
    switch (said.type) {
      case "picture":
        outputs = this.#answered(wanted, said);
        break;
      case "chunk":
        outputs = this.#came(wanted, said.offset, said.data);
        break;
      case "refused": {
        const { reason, detail } = said;
        const keeps = reason === TOO_MANY;
        outputs = this.#fail(wanted, reason, { detail, keeps, mayPass: keeps || reason === BAD_OFFSET });
      }
    }
    return [...outputs, ...this.#advance(now)];
  }

  /** @param {Wanted} wanted @param {Head} head @returns {ReceiverOutput[]} */
  #answered(wanted, { offset, length, contentType, sha256 }) {
    if (wanted.length !== null) return [{ kind: "drop", why: "a second answer to one want" }];
    const goesOn = offset === wanted.have && (wanted.sha256 === null || wanted.sha256 === sha256);
    if (offset > length || !(offset === 0 || goesOn)) return this.#fail(wanted, "bad_range", ANOTHER_PART);
    if (length > MAX_IMAGE) return this.#fail(wanted, "too_large", { isTold: true });
    Object.assign(wanted, { have: offset, length, sha256 });
    const { number } = wanted;
    return [{ kind: "answered", number, offset, length, contentType, sha256 }, ...this.#finishIfWhole(wanted)];
  }

  /** @param {Wanted} wanted @param {number} offset @param {Uint8Array<ArrayBuffer>} data @returns {ReceiverOutput[]} */
  #came(wanted, offset, data) {
    if (wanted.length === null || offset !== wanted.have || offset + data.length > wanted.length) {
      return [{ kind: "drop", why: "a chunk that does not go on from the one before" }];
    }
    wanted.have += data.length;
    const text = encodeData({ type: "got", id: wanted.id, offset: wanted.have });
    return [{ kind: "tell", text }, { kind: "came", number: wanted.number, data }, ...this.#finishIfWhole(wanted)];
  }

  /** @param {Wanted} wanted @returns {Finished[]} */
  #finishIfWhole(wanted) {
    if (wanted.have !== wanted.length) return [];
    this.#forget(wanted);
    return [{ kind: "finished", number: wanted.number }];
  }

  // ── what follows from it ───────────────────────────────────────────────────────────────────────

  /** Ask for what may be asked for now. @param {number} now @returns {ReceiverOutput[]} */
  #advance(now) {
    /** @type {ReceiverOutput[]} */
    const outputs = [];
    if (!this.#isOpen) return outputs;
    for (const wanted of [...this.#wanted.values()]) {
      if (wanted.id === 0 && (this.#hasHeard || this.#byId.size === 0)) outputs.push(...this.#ask(wanted, now));
    }
    const [first] = this.#wanted.values();
    if (first === undefined || first.length !== null) this.#patience = null;
    else if (this.#patience?.number !== first.number) {
      this.#patience = { number: first.number, until: now + FETCH_STALL };
    }
    return outputs;
  }

  /** @param {Wanted} wanted @param {number} now @returns {ReceiverOutput[]} */
  #ask(wanted, now) {
    wanted.id = this.#lastId += 1;
    this.#byId.set(wanted.id, wanted);
    if (!this.#hasHeard) this.#again = READY_AGAIN.map((pause) => now + pause);
    return this.#say(wanted);
  }

  /** @param {Wanted} wanted @returns {ReceiverOutput[]} */
  #say(wanted) {
    const text = describe(wanted);
    if (text.length <= MAX_DATA_TEXT) return [{ kind: "tell", text }];
    return this.#fail(wanted, "bad_url", { detail: "its name is too long to be asked for" });
  }

  /** Nothing comes of it. @param {Wanted} wanted @param {string} reason @param {About} about @returns {ReceiverOutput[]} */
  #fail(wanted, reason, { detail = "", mayPass = false, keeps = false, isTold = false }) {
    const said = isTold ? this.#drop(wanted) : [];
    this.#forget(wanted);
    return [...said, { kind: "failed", number: wanted.number, reason, mayPass, keeps, detail }];
  }

  /** No more of it is to be sent. @param {Wanted} wanted @returns {Tell[]} */
  #drop(wanted) {
    this.#forget(wanted);
    return wanted.id > 0 ? [{ kind: "tell", text: encodeData({ type: "stop", id: wanted.id }) }] : [];
  }

  /** @param {Wanted} wanted */
  #forget(wanted) {
    this.#wanted.delete(wanted.number);
    this.#byId.delete(wanted.id);
    if (this.#byId.size === 0) this.#again = [];
  }
}
