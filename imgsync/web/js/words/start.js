/**
 * What the client's page says of itself while it loads, and from the first.
 *
 * @typedef {{text: string, hint: string}} Status
 */

import { say } from "./language.js";

/** @type {Status} */
export const CONNECTING = { text: say("client.connecting"), hint: "" };

/** @type {Status} */
export const READY = { text: say("client.ready"), hint: say("client.imagesHere") };
