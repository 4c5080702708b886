/**
 * URLs of STUN and TURN servers, and which of them a session asks: the rules of
 * `imgsync/core/protocol/ice.py`, where they are explained.
 *
 * @import { IceServer } from "./wire.js"
 *
 * @typedef {"stun" | "turn/udp" | "turn/tcp" | "turns/tcp" | "turns/udp"} IceKind what a server does
 *   for us, and over what we talk to it; `turns/udp` is DTLS
 * @typedef {{kind: IceKind, host: string, port: number}} IceUrl `host` has no brackets
 * @typedef {{url: string, why: string, isWrong: boolean}} LeftOut a server that is named and not asked
 * @typedef {{asked: IceServer[], leftOut: LeftOut[]}} IceChoice `asked`: one URL in each
 */

import { BLOCKED_PORTS, MAX_HOST_NAME, MAX_TURN_SERVERS, MAX_TURN_USERNAME } from "./numbers.js";

const DEFAULT_PORT = 3478;
const DEFAULT_TLS_PORT = 5349;

/** Characters of a URL that is told of. */
const QUOTED = 100;

/** The best way comes first. @type {IceKind[]} */
const ASKED = ["turn/udp", "turn/tcp", "turns/tcp"];
/** Once there is one of each kind. @type {IceKind[]} */
const SPARE = ["turns/tcp", "turn/udp", "turn/tcp"];

/** A server's URL can't be used, or not with its account; the message says what is right. */
export class IceUrlError extends Error {}

// ── one URL ──────────────────────────────────────────────────────────────────────────────────────

/** @param {string} text @returns {IceUrl} @throws {IceUrlError} */
export function parseIceUrl(text) {
  const match = /^(stuns?|turns?):(.*)$/is.exec(text);
  if (match === null) throw new IceUrlError("write it as stun:HOST:PORT, turn:HOST:PORT or turns:HOST:PORT");
  const [, name = "", rest = ""] = match;
  const scheme = name.toLowerCase();
  if (scheme === "stuns") {
    throw new IceUrlError("Firefox refuses stuns, and no peer asks it; write it as stun:HOST:PORT");
  }
  if (rest.startsWith("/")) throw new IceUrlError(`no slash stands in it; write it as ${scheme}:HOST:PORT`);
  if (rest.includes("@")) throw new IceUrlError("user name and credential are given beside it, and not in it");
  const mark = rest.indexOf("?");
  const kind = kindOf(scheme, mark === -1 ? null : rest.slice(mark + 1));
  const { host, port } = split(scheme, mark === -1 ? rest : rest.slice(0, mark));
  if (port !== null) return { kind, host, port: portOf(port) };
  return { kind, host, port: scheme === "turns" ? DEFAULT_TLS_PORT : DEFAULT_PORT };
}

/** With all its parts. @param {IceUrl} url */
export function formatIceUrl({ kind, host, port }) {
  const [scheme, transport] = kind.split("/");
  const where = `${scheme}:${host.includes(":") ? `[${host}]` : host}:${port}`;
  return transport === undefined ? where : `${where}?transport=${transport}`;
}

/** As it may be told of: short, and without what may be a password. @param {string} text */
function quoteIceUrl(text) {
  const quoted = JSON.stringify(text.replace(/:.*@/s, ":***@"));
  return quoted.length <= QUOTED ? quoted : `${quoted.slice(0, QUOTED)}...`;
}

/** @param {string} scheme @param {string | null} query @returns {IceKind} */
function kindOf(scheme, query) {
  if (scheme === "stun") {
    if (query !== null) throw new IceUrlError("nothing stands behind the port of a STUN server");
    return "stun";
  }
  const transport = query === null ? (scheme === "turns" ? "tcp" : "udp") : /^transport=(udp|tcp)$/.exec(query)?.[1];
  if (transport === undefined) {
    throw new IceUrlError(
      "behind its port may stand ?transport=udp or ?transport=tcp, in small letters, and nothing else; " +
        "TLS is written as turns:HOST:PORT",
    );
  }
  return /** @type {IceKind} */ (`${scheme}/${transport}`);
}

/** @param {string} scheme @param {string} address @returns {{host: string, port: string | null}} */
function split(scheme, address) {
  const literal = /^\[([0-9a-f:.]*)\](?::(.*))?$/is.exec(address);
  if (literal !== null) {
    const [, host = "", port = null] = literal;
    if (!isIpv6(host)) throw new IceUrlError("what stands in the brackets is no IPv6 address");
    return { host, port };
  }
  const colon = address.indexOf(":");
  const host = colon === -1 ? address : address.slice(0, colon);
  const port = colon === -1 ? null : address.slice(colon + 1);
  if (address.includes("[") || port?.includes(":")) {
    const example = `${scheme}:[2001:db8::1]:${DEFAULT_PORT}`;
    throw new IceUrlError(`an IPv6 address stands in brackets, and the port behind them: ${example}`);
  }
  if (host === "") throw new IceUrlError(`it names no host; write it as ${scheme}:HOST:PORT`);
  checkHost(host);
  return { host, port };
}

/** @param {string} host */
function checkHost(host) {
  if (!/^[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(host) || host.length > MAX_HOST_NAME) {
    throw new IceUrlError("its host is neither a name (letters of ASCII, digits, hyphens, points) nor an address");
  }
  if (/^(.*\.)?(\d+|0x[\da-f]*)\.?$/i.test(host) && !isIpv4(host)) {
    throw new IceUrlError("its host is no IPv4 address: four numbers up to 255");
  }
}

/** @param {string} host */
function isIpv4(host) {
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** @param {string} address without its brackets */
function isIpv6(address) {
  try {
    return new URL(`http://[${address}]`).host !== "";
  } catch {
    return false;
  }
}

/** @param {string} text @returns {number} */
function portOf(text) {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 65535) throw new IceUrlError("its port is no number from 1 to 65535");
  if (BLOCKED_PORTS.includes(number)) {
    throw new IceUrlError("browsers refuse its port, which belongs to another protocol; take 3478");
  }
  return number;
}

// ── the choice ───────────────────────────────────────────────────────────────────────────────────

/**
 * One STUN server, and of TURN servers one of each kind before a second one of any.
 *
 * @param {readonly IceServer[]} servers
 * @returns {IceChoice}
 */
export function chooseIce(servers) {
  /** @type {LeftOut[]} */
  const leftOut = [];
  /** @type {Record<IceKind, IceServer[]>} */
  const found = { stun: [], "turn/udp": [], "turn/tcp": [], "turns/tcp": [], "turns/udp": [] };
  for (const { urls, username, credential } of servers) {
    for (const text of [urls].flat()) {
      try {
        const url = parseIceUrl(text);
        if (url.kind !== "stun") checkAccount(username, credential);
        const account = url.kind === "stun" ? {} : { username, credential };
        const server = { urls: formatIceUrl(url), ...account };
        const isKnown = found[url.kind].some(
          (other) =>
            other.urls === server.urls &&
            other.username === server.username &&
            other.credential === server.credential,
        );
        if (!isKnown) found[url.kind].push(server);
      } catch (error) {
        if (!(error instanceof IceUrlError)) throw error;
        leftOut.push({ url: quoteIceUrl(text), why: error.message, isWrong: true });
      }
    }
  }
  const best = eachKindFirst(found).slice(0, MAX_TURN_SERVERS);
  const named = ASKED.flatMap((kind) => found[kind]);
  const leave = (/** @type {IceServer[]} */ left, /** @type {string} */ why, isWrong = false) =>
    leftOut.push(...left.map(({ urls }) => ({ url: String(urls), why, isWrong })));
  const [stun, ...otherStuns] = found.stun;
  leave(found["turns/udp"], "no peer speaks DTLS to TURN servers; name it without ?transport=udp for TLS", true);
  leave(otherStuns, "of STUN servers one is asked");
  leave(
    named.filter((server) => !best.includes(server)),
    `of TURN servers ${MAX_TURN_SERVERS} are asked`,
  );
  const turn = named.filter((server) => best.includes(server));
  return { asked: stun === undefined ? turn : [stun, ...turn], leftOut };
}

/** @param {string | undefined} username @param {string | undefined} credential */
function checkAccount(username, credential) {
  if (!username || !credential) throw new IceUrlError("a TURN server needs a user name and a credential");
  if (new TextEncoder().encode(username).length > MAX_TURN_USERNAME) {
    throw new IceUrlError(`its user name has more than ${MAX_TURN_USERNAME} bytes`);
  }
}

/** @param {Record<IceKind, IceServer[]>} found */
function eachKindFirst(found) {
  const order = ASKED.flatMap((kind) => found[kind].slice(0, 1));
  const most = Math.max(...ASKED.map((kind) => found[kind].length));
  for (let place = 1; place < most; place++) {
    order.push(...SPARE.flatMap((kind) => found[kind].slice(place, place + 1)));
  }
  return order;
}
