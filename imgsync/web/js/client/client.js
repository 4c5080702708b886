/**
 * The page of the client: takes part in one session after the other, and shows what it is shown.
 *
 * @import { Entrance } from "../page/entrance.js"
 * @import { Image } from "../core/protocol/wire.js"
 * @import { Counts } from "../core/channel/downloads.js"
 * @import { Recording } from "../recording/recording.js"
 * @import { StateChange } from "../peer/session.js"
 * @import { DataEvent } from "../peer/shared.js"
 * @import { Route } from "../peer/route.js"
 * @import { Situation } from "../words/client.js"
 */

import { Decoding } from "./decoding.js";
import { DisplayWatch } from "./display.js";
import { Door } from "./door.js";
import { Follower } from "../core/channel/follower.js";
import { loadAgain } from "../page/first.js";
import { Loader } from "./loader.js";
import { Screen } from "./screen.js";
import { keepSteady } from "./steady.js";
import { now } from "../peer/clock.js";
import { SPOKEN } from "../peer/opening.js";
import { Session } from "../peer/session.js";
import { Showings } from "./showings.js";
import { offerMeasuring } from "./size_offer.js";
import { Signalling } from "../peer/signalling.js";
import { startInSight } from "../peer/waking.js";
import { BEGINNING, describe, isOver } from "../words/client.js";

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

export class Client {
  #stage = element("stage");
  #decoding = new Decoding();
  #loader = this.#openLoader();
  #screen = new Screen(
    () => this.#update({ canFill: this.#screen.canFill }),
    () => !this.#isPastDoor || this.#showings.isTapTaken,
  );
  #display = new DisplayWatch((display) => this.#session?.send(this.#follower.displayed(display)));
  #showings = new Showings(this.#decoding, this.#stage, this.#display, {
    seen: (image, at) => this.#recording?.seen(image, at),
    responded: (said) => this.#follower.responded(said).forEach((message) => this.#session?.send(message)),
    staged: (image, stage, told) => {
      this.#recording?.staged(image, stage, told);
      const message = this.#follower.reached(image, stage, told);
      if (message !== null) this.#session?.send(message);
    },
    identified: (image, facts) => {
      // Of what came over the connection, both sides know what it is.
      const message = image.signedUrl === null ? null : this.#follower.identified(image, facts);
      if (message !== null) this.#session?.send(message);
    },
  });
  #follower = new Follower(SPOKEN);
  /** Where the link says who this is. @type {Door | null} */
  #door = null;
  /** Where the link asks for it. @type {Recording | null} */
  #recording = null;
  /** Of a session that is to be joined once they have answered. @type {Route | null} */
  #invited = null;
  /** @type {Session | null} */
  #session = null;
  /** @type {Situation} */
  #situation = { ...BEGINNING, canFill: this.#screen.canFill };

  /** @param {Entrance} entrance */
  constructor(entrance) {
    offerMeasuring(this.#display.sizing, element("front"));
    keepSteady(() => document.body.dataset.state === "showing");
    this.#update({ hasUser: entrance.userId !== "" });
    if (entrance.userId === "") return;
    const record = new URL(location.href).searchParams.get("record");
    if (record === null) this.#register(entrance);
    else void this.#loadRecording(entrance, record);
  }

  /** What records is loaded only where the link asks for it. @param {Entrance} entrance @param {string} record */
  async #loadRecording(entrance, record) {
    try {
      const { Recording } = await import("../recording/recording.js");
      const { userId } = entrance;
      const tell = () => this.#tellRecording();
      this.#recording = new Recording(element("front"), userId, record, tell);
    } catch {
      this.#update({ relay: "waiting", obstacle: "unreachable" });
      loadAgain();
      return;
    }
    this.#register(entrance);
  }

  /** @param {Entrance} entrance */
  #register({ userId, token, relayUrl, first, door }) {
    const reach = () => {
      const isReady = this.#isPastDoor && this.#situation.relay === "up";
      if (isReady) void this.#recording?.reach(signalling.recordingUrl);
    };
    const signalling = new Signalling(
      { url: relayUrl, userId, role: "client", token, first, door },
      {
        changed: (relay, obstacle) => {
          // Try after try is one and the same to those who wait.
          const isRetry = relay === "connecting" && this.#situation.relay === "waiting";
          this.#update(isRetry ? { obstacle } : { relay, obstacle });
          reach();
        },
        waiting: (others, isSentBack) => {
          this.#door?.told(others, isSentBack);
          this.#update({});
        },
        invited: (route) => void this.#invite(route, signalling),
      },
    );
    this.#door = door && new Door(door, () => {
      signalling.enter();
      this.#update({});
      reach();
    });
    this.#update({});
    startInSight(signalling, first !== null);
  }

  get #isPastDoor() {
    return this.#door?.isOpen ?? true;
  }

  /** @param {Route} route @param {Signalling} signalling */
  async #invite(route, signalling) {
    const answered = this.#recording?.answered;
    if (answered !== undefined) {
      // Until they have answered, what the other side says waits in the route; and one route at most
      // waits, as the relay has us in one session at most.
      this.#invited?.close();
      this.#invited = route;
      await answered;
      if (route !== this.#invited) return;
      this.#invited = null;
    }
    this.#join(route, signalling);
  }

  /** @param {Route} route @param {Signalling} signalling */
  #join(route, signalling) {
    // The one before is over, even if it did not know it.
    const before = this.#session;
    this.#leave();
    void before?.close();
    this.#follower = new Follower(SPOKEN);
    this.#tellRecording();
    this.#situation.with = route.peerName;
    const greet = () => this.#follower.opened().forEach((message) => session.send(message));
    const take = (/** @type {DataEvent} */ event) => session === this.#session && this.#loader.take(event);
    const options = { get iceServers() { return signalling.iceServers; }, offers: false };
    const session = new Session(route, options, {
      opened: () => {
        take({ kind: "unshared" }); // what was on a connection before this one
        greet();
      },
      shared: take,
      unanswered: greet,
      received: (message, at) => {
        if (session !== this.#session) return;
        if ("imageUrl" in message) this.#receive(session, message, at);
        else if (message.type === "preload") this.#loader.preload(message.images);
        else if (message.type === "response_ack") this.#follower.acknowledged(message);
      },
      changed: (change) => this.#changed(session, change),
    });
    this.#session = session;
    const { state } = session;
    this.#changed(session, { state, at: 0, reason: null, detail: "", wasConnected: false });
    this.#display.begin();
  }

  /** @param {Session} session @param {Image} image @param {number} at */
  #receive(session, image, at) {
    const { isNew, ack } = this.#follower.received(image, at);
    if (isNew) {
      document.body.dataset.state = "showing";
      void this.#showings.show(image, this.#loader);
    }
    session.send(ack);
  }

  /** @param {Session} session @param {StateChange} change */
  #changed(session, { state, reason, detail, wasConnected }) {
    if (session !== this.#session) return;
    if (state === "ended") this.#leave();
    else if (state === "interrupted") this.#loader.take({ kind: "unshared" });
    this.#recording?.attend(state !== "ended");
    this.#update({ session: state, reason, detail, wasConnected });
  }

  /** How it is now; said again on each channel. */
  #tellRecording() {
    if (this.#recording === null) return;
    const { devices, troubles } = this.#recording.report;
    const message = this.#follower.recorded(devices, troubles, now());
    this.#session?.send(message);
  }

  /** For the images of one session. */
  #openLoader() {
    const progressed = (/** @type {Counts} */ counts) => {
      this.#session?.send(this.#follower.preloaded(counts));
    };
    return new Loader(this.#decoding, progressed, (text) => this.#session?.sendData(text));
  }

  /** Its images go with a session. */
  #leave() {
    // First what is said of them.
    this.#showings.clear();
    this.#session = null;
    this.#loader.close();
    this.#loader = this.#openLoader();
    document.body.dataset.state = "idle";
  }

  /** @param {Partial<Situation>} news */
  #update(news) {
    Object.assign(this.#situation, news);
    const { relay, obstacle } = this.#situation;
    this.#door?.show(relay !== "refused" && (relay !== "waiting" || obstacle === null));
    this.#screen.keepAwake(this.#isPastDoor && !isOver(this.#situation));
    const { text, hint } = describe(this.#situation);
    element("text").textContent = text;
    element("hint").textContent = hint;
  }
}
