/**
 * A connection of this page to itself, by one kind of way at a time, made as a session makes its own.
 *
 * @import { Measured } from "../core/check/judging.js"
 * @import { IceServer } from "../core/protocol/wire.js"
 * @import { LinkEvent } from "../peer/link.js"
 *
 * @typedef {{measured: Measured | null, causes: readonly string[]}} Tried
 */

import { Cause } from "../core/protocol/numbers.js";
import { now } from "../peer/clock.js";
import { Link } from "../peer/link.js";
import { connectWith } from "../peer/servers.js";

/** A session waits for longer, as people may have to; here all is within reach. */
const OPEN_MS = 8000;
/** For a STUN server: one question there and back, and two more where those are lost. */
const SEEN_MS = 3000;
/** For one message there and back, and for all of those by which it is seen how much goes through. */
const ECHO_MS = 4000;

const ECHOES = 5;

/** What goes through at once: a picture, in parts as those of pictures are. */
const [PARTS, PART] = [16, 16 * 1024];

/** Whether this browser has WebRTC. */
export function canConnect() {
  try {
    const { connection } = connectWith([], false);
    connection.createDataChannel("");
    connection.close();
    return true;
  } catch {
    return false;
  }
}

/**
 * @template T, U
 * @param {number} ms
 * @param {Promise<T>} what
 * @param {U} otherwise
 * @returns {Promise<T | U>}
 */
export function within(ms, what, otherwise) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(otherwise), ms);
    what.then(resolve, () => resolve(otherwise)).finally(() => clearTimeout(timer));
  });
}

/** A promise that is kept from outside. */
function outcome() {
  /** @type {(value: boolean) => void} */
  let settle = () => {};
  const settled = new Promise((/** @type {(value: boolean) => void} */ resolve) => (settle = resolve));
  return { settled, settle };
}

class Loop {
  /** @type {Set<string>} */
  causes = new Set();
  /** Lines of candidates. @type {string[]} */
  lines = [];
  /** Whether the channel is there; false where it can't come about. */
  #opened = outcome();
  #described = outcome();
  /** Ends whose candidates are all there. */
  #complete = 0;
  /** Characters that have come to the far end. */
  #received = 0;
  /** @type {() => void} */
  #echoed = () => {};
  #near;
  #far;

  /** @param {readonly IceServer[]} servers @param {boolean} isRelayed */
  constructor(servers, isRelayed) {
    this.#near = new Link(servers, true, (event) => this.#happened(event, true), isRelayed);
    this.#far = new Link(servers, false, (event) => this.#happened(event, false), isRelayed);
  }

  /** @returns {Promise<boolean>} whether there is a channel */
  async open() {
    const answer = await this.#far.makeAnswer(await this.#near.makeOffer());
    await this.#near.applyAnswer(answer);
    this.#described.settle(true);
    return this.#opened.settled;
  }

  /** @returns {Promise<number>} milliseconds there and back, the middle one of several */
  async measureTrip() {
    const trips = [];
    for (let count = 0; count < ECHOES; count += 1) {
      const sent = now();
      const echoed = new Promise((resolve) => (this.#echoed = () => resolve(undefined)));
      this.#near.send("?");
      if ((await within(ECHO_MS, echoed, null)) === null) return Infinity;
      trips.push(now() - sent);
    }
    return trips.sort((one, other) => one - other)[ECHOES >> 1] ?? Infinity;
  }

  /** @returns {Promise<number>} Mbit/s that go through */
  async measureRate() {
    this.#received = 0;
    const began = now();
    const echoed = new Promise((resolve) => {
      this.#echoed = () => this.#received >= PARTS * PART && resolve(null);
    });
    for (let part = 0; part < PARTS; part += 1) this.#near.send("x".repeat(PART));
    await within(ECHO_MS, echoed, null);
    return (8 * this.#received) / (now() - began) / 1000;
  }

  close() {
    this.#near.close();
    this.#far.close();
  }

  /** @param {LinkEvent} event @param {boolean} isNear */
  #happened(event, isNear) {
    switch (event.kind) {
      case "gathered":
        this.#gathered(event.line, isNear ? this.#far : this.#near);
        break;
      case "hindered":
        this.causes.add(event.cause);
        break;
      case "received":
        if (!isNear) this.#received += String(event.data).length;
        if (!isNear) this.#far.send(".");
        else this.#echoed();
        break;
      case "opened":
        if (isNear) this.#opened.settle(true);
        break;
      case "linkLost":
      case "channelClosed":
        this.#opened.settle(false);
    }
  }

  /** @param {string | null} line null for the end of them @param {Link} other */
  #gathered(line, other) {
    void this.#described.settled.then(() => other.addCandidate({ candidate: line })).catch(() => {});
    if (line !== null) this.lines.push(line);
    else this.#complete += 1;
    if (this.#complete === 2 && this.lines.length === 0) this.#opened.settle(false);
  }
}

/**
 * @param {readonly IceServer[]} servers
 * @param {boolean} isRelayed whether nothing may go past the TURN servers
 * @returns {Promise<Tried>}
 */
export async function tryWay(servers, isRelayed) {
  const loop = new Loop(servers, isRelayed);
  try {
    const isOpen = await within(OPEN_MS, loop.open(), false);
    const measured = isOpen ? await measure(loop, isRelayed) : null;
    const causes = [...loop.causes];
    return { measured, causes: loop.lines.length === 0 ? [...causes, Cause.TURN_SILENT] : causes };
  } finally {
    loop.close();
  }
}

/**
 * By a connection that never comes about: of one that does, browsers ask no further.
 *
 * @param {readonly IceServer[]} stuns
 * @returns {Promise<boolean>} whether a STUN server has told where it sees us
 */
export async function askStun(stuns) {
  const { settled, settle } = outcome();
  let isWell = true;
  const link = new Link(stuns, true, (event) => {
    if (event.kind === "hindered") isWell = false;
    if (event.kind !== "gathered") return;
    // An address that is the device's own is not told twice; so where nobody complains, all was well.
    if (event.line === null) settle(isWell);
    else if (/ typ srflx\b/.test(event.line)) settle(true);
  });
  await link.makeOffer();
  const isSeen = await within(SEEN_MS, settled, false);
  link.close();
  return isSeen;
}

/** @param {Loop} loop @param {boolean} isRelayed @returns {Promise<Measured>} */
async function measure(loop, isRelayed) {
  const trip = await loop.measureTrip();
  // To itself there is no line that could be slow.
  return { trip, rate: isRelayed ? await loop.measureRate() : null };
}
