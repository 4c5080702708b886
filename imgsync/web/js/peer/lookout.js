/**
 * Looks for what is in the way of a socket that did not come about. A browser does not tell a page why
 * its WebSocket was refused; so it asks by plain HTTP, at what is beside it and at the very address.
 *
 * @import { Obstacle } from "../core/protocol/obstacles.js"
 */

import { obstacleAtHealth, obstacleOf } from "../core/protocol/obstacles.js";

/** For an answer. */
const ANSWER_MS = 5000;

/** Tries that may fail first where the relay was there: it is back soon if it was started anew. */
const PATIENCE = 3;

export class Lookout {
  /** What is in the way, as far as that is known. @type {Obstacle | null} */
  obstacle = null;
  #url;
  #found;
  #isLooking = false;
  /** What was looked for before it became known another way is of no use. */
  #findings = 0;
  /** So many times there is no need to look. */
  #spared = 0;
  /** Whether all was well but for the socket, which the relay may just have been too late for. */
  #isInDoubt = false;

  /** @param {string} url of the socket @param {() => void} found something else than before */
  constructor(url, found) {
    this.#url = new URL(url.replace(/^ws/, "http"));
    this.#found = found;
  }

  /** The relay is there, and has us. */
  isThere() {
    this.know(null);
    this.#spared = PATIENCE;
  }

  /** It is known why there is no socket. @param {Obstacle | null} obstacle */
  know(obstacle) {
    this.obstacle = obstacle;
    this.#findings += 1;
    this.#isInDoubt = false;
  }

  /** A socket has not come about, and nobody has said why. */
  async look() {
    if (this.#isLooking) return;
    if (this.#spared > 0) {
      this.#spared -= 1;
      return;
    }
    this.#isLooking = true;
    const finding = this.#findings;
    const found = (await askHealth(this.#url)) ?? (await askSocket(this.#url));
    this.#isLooking = false;
    if (finding !== this.#findings) return;
    const isSure = found !== "upgrade" || this.#isInDoubt;
    this.#isInDoubt = found === "upgrade";
    if (!isSure) return;
    this.obstacle = found;
    this.#found();
  }
}

/** What is in the way to the relay, as it says itself. @param {URL} url of the socket, by http */
export function askHealth(url) {
  const health = new URL("health", url);
  health.searchParams.set("origin", location.origin);
  return ask(health, obstacleAtHealth);
}

/** What is in the way of a socket, at its very address. @param {URL} url by http */
export function askSocket(url) {
  return ask(url, obstacleOf);
}

/**
 * @param {URL} url
 * @param {(status: number, text: string) => Obstacle | null} judge
 * @returns {Promise<Obstacle | null>}
 */
async function ask(url, judge) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), ANSWER_MS);
  try {
    const { signal } = control;
    const response = await fetch(url, { cache: "no-store", redirect: "manual", signal });
    if (response.type === "opaqueredirect") return "moved";
    return judge(response.status, await response.text());
  } catch {
    return "unreachable";
  } finally {
    clearTimeout(timer);
  }
}
