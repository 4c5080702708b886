/**
 * Camera and microphone, opened for a moment as a session opens them: nothing is recorded.
 *
 * @import { DeviceFound } from "../core/check/judging.js"
 * @import { Kind } from "../words/recording.js"
 */

import { openDevices } from "../recording/devices.js";
import { within } from "./loop.js";

/** For something to be heard, or seen. */
const HEARD_MS = 4000;
/** Louder than a microphone that is there and says nothing at all, and than rounding. */
const SILENCE = 1e-4;
/** Brighter than what a camera makes up whose lens is covered; of 255. */
const DARK = 16;
/** Pixels in which a picture is looked at: what a sensor makes up is evened out. */
const [WIDTH, HEIGHT] = [32, 24];

/**
 * @param {readonly Kind[]} kinds
 * @param {() => void} listening something is to be said now
 * @returns {Promise<Map<Kind, DeviceFound>>}
 */
export async function tryDevices(kinds, listening) {
  if (!isSecureContext) return new Map(kinds.map((kind) => [kind, "not_secure"]));
  // Such a thing begins with a tap, which is now.
  const context = kinds.includes("microphone") ? new AudioContext() : null;
  const opened = await openDevices(kinds);
  /** @type {Map<Kind, DeviceFound>} */
  const found = new Map();
  const trying = [...opened].map(async ([kind, track]) => {
    if (typeof track === "string") return found.set(kind, track === "on" ? "ok" : track);
    if (track.muted) return found.set(kind, "muted");
    if (context !== null && kind === "microphone") listening();
    const noticed = context !== null && kind === "microphone" ? hear(context, track) : see(track);
    return found.set(kind, (await within(HEARD_MS, noticed, false)) ? "ok" : "silent");
  });
  await Promise.all(trying);
  for (const track of opened.values()) if (typeof track !== "string") track.stop();
  void context?.close();
  return found;
}

/** @param {AudioContext} context @param {MediaStreamTrack} track @returns {Promise<boolean>} once something is heard */
function hear(context, track) {
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return new Promise((resolve) => {
    const listen = () => {
      analyser.getFloatTimeDomainData(samples);
      if (samples.some((one) => Math.abs(one) > SILENCE)) resolve(true);
      else if (context.state !== "closed") setTimeout(listen, 50);
    };
    listen();
  });
}

/** @param {MediaStreamTrack} track @returns {Promise<boolean>} once a picture comes that is not dark all over */
async function see(track) {
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return true;
  await video.play();
  while (track.readyState === "live") {
    context.drawImage(video, 0, 0, WIDTH, HEIGHT);
    const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
    if (data.some((value, place) => place % 4 < 3 && value > DARK)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
