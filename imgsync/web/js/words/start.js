/**
 * What the client's page says of itself while it loads, and from the first.
 *
 * @typedef {{text: string, hint: string}} Status
 */

/** @type {Status} */
export const CONNECTING = { text: "Connecting …", hint: "" };

/** @type {Status} */
export const READY = { text: "Ready.", hint: "The images will appear here." };

/** @type {Status} */
export const UNABLE = {
  text: "This browser can\u2019t show the images.",
  hint:
    "Its WebRTC is missing or turned off, as by an extension or in Lockdown Mode. " +
    "Please open the same link in Chrome, Edge, Firefox or Safari.",
};
