/**
 * A session of the console that can send the evaluator's own pictures, beside what is said in it.
 *
 * @import { ChannelMessage, ImageSource } from "../core/protocol/wire.js"
 * @import { Route } from "../peer/route.js"
 * @import { SessionOptions, Talk } from "../peer/session.js"
 */

import { Session } from "../peer/session.js";
import { Sharing } from "./sharing.js";

export class SharingSession {
  #session;
  #sharing = new Sharing({
    send: (data) => this.#session.sendData(data),
    failed: (imageUrl, reason, detail) => console.warn(`${imageUrl} could not be sent: ${reason}: ${detail}`),
  });

  /** @param {Route} route @param {SessionOptions} options @param {Talk} talk */
  constructor(route, options, talk) {
    this.#session = new Session(route, options, {
      ...talk,
      opened: () => {
        this.#sharing.close(); // on a connection before this one
        talk.opened();
      },
      changed: (change) => {
        if (change.state === "interrupted" || change.state === "ended") this.#sharing.close();
        talk.changed(change);
      },
      shared: (event) => this.#sharing.take(event),
    });
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
