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

/** Of each what is recorded by; a codec too many has Firefox wait for its sound for ever. */
const WEBM = {
  both: ["video/webm;codecs=vp8,opus", "video/webm"],
  camera: ["video/webm;codecs=vp8", "video/webm"],
  microphone: ["audio/webm;codecs=opus", "audio/webm"],
};
const MP4 = { both: ["video/mp4"], camera: ["video/mp4"], microphone: ["audio/mp4"] };
const OF_CHROMIUM = "video/x-matroska";

/**
 * @param {readonly Kind[]} kinds of devices that are recorded
 * @param {(type: string) => boolean} isOffered
 * @returns {string | undefined} undefined where it offers none of them: what it takes is its choice
 */
export function chooseType(kinds, isOffered) {
  const what = kinds.length === 1 ? (kinds[0] ?? "both") : "both";
  const order = isOffered(OF_CHROMIUM)
    ? [...WEBM[what], ...MP4[what]]
    : [...MP4[what], ...WEBM[what]];
  return order.find((type) => isOffered(type));
}
