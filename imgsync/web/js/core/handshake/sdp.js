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
/** 0.0.0.0/8, and multicast. */
const NO_HOSTS = /^(0|22[4-9]|23[0-9])\./;
const TYPES = ["host", "srflx", "relay"];

const DATA_CHANNEL = /^m=application [0-9]{1,5} (UDP|TCP)\/DTLS\/SCTP webrtc-datachannel$/m;
const STRONG_HASH = /^sha-(256|384|512)$/i;

/** No library can read more, and no more is ever sent. */
const MAX_SIZE = 2 ** 31 - 1;

const BASE64 = /^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$/;
/** Characters of an INIT; those of today's stacks have 40 to 60. */
const MAX_INIT = 512;
const INIT_HEADER = 20;
const INIT_TYPE = 1;
/** RFC 9260, section 3.3.2; so are the other rules for an INIT. */
const LEAST_CREDIT = 1500;

const NETWORK = / network-(?:id|cost) [0-9]{1,3}(?= |$)/g;

/** To which of them a TCP connection can be opened; RFC 6544, section 4.5. */
const TCP_TYPES = ["passive", "so"];

/**
 * @typedef {{line: string, problem: string}} Candidate
 *   `line`: its text without the leading `candidate:` and in the spelling that libraries know; of one
 *   that is of no use, as it came; `problem`: why a data channel can't use it, empty where it can
 */

/**
 * @param {string} given a candidate without the leading `candidate:`
 * @param {boolean} [tcp] whether our stack can open TCP connections to a candidate
 * @returns {Candidate}
 */
export function parseCandidate(given, tcp = true) {
  const words = given.split(" ").filter(Boolean);
  const [foundation = "", component = "", , priority = "", written = "", port = "", typ, type] = words;
  const address = plain(written);
  if (type === undefined || typ?.toLowerCase() !== "typ") {
    return { line: given, problem: "it does not have the form of RFC 8839" };
  }
  const transport = words[2]?.toLowerCase() ?? "";
  const kind = type.toLowerCase();
  const tcpType = tcpTypeOf(words.slice(8));
  const problem = problemOf({ foundation, component, transport, priority, address, port, kind, tcpType, tcp });
  if (problem !== "") return { line: given, problem };
  const host = MDNS_NAME.test(address) ? address.toLowerCase() : address;
  const line = `${foundation} 1 ${transport} ${Number(priority)} ${host} ${Number(port)} typ ${kind}`;
  return { line: transport === "tcp" ? `${line} tcptype ${tcpType}` : line, problem };
}

/** @param {string[]} extensions pairs of a name and a value */
function tcpTypeOf(extensions) {
  const at = extensions.findIndex((word, place) => place % 2 === 0 && word.toLowerCase() === "tcptype");
  return at < 0 ? "" : (extensions[at + 1] ?? "").toLowerCase();
}

/**
 * @param {{foundation: string, component: string, transport: string, priority: string,
 *   address: string, port: string, kind: string, tcpType: string, tcp: boolean}} candidate
 * @returns {string} why it is of no use
 */
function problemOf({ foundation, component, transport, priority, address, port, kind, tcpType, tcp }) {
  if (!FOUNDATION.test(foundation)) return "its foundation is not 1 to 32 visible characters";
  if (!COMPONENT.test(component)) return "it is for another component";
  if (transport !== "udp" && !(tcp && transport === "tcp")) return "its transport is not one that we can use";
  if (transport === "tcp" && !TCP_TYPES.includes(tcpType)) return "no TCP connection can be opened to it";
  if (!PRIORITY.test(priority) || Number(priority) >= 2 ** 32) return "its priority is out of range";
  if (!isAddress(address)) return "its address is no IP address and no mDNS name";
  if (!isOfOneHost(address)) return "its address is not that of one host";
  if (/^fe[89ab][0-9a-f]:/.test(spelt(address))) return "its address means something on one link alone";
  if (!PORT.test(port) || Number(port) >= 2 ** 16) return "its port is not between 1 and 65535";
  return TYPES.includes(kind) ? "" : "its type is not known";
}

/**
 * Of a usable candidate, for a browser: Firefox wants a related address of all but hosts, and whoever
 * is asked to pass it on may hide it (RFC 8839, section 5.1). What Chromium says of its network stays,
 * as the other side chooses between paths by it.
 *
 * @param {string} line
 * @param {string} given as it came, without the leading `candidate:`
 */
function forBrowser(line, given) {
  const [core = "", tcpType] = line.split(" tcptype ");
  const related = core.endsWith(" host") ? "" : " raddr 0.0.0.0 rport 0";
  const tcp = tcpType === undefined ? "" : ` tcptype ${tcpType}`;
  return `candidate:${core}${related}${tcp}${(given.match(NETWORK) ?? []).join("")}`;
}

/**
 * What a browser is given of a candidate, as it is spelt there.
 *
 * @param {string} candidate
 */
export function respell(candidate) {
  const given = bare(candidate);
  return forBrowser(parseCandidate(given).line, given);
}

/** @param {string} candidate that begins with `candidate:` @returns {string} without that */
export function bare(candidate) {
  return candidate.slice("candidate:".length);
}

/** @param {string} text */
function isAddress(text) {
  if (MDNS_NAME.test(text)) return true;
  return IPV4.test(text) || spelt(text) !== "";
}

/**
 * Whether it may be the address of one host: not this machine's, as the other side has it, nor a group's,
 * nor everybody's. What is no address at all is told otherwise.
 *
 * @param {string} text
 */
function isOfOneHost(text) {
  if (IPV4.test(text)) return text !== "255.255.255.255" && !NO_HOSTS.test(text);
  const found = spelt(text);
  return found !== "::" && !/^ff[0-9a-f]{2}:/.test(found);
}

/** @param {string} text @returns {string} an IPv6 address in its usual spelling; empty for what is none */
function spelt(text) {
  if (!IPV6.test(text) || !text.includes(":")) return "";
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return "";
  }
}

/** @param {string} text @returns {string} an address of IPv4 that is written as one of IPv6 as what it is */
function plain(text) {
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(spelt(text)) ?? [];
  if (high === undefined || low === undefined) return text;
  const parts = [high, low].map((part) => parseInt(part, 16)).flatMap((part) => [part >> 8, part & 255]);
  return parts.join(".");
}

/**
 * @param {string} given
 * @returns {Description}
 * @throws {NegotiationError}
 */
export function parseDescription(given) {
  if (given.length > MAX_SDP) throw new NegotiationError(`its SDP has more than ${MAX_SDP} characters`);
  const sdp = readable(given);
  const { session, sections, index } = split(sdp);
  const data = sections[index] ?? "";
  const ufrag = [data, session, ...sections].map((text) => valueOf(text, "ice-ufrag")).find(Boolean);
  if (ufrag === undefined) throw new NegotiationError("its SDP has no a=ice-ufrag");
  return { sdp, ufrag, mid: valueOf(data, "mid") ?? "", index: Math.max(0, index) };
}

/**
 * What a browser is given of an offer: the data channel's section, and those of sound and pictures
 * that it is bundled with, as the other side may have bundled it with the first of them. The rest,
 * which a browser may refuse the whole for, is declined (RFC 9429, section 5.3.1).
 *
 * @param {string} sdp as of a Description
 * @returns {{sdp: string, frame: (answer: string) => string}} `frame`: the answer to the whole offer
 */
export function reduceOffer(sdp) {
  const { session, sections, index } = split(sdp);
  const mid = valueOf(sections[index] ?? "", "mid");
  const groups = session.match(/^a=group:BUNDLE .*/gm) ?? [];
  const bundled = groups.map((line) => line.split(" ").slice(1)).find((mids) => mids.includes(mid ?? "")) ?? [];
  const isKept = sections.map((section, place) => {
    const isMedia = /^m=(audio|video) /.test(section) && isOpen(section);
    return place === index || (isMedia && bundled.includes(valueOf(section, "mid") ?? ""));
  });
  const kept = sections.filter((_, place) => isKept[place]);
  const mids = kept.map((section) => valueOf(section, "mid") ?? "");
  const group = bundled.filter((one) => mids.includes(one)).join(" ");
  const head = session.replace(/^a=group:.*\r\n/gm, (line) =>
    bundled.length > 0 && line.trim().split(" ").slice(1).join(" ") === bundled.join(" ")
      ? `a=group:BUNDLE ${group}\r\n`
      : "",
  );
  return {
    sdp: [head, ...kept].join(""),
    frame(answer) {
      const said = split(answer);
      const theirs = [...said.sections];
      const framed = sections.map((section, place) => (isKept[place] ? theirs.shift() : decline(section)));
      return [said.session, ...framed].join("");
    },
  };
}

/** @param {string} section @returns {string} what an answer says of it */
function decline(section) {
  const media = section.replace(/\r\n[^]*/, "").replace(/^(m=\S+ )\S+/, "$10");
  const mid = valueOf(section, "mid");
  const lines = [media, "c=IN IP4 0.0.0.0", "a=inactive", ...(mid === undefined ? [] : [`a=mid:${mid}`])];
  return lines.map((line) => `${line}\r\n`).join("");
}

/** @param {string} sdp @returns {{session: string, sections: string[], index: number}} `index`: of the data channel's */
function split(sdp) {
  const [session = "", ...sections] = sdp.split(/^(?=m=)/m);
  const found = sections.filter((section) => DATA_CHANNEL.test(section));
  const data = found.find(isOpen) ?? found[0] ?? sections.find((section) => section.startsWith("m=application "));
  return { session, sections, index: data === undefined ? -1 : sections.indexOf(data) };
}

/** Port 0 declines a section, but for one that goes over another's transport. @param {string} section */
function isOpen(section) {
  return !/^m=\S+ 0 /.test(section) || /^a=bundle-only/m.test(section);
}

/** Of several in one section, browsers go by the last. @param {string} text @param {string} name */
function valueOf(text, name) {
  return [...text.matchAll(new RegExp(`^a=${name}:(\\S+)`, "gm"))].at(-1)?.[1];
}

/**
 * With the line ends, numbers, candidates, fingerprints and INITs that a browser can read.
 *
 * @param {string} given
 */
function readable(given) {
  const sdp = `${given.replace(/\r\n/g, "\n").replace(/\n*$/, "")}\n`.replace(/\n/g, "\r\n");
  const parts = sdp.split(/^(?=m=)/m).map(withBestFingerprints).join("");
  return parts
    .replace(/^(a=group:.*?) +\r\n/gm, "$1\r\n")
    .replace(/^a=candidate:(.*)\r\n/gm, (_, text) => {
      const { line, problem } = parseCandidate(text);
      return problem === "" ? `a=${forBrowser(line, text)}\r\n` : "";
    })
    .replace(/^a=sctp-init:(.*)\r\n/gm, (line, text) => (isInit(text) ? line : ""))
    .replace(/^a=max-message-size:([0-9]+)/gm, (line, size) =>
      Number(size) > MAX_SIZE ? `a=max-message-size:${MAX_SIZE}` : line,
    );
}

/**
 * Whether this is an INIT chunk of SCTP (draft-hancke-tsvwg-snap). It skips the handshake in which it
 * would be told, and so is held to the same rules.
 *
 * @param {string} text
 */
function isInit(text) {
  if (text.length > MAX_INIT || !BASE64.test(text)) return false;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (bytes.length < INIT_HEADER) return false;
  const chunk = new DataView(bytes.buffer);
  const length = chunk.getUint16(2);
  if (chunk.getUint8(0) !== INIT_TYPE || length > bytes.length || bytes.length >= length + 4) return false;
  for (let at = INIT_HEADER, size = 0; at < length; at += size + (-size & 3)) {
    size = at + 4 <= length ? chunk.getUint16(at + 2) : 0;
    if (size < 4 || at + size > length) return false;
  }
  const [tag, credit] = [chunk.getUint32(4), chunk.getUint32(8)];
  const [outbound, inbound] = [chunk.getUint16(12), chunk.getUint16(14)];
  return Math.min(tag, outbound, inbound) > 0 && credit >= LEAST_CREDIT;
}

/**
 * Chromium goes by the last one, and refuses the whole for a hash that it does not know. Firefox wants
 * capital letters.
 *
 * @param {string} part the session's, or a section
 */
function withBestFingerprints(part) {
  const hasBest = /^a=fingerprint:sha-256 /im.test(part);
  return part.replace(/^a=fingerprint:(\S+) (\S+)\r\n/gm, (_, hash, value) =>
    (hasBest ? /^sha-256$/i : STRONG_HASH).test(hash)
      ? `a=fingerprint:${hash.toLowerCase()} ${value.toUpperCase()}\r\n`
      : "",
  );
}
