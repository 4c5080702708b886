/**
 * A socket to the relay from the first: it says who we are, and what comes in waits until somebody
 * listens. So a page is registered before all of it has loaded.
 *
 * @import { DoorState, Role } from "../core/protocol/wire.js"
 *
 * @typedef {{socket: WebSocket, heard: unknown[], code: number | null}} Opened
 *   `heard`: what has come in; `code`: with which it was closed, if it was
 *
 * @typedef {{userId: string, role: Role, name?: string, token?: string, door?: {state: DoorState} | null}}
 *   Registrant `door`: of the page of a client, on which side of it whoever is there stands
 */

import {
  FEATURES,
  FEATURE_EARLY_OFFER,
  FEATURE_EXPOSURE,
  FEATURE_ICE_SERVERS,
  FEATURE_PICTURES,
  FEATURE_PRESENCES,
  FEATURE_RESPONSE,
  FEATURE_SIZE,
  FEATURE_TEXT,
  FEATURE_WAITING,
  PACKAGE,
} from "../core/protocol/numbers.js";

/** What the page of a client speaks on the channel: it has a screen, a person before it, and a place for pictures. */
export const SPOKEN = [
  ...FEATURES,
  FEATURE_PICTURES,
  FEATURE_EXPOSURE,
  FEATURE_RESPONSE,
  FEATURE_TEXT,
  FEATURE_SIZE,
];

export class Opening {
  #opened;
  #isRegistered = false;
  /** What the relay was told of the door. @type {DoorState | undefined} */
  state;

  /** @param {Opened} opened */
  constructor(opened) {
    this.#opened = opened;
  }

  get isOpen() {
    return this.#opened.socket.readyState === WebSocket.OPEN;
  }

  /** Tell the relay as soon as it hears, once. @param {Registrant} registrant */
  register({ userId, role, name, token, door }) {
    if (this.#isRegistered) return;
    this.#isRegistered = true;
    // What there is to be spoken on the channel is the client's to speak.
    const spoken = role === "client" ? [...SPOKEN, FEATURE_EARLY_OFFER] : [FEATURE_PRESENCES, FEATURE_WAITING];
    const features = [...spoken, FEATURE_ICE_SERVERS];
    const say = () => {
      const state = (this.state = door?.state);
      const data = { userId, role, package: PACKAGE, name, token, features, state };
      this.send(JSON.stringify({ event: "register", data }));
    };
    if (this.isOpen) say();
    else this.#opened.socket.onopen = say;
  }

  /**
   * What has waited, and what comes from now on.
   *
   * @param {(data: unknown) => void} received
   * @param {(code: number) => void} closed
   */
  listen(received, closed) {
    const { socket, heard } = this.#opened;
    socket.onmessage = ({ data }) => received(data);
    socket.onclose = ({ code }) => closed(code);
    // Any of it may lead to a drop, and then the rest is no news.
    while (heard.length > 0) received(heard.shift());
    if (this.#opened.code !== null) closed(this.#opened.code);
  }

  /** @param {string} text */
  send(text) {
    this.#opened.socket.send(text);
  }

  /** Nothing more is heard of it. */
  drop() {
    const { socket, heard } = this.#opened;
    socket.onopen = socket.onmessage = socket.onclose = null;
    heard.length = 0;
    this.#opened.code = null;
    socket.close();
  }
}
