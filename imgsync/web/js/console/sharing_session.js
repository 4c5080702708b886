/**
 * A session of the console that can send the evaluator's own pictures, beside what is said in it. It may
 * begin before whoever is told of it is there, as nothing is said in it until the relay has answered.
 *
 * @import { ChannelMessage, ImageSource } from "../core/protocol/wire.js"
 * @import { Route } from "../peer/route.js"
 * @import { SessionOptions, Talk } from "../peer/session.js"
 */

import { Session } from "../peer/session.js";
import { Sharing } from "./sharing.js";

/** Of what nobody listens to yet. @type {Talk} */
const SILENT = { opened: () => {}, received: () => {}, changed: () => {} };

export class SharingSession {
  #session;
  #talk;
  #sharing = new Sharing({
    send: (data) => this.#session.sendData(data),
    failed: (imageUrl, reason, detail) => console.warn(`${imageUrl} could not be sent: ${reason}: ${detail}`),
  });

  /** @param {Route} route @param {SessionOptions} options @param {Talk} [talk] or it is given to `listen` */
  constructor(route, options, talk = SILENT) {
    this.route = route;
    this.#talk = talk;
    this.#session = new Session(route, options, {
      opened: () => {
        this.#sharing.close(); // on a connection before this one
        this.#talk.opened();
      },
      drained: () => this.#talk.drained?.(),
      received: (message, at) => this.#talk.received(message, at),
      changed: (change) => {
        if (change.state === "interrupted" || change.state === "ended") this.#sharing.close();
        this.#talk.changed(change);
      },
      isSeen: () => this.#talk.isSeen?.() ?? false,
      shared: (event) => this.#sharing.take(event),
    });
  }

  /** Have told what comes of it, and soon its end if that has come already. @param {Talk} talk */
  listen(talk) {
    this.#talk = talk;
    const { end } = this.#session;
    if (end !== null) queueMicrotask(() => talk.changed(end));
  }

  /** These are shown or announced: the client may ask for them. @param {readonly ImageSource[]} images */
  offer(images) {
    this.#sharing.offer(images);
  }

  /** As of the session. @param {ChannelMessage} message */
  send(message) {
    return this.#session.send(message);
  }

  get waiting() {
    return this.#session.waiting;
  }

  get maxMessage() {
    return this.#session.maxMessage;
  }

  share() {
    this.#sharing.begin();
    this.#session.share();
  }

  close() {
    return this.#session.close();
  }
}
