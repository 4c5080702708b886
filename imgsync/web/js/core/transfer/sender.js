/**
 * The evaluator's side of one channel of pictures: what of them goes out, and when. The rules of
 * `core/transfer/sender.py`, which says why.
 *
 *     want ── offered ──▶ waiting ── its turn ──▶ head, and chunks as the window has room ──▶ got
 *          └─ not offered, no such byte, too many ──▶ refused
 *     stop ──▶ forgotten        read, failed ◀── what comes of `read`
 *
 * `now` is on a clock that only goes forward, s. It decides and does nothing.
 *
 * @import { Got, Head, Refused, Stop, Unreadable, Want } from "../protocol/pictures.js"
 * @import { Budget } from "./budget.js"
 *
 * @typedef {{contentType: string, length: number, sha256: string}} Offered a picture that a client may ask for
 * @typedef {{get(imageUrl: string): Offered | undefined}} Offers
 *
 * @typedef {{kind: "tell", text: string}} Tell send this text on the channel
 * @typedef {{kind: "sendChunk", data: ArrayBuffer}} SendChunk
 * @typedef {{kind: "read", id: number, imageUrl: string, offset: number, size: number}} Read read so many
 *   bytes of a picture, from this offset on; then call `read` or `failed`. `id`: of the transfer; one at a
 *   time is read, and one block of it
 * @typedef {{kind: "done", id: number}} Done nothing more of this transfer is read
 * @typedef {{kind: "notSent", imageUrl: string, reason: string, detail: string}} NotSent a picture that was
 *   offered could not be sent to the end
 * @typedef {{kind: "drop", why: string}} Drop a message was ignored: for the log
 * @typedef {Tell | SendChunk | Read | Done | NotSent | Drop} SenderOutput
 */

import { cut } from "../protocol/lengths.js";
import {
  BAD_MESSAGE,
  BAD_OFFSET,
  CHANGED,
  MAX_DETAIL,
  MAX_UNSENT,
  MAX_WANTS,
  NOT_OFFERED,
  TOO_MANY,
} from "../protocol/numbers.js";
import { decodeWants, encodeData, packChunk } from "../protocol/pictures.js";
import { Window, chunkSize } from "./window.js";

class Transfer {
  /** What the window had sent when it began. */
  base = 0;
  /** The next byte to be sent. */
  at;
  /** The next byte to be acknowledged. */
  got;
  /** The next byte to be read. */
  #readTo;
  /** What was read; the first `at - #readFrom` bytes of it are sent. */
  #block = new Uint8Array(0);
  #readFrom;
  /** Bytes that were asked for and are not here. */
  #reading = 0;

  /** @param {number} id @param {string} imageUrl @param {Offered} offered @param {number} start where it begins */
  constructor(id, imageUrl, offered, start) {
    this.id = id;
    this.imageUrl = imageUrl;
    this.offered = offered;
    this.start = this.at = this.got = this.#readTo = this.#readFrom = start;
  }

  /** @returns {Head} */
  get head() {
    const { length, contentType, sha256 } = this.offered;
    return { type: "picture", id: this.id, offset: this.start, length, contentType, sha256 };
  }

  get isSent() {
    return this.at === this.offered.length;
  }

  /** The next block of so many bytes, where it is time for it. @param {number} block @returns {Read[]} */
  nextRead(block) {
    const { id, imageUrl } = this;
    const size = Math.min(block, this.offered.length - this.#readTo);
    if (this.#reading > 0 || size === 0 || this.#readTo - this.at > Math.floor(block / 4)) return [];
    this.#reading = size;
    return [{ kind: "read", id, imageUrl, offset: this.#readTo, size }];
  }

  /** What was read. @param {Uint8Array} data @returns {boolean} whether that can be */
  take(data) {
    const most = this.#reading;
    this.#reading = 0;
    if (data.length === 0 || data.length > most) return false;
    const left = this.#block.subarray(this.at - this.#readFrom);
    this.#block = new Uint8Array(left.length + data.length);
    this.#block.set(left);
    this.#block.set(data, left.length);
    this.#readFrom = this.at;
    this.#readTo += data.length;
    return true;
  }

  /** @param {number} size @returns {Uint8Array} the next chunk; empty while nothing is read */
  cut(size) {
    const begin = this.at - this.#readFrom;
    const data = this.#block.subarray(begin, begin + size);
    this.at += data.length;
    return data;
  }

  /** All of it is sent. */
  release() {
    this.#block = new Uint8Array(0);
  }
}

/** What is sent on one channel. */
export class Sender {
  #offers;
  #budget;
  #window = new Window();
  /** @type {Transfer[]} */
  #waiting = [];
  /** @type {Transfer | null} */
  #current = null;
  /** Those that were sent to the end and are not acknowledged to it, by id. @type {Map<number, Transfer>} */
  #sent = new Map();
  #lastId = 0;
  #hasJoined = false;
  /** Whether nothing that we gave to the link waits in it. */
  #isDrained = true;
  /** Bytes of text that were given to it since that was so. */
  #unsent = 0;

  /**
   * @param {Offers} offers what the client may ask for, by `imageUrl`, as it is at any time
   * @param {Budget} budget that of the page
   */
  constructor(offers, budget) {
    this.#offers = offers;
    this.#budget = budget;
  }

  /** The client says something. @param {unknown} data @param {number} now @returns {SenderOutput[]} */
  receive(data, now) {
    return [...this.#take(decodeWants(data), now), ...this.#advance(now)];
  }

  /** @param {Want | Got | Stop | Unreadable} said @param {number} now @returns {SenderOutput[]} */
  #take(said, now) {
    if (said.type === "got") return this.#got(said, now);
    return said.type === "stop" ? this.#stop(said.id) : this.#asked(said);
  }

  /** The link has passed on all that it was given. @param {number} now @returns {SenderOutput[]} */
  drained(now) {
    this.#isDrained = true;
    this.#unsent = 0;
    return this.#advance(now);
  }

  /** What was to be read is here. @param {number} id @param {Uint8Array} data @param {number} now @returns {SenderOutput[]} */
  read(id, data, now) {
    if (this.#current?.id !== id) return [];
    if (!this.#current.take(data)) return this.failed(id, CHANGED, "its file has become shorter", now);
    return this.#advance(now);
  }

  /**
   * It could not be read.
   *
   * @param {number} id
   * @param {string} reason
   * @param {string} detail
   * @param {number} now
   * @returns {SenderOutput[]}
   */
  failed(id, reason, detail, now) {
    if (this.#current?.id !== id) return [];
    const { imageUrl } = this.#current;
    this.#current = null;
    /** @type {SenderOutput[]} */
    const told = [{ kind: "notSent", imageUrl, reason, detail }, { kind: "done", id }];
    return [...this.#refuse(id, reason, detail), ...told, ...this.#advance(now)];
  }

  /** The channel is no more, and of no use is what was asked for on it. @returns {Done[]} */
  closed() {
    this.#waiting = [];
    const done = this.#current === null ? [] : this.#stop(this.#current.id);
    this.#leaveIfIdle();
    return done;
  }

  /** @param {Want | Unreadable} want @returns {SenderOutput[]} */
  #asked(want) {
    if (want.id === null) return [{ kind: "drop", why: want.type === "unreadable" ? want.why : "" }];
    if (want.id <= this.#lastId) return []; // it is said again until something comes
    if (this.#unsent > MAX_UNSENT) return [{ kind: "drop", why: "a want, as too much text waits to be sent" }];
    this.#lastId = want.id;
    return want.type === "want" ? this.#want(want) : this.#refuse(want.id, BAD_MESSAGE, want.why);
  }

  /** @param {Want} want @returns {SenderOutput[]} */
  #want({ id, imageUrl, offset, sha256 }) {
    const offered = this.#offers.get(imageUrl);
    if (offered === undefined) {
      return this.#refuse(id, NOT_OFFERED, "no picture of this name was shown to you");
    }
    const isSame = sha256 === undefined || sha256 === offered.sha256;
    const start = isSame ? offset : 0;
    if (start < 0 || start > offered.length) {
      return this.#refuse(id, BAD_OFFSET, `it has ${offered.length} bytes`);
    }
    if (this.#waiting.length + this.#sent.size + (this.#current === null ? 0 : 1) >= MAX_WANTS) {
      return this.#refuse(id, TOO_MANY, `${MAX_WANTS} pictures may be asked for and not acknowledged`);
    }
    this.#waiting.push(new Transfer(id, imageUrl, offered, start));
    return [];
  }

  /** @param {Got} got @param {number} now @returns {SenderOutput[]} */
  #got({ id, offset }, now) {
    const transfer = this.#current?.id === id ? this.#current : this.#sent.get(id);
    if (transfer === undefined) return []; // it was stopped
    if (offset <= transfer.got || offset > transfer.at) {
      return [{ kind: "drop", why: "a got of bytes that are not on their way" }];
    }
    transfer.got = offset;
    this.#window.acked(transfer.base + offset - transfer.start, this.#budget.share, now);
    if (offset === transfer.offered.length) this.#sent.delete(id);
    return [];
  }

  /** @param {number} id @returns {Done[]} */
  #stop(id) {
    this.#sent.delete(id);
    if (this.#current?.id === id) {
      this.#current = null;
      return [{ kind: "done", id }];
    }
    this.#waiting = this.#waiting.filter((one) => one.id !== id);
    return [];
  }

  /** @param {number} id @param {string} reason @param {string} detail @returns {Tell[]} */
  #refuse(id, reason, detail) {
    return [this.#tell({ type: "refused", id, reason, detail: cut(detail, MAX_DETAIL) })];
  }

  /** @param {Head | Refused} message @returns {Tell} */
  #tell(message) {
    const text = encodeData(message);
    this.#unsent += text.length;
    this.#isDrained = false;
    return { kind: "tell", text };
  }

  /** Send what may be sent now, and read what is to be sent next. @param {number} now @returns {SenderOutput[]} */
  #advance(now) {
    /** @type {SenderOutput[]} */
    const outputs = [];
    for (;;) {
      const next = this.#current ?? this.#waiting.shift();
      if (next === undefined) break;
      if (next !== this.#current) outputs.push(this.#begin(next));
      outputs.push(...this.#send(next, now));
      if (!next.isSent) {
        outputs.push(...next.nextRead(this.#budget.block));
        break;
      }
      outputs.push(this.#finish(next));
    }
    this.#leaveIfIdle();
    return outputs;
  }

  /** Its turn has come. @param {Transfer} transfer @returns {Tell} */
  #begin(transfer) {
    this.#current = transfer;
    transfer.base = this.#window.sent;
    if (!this.#hasJoined) {
      this.#hasJoined = true;
      this.#budget.join();
    }
    return this.#tell(transfer.head);
  }

  /** @param {Transfer} current @param {number} now @returns {SendChunk[]} */
  #send(current, now) {
    const { share } = this.#budget;
    const room = Math.min(this.#window.size, share);
    const size = chunkSize(room, share);
    const hasRoom = current.at === current.got || this.#window.inFlight + size <= room;
    if (!this.#isDrained || !hasRoom) return [];
    const offset = current.at;
    const data = current.cut(size);
    if (data.length === 0) return [];
    this.#window.send(data.length, now);
    this.#isDrained = false;
    return [{ kind: "sendChunk", data: packChunk(current.id, offset, data) }];
  }

  /** All of it is sent. @param {Transfer} current @returns {Done} */
  #finish(current) {
    this.#current = null;
    current.release();
    if (current.got < current.offered.length) this.#sent.set(current.id, current);
    return { kind: "done", id: current.id };
  }

  #leaveIfIdle() {
    if (!this.#hasJoined || this.#current !== null || this.#waiting.length > 0) return;
    this.#hasJoined = false;
    this.#budget.leave();
  }
}
