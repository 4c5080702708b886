/**
 * The way to the server, and what it says to the link: it is asked as a session asks it, and left at once.
 *
 * @import { Asked, Interval } from "../core/check/clock.js"
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 * @import { IceServer } from "../core/protocol/wire.js"
 *
 * @typedef {{ms: number, obstacle: Obstacle | "closed" | null}} Reached after how long, or what is in the way
 * @typedef {"registered" | "refused" | "unanswered"} Answer to the link
 * @typedef {Reached & {answer: Answer, iceServers: readonly IceServer[]}} Registered
 */

import { clockOffset } from "../core/check/clock.js";
import { obstacleOfClose, obstacleOfError } from "../core/protocol/obstacles.js";
import { CloseCode } from "../core/protocol/numbers.js";
import { decodeEvent } from "../core/protocol/wire.js";
import { now } from "../peer/clock.js";
import { askHealth, askSocket } from "../peer/lookout.js";
import { Opening } from "../peer/opening.js";

/** For a socket, and for the answer on it. */
const SOCKET_MS = 8000;

/** A dozen questions, spread over just more than a second, meet the moment at which whole seconds go on. */
const [QUESTIONS, PAUSE_MS] = [12, 90];

/** @param {URL} url of the socket, by http @returns {Promise<Reached>} */
export async function reachServer(url) {
  const began = now();
  const obstacle = await askHealth(url);
  return { ms: now() - began, obstacle };
}

/** @param {URL} url of the socket, by http @returns {Promise<Interval | null>} null where it does not tell */
export async function askClock(url) {
  /** @type {Asked[]} */
  const answers = [];
  for (let count = 0; count < QUESTIONS; count += 1) {
    const sentAt = Date.now() / 1000;
    const told = await askDate(new URL("health", url));
    if (told !== null) answers.push({ sentAt, told, receivedAt: Date.now() / 1000 });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return clockOffset(answers);
}

/** @param {URL} url @returns {Promise<number | null>} seconds */
async function askDate(url) {
  try {
    const { headers } = await fetch(url, { cache: "no-store" });
    const told = Date.parse(headers.get("date") ?? "");
    return Number.isNaN(told) ? null : told / 1000;
  } catch {
    return null;
  }
}

/**
 * As who waits at the door: no session can begin on it.
 *
 * @param {URL} url of the socket, by http
 * @param {string} userId empty where there is nobody to register
 * @param {string | undefined} token
 * @returns {Promise<Registered>}
 */
export async function register(url, userId, token) {
  const began = now();
  const socket = new WebSocket(url.href.replace(/^http/, "ws"));
  const opening = new Opening({ socket, heard: [], code: null });
  /** Milliseconds until it was open. @type {number | null} */
  let ms = null;
  /** Why the relay does not register us now. @type {Obstacle | null} */
  let refusal = null;
  /** ICE servers, the code with which it was closed, or nothing in time. @type {Promise<readonly IceServer[] | number | null>} */
  const heard = new Promise((resolve) => {
    socket.addEventListener("open", () => {
      ms = now() - began;
      if (userId === "") resolve([]);
    });
    opening.listen((data) => {
      const frame = decodeEvent(data);
      if (frame?.event === "registered") resolve(frame.data.iceServers);
      if (frame?.event === "error") refusal = obstacleOfError(frame.data.code);
    }, resolve);
    setTimeout(() => resolve(null), SOCKET_MS);
  });
  if (userId !== "") opening.register({ userId, role: "client", token, door: { state: "waiting" } });
  const said = await heard;
  opening.drop();
  const obstacle = refusal ?? await whatIsInTheWay(url, ms !== null, said);
  if (said !== null && typeof said !== "number") return { ms: ms ?? 0, obstacle, answer: "registered", iceServers: said };
  return { ms: ms ?? 0, obstacle, answer: said === CloseCode.UNAUTHORIZED ? "refused" : "unanswered", iceServers: [] };
}

/**
 * @param {URL} url
 * @param {boolean} wasOpen
 * @param {readonly IceServer[] | number | null} said
 * @returns {Promise<Obstacle | "closed" | null>}
 */
async function whatIsInTheWay(url, wasOpen, said) {
  const code = typeof said === "number" ? said : null;
  const told = code === null ? null : obstacleOfClose(code);
  if (told !== null) return told;
  if (!wasOpen) return askSocket(url);
  return code === null || code === CloseCode.UNAUTHORIZED ? null : "closed";
}
