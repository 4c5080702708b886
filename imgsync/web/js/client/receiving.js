/**
 * The other way to fetch an image, beside HTTP: over the connection to the evaluator. A name and an
 * offset go in, bytes come out. What is asked for when is decided in core/transfer/receiver.js.
 *
 * A try lasts as long as it has to: where a channel is lost, it goes on over the next one.
 *
 * @import { Answered, ReceiverOutput } from "../core/transfer/receiver.js"
 * @import { DataEvent } from "../peer/shared.js"
 * @import { Answer, Mark } from "./fetching.js"
 *
 * @typedef {object} ReceivingListener
 * @property {(number: number) => void} parked no byte of this try can come yet
 * @property {(number: number) => void} goesOn it is its turn again
 *
 * @typedef {object} Try
 * @property {(answer: Answer) => void} answer
 * @property {(why: ImageFailed) => void} refuse before it is answered
 * @property {Arrivals} arrivals
 * @property {number} size bytes that were here before, and have come since; -1 before it is answered
 */

import { Receiver } from "../core/transfer/receiver.js";
import { Timer, seconds } from "../peer/clock.js";
import { ImageFailed } from "./fetching.js";

/** What has come of one picture and was not read yet. It is read as a stream is. */
class Arrivals {
  /** @type {Uint8Array[]} */
  #parts = [];
  #isOver = false;
  /** @type {ImageFailed | null} */
  #why = null;
  #wake = () => {};

  /** @param {Uint8Array} part */
  add(part) {
    this.#parts.push(part);
    this.#wake();
  }

  /** Nothing more comes. @param {ImageFailed | null} why that is no good end */
  end(why) {
    this.#isOver = true;
    this.#why = why;
    this.#wake();
  }

  /** @returns {Promise<{done: boolean, value?: Uint8Array}>} @throws {ImageFailed} */
  async read() {
    while (this.#parts.length === 0 && !this.#isOver) {
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    }
    const value = this.#parts.shift();
    if (value === undefined && this.#why !== null) throw this.#why;
    return { done: value === undefined, value };
  }
}

/** The pictures of one session that come so. */
export class Receiving {
  #send;
  #listener;
  #receiver = new Receiver();
  /** By number. @type {Map<number, Try>} */
  #tries = new Map();
  #timer = new Timer(() => this.#perform(this.#receiver.tick(seconds())));

  /**
   * @param {(text: string) => void} send on the second channel
   * @param {ReceivingListener} listener
   */
  constructor(send, listener) {
    this.#send = send;
    this.#listener = listener;
  }

  /** Something is new on the second channel, or its connection is gone. @param {DataEvent} event */
  take(event) {
    if (event.kind === "shared") this.#perform(this.#receiver.opened(seconds()));
    else if (event.kind === "dataReceived") this.#perform(this.#receiver.receive(event.data, seconds()));
    else if (event.kind === "unshared") this.#perform(this.#receiver.closed());
  }

  /**
   * As `openTransfer` does by HTTP.
   *
   * @param {number} number of the try
   * @param {string} imageUrl
   * @param {{offset: number, mark: Mark | null}} from `mark`: of the answer whose bytes are here
   * @param {AbortSignal} signal whose reason is thrown
   * @returns {Promise<Answer>}
   * @throws {ImageFailed}
   */
  open(number, imageUrl, { offset, mark }, signal) {
    return new Promise((answer, refuse) => {
      signal.addEventListener("abort", () => {
        this.#stop(number);
        refuse(signal.reason);
      });
      this.#tries.set(number, { answer, refuse, arrivals: new Arrivals(), size: -1 });
      const sha256 = offset > 0 ? (mark?.sha256 ?? null) : null;
      this.#perform(this.#receiver.want(number, imageUrl, offset, sha256, seconds()));
    });
  }

  /** Nothing of it is wanted any more. */
  close() {
    this.#tries.clear();
    this.#receiver = new Receiver();
    this.#timer.set(Infinity);
  }

  /** @param {number} number */
  #stop(number) {
    this.#tries.delete(number);
    this.#perform(this.#receiver.stop(number, seconds()));
  }

  /** @param {ReceiverOutput[]} outputs */
  #perform(outputs) {
    for (const output of outputs) {
      if (output.kind === "tell") this.#send(output.text);
      else if (output.kind === "drop") console.debug(`dropped a message of pictures: ${output.why}`);
      else if (output.kind === "parked") this.#listener.parked(output.number);
      else {
        const found = this.#tries.get(output.number);
        if (found !== undefined) this.#performOne(found, output);
      }
    }
    this.#timer.set(this.#receiver.due);
  }

  /** @param {Try} found @param {Exclude<ReceiverOutput, {kind: "tell" | "drop" | "parked"}>} output */
  #performOne(found, output) {
    switch (output.kind) {
      case "answered":
        this.#answered(found, output);
        break;
      case "came":
        found.size += output.data.length;
        found.arrivals.add(output.data);
        break;
      case "finished":
        this.#tries.delete(output.number);
        found.arrivals.end(null);
        break;
      case "failed": {
        const { reason, mayPass, detail, keeps } = output;
        this.#tries.delete(output.number);
        end(found, new ImageFailed(reason, mayPass, detail, keeps));
      }
    }
  }

  /** @param {Try} found @param {Answered} answered */
  #answered(found, { number, offset, length, sha256 }) {
    if (found.size < 0) {
      const mark = { total: length, etag: null, modified: null, sha256 };
      const body = { read: () => found.arrivals.read(), cancel: () => this.#stop(number) };
      found.answer({ offset, mark, isResumable: true, body });
    } else if (offset === found.size) {
      this.#listener.goesOn(number);
    } else {
      // What is here is of another one; in the next try, it begins with nothing.
      this.#stop(number);
      end(found, new ImageFailed("bad_range", true, "the picture is another one by now"));
    }
    found.size = offset;
  }
}

/** @param {Try} found @param {ImageFailed} why */
function end({ refuse, arrivals }, why) {
  refuse(why);
  arrivals.end(why);
}
