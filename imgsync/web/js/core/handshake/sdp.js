/**
 * What of a description concerns us; all else is for the browser to judge.
 *
 * @typedef {{sdp: string, ufrag: string, mid: string}} Description
 *   `ufrag`: the ICE user name fragment, which tells attempts apart; `mid`: the identification of
 *   its section, which an answer repeats from its offer
 */

import { NegotiationError } from "../protocol/errors.js";
import { MAX_SDP } from "../protocol/numbers.js";

/**
 * @param {string} sdp
 * @returns {Description}
 * @throws {NegotiationError}
 */
export function parseDescription(sdp) {
  if (sdp.length > MAX_SDP) throw new NegotiationError(`its SDP has more than ${MAX_SDP} characters`);
  const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
  if (ufrag === undefined) throw new NegotiationError("its SDP has no a=ice-ufrag");
  return { sdp, ufrag, mid: /^a=mid:(\S+)/m.exec(sdp)?.[1] ?? "" };
}
