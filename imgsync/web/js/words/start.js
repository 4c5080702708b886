/**
 * What the client's page says of itself while it loads, and from the first.
 *
 * @typedef {{text: string, hint: string}} Status
 */

/** @type {Status} */
export const CONNECTING = { text: "Connecting …", hint: "" };

/** @type {Status} */
export const READY = { text: "Ready.", hint: "The images will appear here." };
