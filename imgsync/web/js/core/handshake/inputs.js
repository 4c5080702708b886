/**
 * What a handshake is told: by the relay, and by the connections of its attempts.
 *
 * @import { EndReason, Signal } from "../protocol/wire.js"
 *
 * The session has begun. `resumed`: it is an old one, whose offer may have gone to another page;
 * `ownerUnknown`: another page may have it, and has time to claim it before we act; `isHidden`: nobody
 * looks at this page; one that is looked at goes first; `isEarly`: the relay was asked for it and has
 * not answered; `begun` follows.
 * @typedef {{kind: "start", resumed: boolean, ownerUnknown: boolean, isHidden: boolean,
 *   isEarly?: boolean}} Start
 *
 * Of the relay. `begun`: it has begun the session that an offer was made for, so that both sides' time
 * runs from now; `signalCame`: the other peer says something in the handshake, or (null) what can't
 * be read; `endCame`: the session is over, as the relay says; `ownEnd`: the same, as our own side
 * wants it; `relayLost`: the connection to the relay is gone, and is being made again; `relayBack`:
 * the relay has us in the session, again, and tells us next if the other side is away; `peerWent`:
 * the other side has lost the relay; `peerCame`: it is there again; `peerTaken`: it is in a session
 * with somebody else, as the relay says that refuses us ours.
 * @typedef {{kind: "begun"}
 *   | {kind: "signalCame", signal: Signal | null}
 *   | {kind: "endCame" | "ownEnd", reason: EndReason, detail?: string}
 *   | {kind: "relayLost"} | {kind: "relayBack"}
 *   | {kind: "peerWent"} | {kind: "peerCame"} | {kind: "peerTaken"}} RouteInput
 *
 * Of an attempt. `described`: the description that was asked for is made; `notMade`: the connection
 * could not be made, as the descriptions have it (`negotiation_failed`) or on this side at all;
 * `gathered`: a candidate of our own was found (its line as the browser writes it), or null: all
 * are; `hindered`: something (one of `Cause`) is in the way of a connection on our side, which may
 * come about all the same; `opened`: the data channel is open;
 * `channelClosed`: the data channel is closed. `isReset`: by the other side and alone, while the
 * connection stands; where a browser can't tell that, it may be the connection that has gone, and if
 * it has failed, `linkLost` follows. `linkLost`: the connection is gone, or
 * could not be made. `byPeer`: the other side closed it on purpose, as does a page that is reloaded
 * or a process that quits; otherwise it has gone silent, or there never was a connection.
 * @typedef {{kind: "notMade", why: string, reason?: EndReason} | {kind: "linkLost", why: string, byPeer: boolean}} Failure
 * @typedef {{kind: "described", sdp: string}
 *   | {kind: "gathered", line: string | null}
 *   | {kind: "hindered", cause: string}
 *   | {kind: "opened"}
 *   | {kind: "channelClosed", isReset: boolean}
 *   | Failure} AttemptEvent
 *
 * Something happened to the connection of an attempt, current or not.
 * @typedef {{kind: "fromAttempt", attempt: number, event: AttemptEvent}} FromAttempt
 *
 * @typedef {Start | RouteInput | FromAttempt} Input
 */

export {};
