/**
 * What a peer connection is made with: the ICE servers that are asked, of those that the relay names.
 *
 * @import { IceServer } from "../core/protocol/wire.js"
 */

import { chooseIce } from "../core/protocol/ice.js";
import { Cause } from "../core/protocol/numbers.js";

/**
 * A peer connection, although the relay may name servers for which browsers throw.
 *
 * @param {readonly IceServer[]} named
 * @param {boolean} isRelayed whether it may go through TURN servers alone
 * @returns {{connection: RTCPeerConnection, causes: string[]}} `causes`: one for each of these
 * @throws {Error} by a browser that has no WebRTC
 */
export function connectWith(named, isRelayed) {
  const iceTransportPolicy = isRelayed ? "relay" : "all";
  const { asked, leftOut } = chooseIce(named);
  for (const { url, why, isWrong } of leftOut) {
    console[isWrong ? "warn" : "debug"](`The relay names ${url}, which is not asked: ${why}.`);
  }
  const causes = leftOut.filter(({ isWrong }) => isWrong).map(({ isTurn }) => causeOf(isTurn));
  try {
    return { connection: new RTCPeerConnection({ iceServers: asked, iceTransportPolicy }), causes };
  } catch {
    // A browser knows best what it takes; the others will do.
    const refused = asked.filter((server) => !takes(server));
    const taken = asked.filter((server) => !refused.includes(server));
    causes.push(...refused.map(({ urls }) => causeOf(/^turn/i.test(String(urls)))));
    return { connection: new RTCPeerConnection({ iceServers: taken, iceTransportPolicy }), causes };
  }
}

/** @param {boolean} isTurn */
function causeOf(isTurn) {
  return isTurn ? Cause.TURN_FAILED : Cause.STUN_FAILED;
}

/** @param {IceServer} server @returns {boolean} whether this browser takes it */
function takes(server) {
  try {
    new RTCPeerConnection({ iceServers: [server] }).close();
    return true;
  } catch (error) {
    console.warn(`The relay names ${server.urls}, which this browser refuses: ${error}`);
    return false;
  }
}
