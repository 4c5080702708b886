/**
 * What the other side is told of an end: the relay passes it on, and people read it there.
 *
 * A detail holds no address and no credential: a word that may be one is left out, whoever wrote
 * it.
 *
 * @import { EndReason, EndSession } from "../protocol/wire.js"
 */

import { cut } from "../protocol/lengths.js";
import { MAX_DETAIL, MAX_WORD } from "../protocol/numbers.js";
import { isPrintable } from "../protocol/values.js";

const LEFT_OUT = "(...)";

/** Said to whoever asks when the relay is there again. */
const RELAY_LOST = "the relay was lost meanwhile";

const ADDRESS = new RegExp(
  [
    "[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+", // IPv4
    ":[0-9a-f]*:", // IPv6
    "[a-z0-9-]\\.(?:[a-z0-9-]+\\.)*[a-z]{2,}", // a name of the DNS, .local among them
    "[^ -~]\\.(?:[a-z0-9]|[^ -~])|[a-z0-9]\\.[^ -~]", // one in other letters
    "[a-z0-9]:[0-9]{2,5}(?![0-9])", // a name of one label, with a port
    "(?:stuns?|turns?|https?|wss?|file|data):|://",
    "@",
  ].join("|"),
  "i",
);

/**
 * What the relay is told of an end that this side has come to.
 *
 * @param {string} sessionId
 * @param {{reason: EndReason, detail: string}} end
 * @param {boolean} offers whether it is the evaluator's side, which has a name for others
 * @returns {EndSession}
 */
export function lastWords(sessionId, { reason, detail }, offers) {
  const isUnheard = reason === "signalling_lost";
  const [ours, theirs] = offers ? ["evaluator", "client"] : ["client", "evaluator"];
  const named = (isUnheard ? RELAY_LOST : detail)
    .replaceAll("this side", `the ${ours}`)
    .replaceAll("the other side", `the ${theirs}`);
  const told = plain(named);
  return {
    sessionId,
    ...(reason === "ended" ? {} : { reason: isUnheard ? "connect_timeout" : reason }),
    ...(told === "" ? {} : { detail: told }),
  };
}

/** A detail without what is nobody's business, cut to what a message takes. @param {string} detail */
export function plain(detail) {
  const printable = Array.from(detail, (char) => (isPrintable(char) ? char : " ")).join("");
  const words = printable.split(" ").filter((word) => word !== "");
  const told = words.map((word) => (isSecret(word) ? LEFT_OUT : word)).join(" ");
  return cut(told, MAX_DETAIL).replace(/ +$/, "");
}

/** @param {string} word */
function isSecret(word) {
  return [...word].length > MAX_WORD || ADDRESS.test(word);
}
