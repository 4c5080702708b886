/**
 * What a browser records in: the first of a fixed order that it offers.
 *
 * MP4 comes first, as it plays everywhere, and is what Safari, which offers WebM too, encodes in
 * hardware. Chromium offers both as well, and stays with WebM: its MP4 comes out in pieces that each
 * wait for a key frame, with H.264 all of it at the end, so that a page that dies would lose it.
 * Chromium is the one that offers Matroska. VP8 takes the least of the machine.
 *
 * @import { Kind } from "../words/recording.js"
 */

const MP4 = { video: ["video/mp4"], audio: ["audio/mp4"] };
const WEBM = {
  video: ["video/webm;codecs=vp8,opus", "video/webm"],
  audio: ["audio/webm;codecs=opus", "audio/webm"],
};
const OF_CHROMIUM = "video/x-matroska";

/**
 * @param {readonly Kind[]} kinds of devices that are recorded
 * @param {(type: string) => boolean} isOffered
 * @returns {string | undefined} undefined where it offers none of them: what it takes is its choice
 */
export function chooseType(kinds, isOffered) {
  const medium = kinds.includes("camera") ? "video" : "audio";
  const order = isOffered(OF_CHROMIUM)
    ? [...WEBM[medium], ...MP4[medium]]
    : [...MP4[medium], ...WEBM[medium]];
  return order.find((type) => isOffered(type));
}
