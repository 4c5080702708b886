/**
 * What of a description and of a candidate concerns us; all else is for the browser to judge.
 *
 * @typedef {{sdp: string, ufrag: string, mid: string, index: number}} Description
 *   `sdp`: without what a browser would refuse the whole for, though it may be left out; `ufrag`: the
 *   ICE user name fragment, which tells attempts apart; `mid`: the identification of the data
 *   channel's section, which an answer repeats from its offer; `index`: which section it is, from 0
 */

import { NegotiationError } from "../protocol/errors.js";
import { MAX_SDP } from "../protocol/numbers.js";

const FOUNDATION = /^[!-~]{1,32}$/;
const COMPONENT = /^0{0,2}1$/;
const PRIORITY = /^[0-9]{1,10}$/;
const PORT = /^0{0,4}[1-9][0-9]{0,4}$/;
const MDNS_NAME = /^[0-9A-Za-z-]{1,63}\.local$/i;
const IPV4 = /^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(?!$)|$)){4}$/;
const IPV6 = /^[0-9A-Fa-f:.]+$/;
const TYPES = ["host", "srflx", "relay"];

/** No library can read more, and no more is ever sent. */
const MAX_SIZE = 2 ** 31 - 1;

/**
 * @param {string} line of a candidate, with or without the leading `candidate:`
 * @returns {string | null} why a UDP data channel can't use it; null where it can
 */
export function problemOf(line) {
  const words = line.replace(/^candidate:/, "").split(" ").filter(Boolean);
  const [foundation = "", component = "", transport = "", priority = "", address = "", port = "", typ, kind] = words;
  if (kind === undefined || typ?.toLowerCase() !== "typ") return "it does not have the form of RFC 8839";
  if (!FOUNDATION.test(foundation)) return "its foundation is not 1 to 32 visible characters";
  if (!COMPONENT.test(component)) return "it is for another component";
  if (transport.toLowerCase() !== "udp") return "it is not for UDP";
  if (!PRIORITY.test(priority) || Number(priority) >= 2 ** 32) return "its priority is out of range";
  if (!isAddress(address)) return "its address is no IP address and no mDNS name";
  if (!PORT.test(port) || Number(port) >= 2 ** 16) return "its port is not between 1 and 65535";
  return TYPES.includes(kind.toLowerCase()) ? null : "its type is not known";
}

/** @param {string} text */
function isAddress(text) {
  if (MDNS_NAME.test(text)) return true;
  if (IPV4.test(text)) return text !== "0.0.0.0";
  if (!IPV6.test(text) || !text.includes(":")) return false;
  try {
    return new URL(`http://[${text}]`).hostname !== "[::]";
  } catch {
    return false;
  }
}

/**
 * @param {string} sdp
 * @returns {Description}
 * @throws {NegotiationError}
 */
export function parseDescription(sdp) {
  if (sdp.length > MAX_SDP) throw new NegotiationError(`its SDP has more than ${MAX_SDP} characters`);
  const [session = "", ...sections] = sdp.split(/^(?=m=)/m);
  const found = sections.filter((section) => section.startsWith("m=application "));
  const data = found.find(isOpen) ?? found[0] ?? "";
  const ufrag = [data, session, sdp].map((text) => valueOf(text, "ice-ufrag")).find(Boolean);
  if (ufrag === undefined) throw new NegotiationError("its SDP has no a=ice-ufrag");
  const index = Math.max(0, sections.indexOf(data));
  return { sdp: readable(sdp), ufrag, mid: valueOf(data, "mid") ?? "", index };
}

/** Port 0 declines a section, but for one that goes over another's transport. @param {string} section */
function isOpen(section) {
  return !section.startsWith("m=application 0 ") || /^a=bundle-only/m.test(section);
}

/** @param {string} text @param {string} name */
function valueOf(text, name) {
  return new RegExp(`^a=${name}:(\\S+)`, "m").exec(text)?.[1];
}

/** @param {string} sdp */
function readable(sdp) {
  return sdp
    .replace(/^a=candidate:(.*)\r?\n/gm, (line, candidate) => (problemOf(candidate.trim()) === null ? line : ""))
    .replace(/^a=max-message-size:([0-9]+)/gm, (line, size) =>
      Number(size) > MAX_SIZE ? `a=max-message-size:${MAX_SIZE}` : line,
    );
}
