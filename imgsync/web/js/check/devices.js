/**
 * Camera and microphone, opened for a moment as a session opens them: nothing is recorded.
 *
 * @import { DeviceFound } from "../core/check/judging.js"
 * @import { Kind } from "../words/recording.js"
 */

import { openDevices } from "../recording/devices.js";
import { within } from "./loop.js";

/** For something to be heard. */
const HEARD_MS = 4000;
/** Louder than a microphone that is there and says nothing at all, and than rounding. */
const SILENCE = 1e-4;

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
  for (const [kind, track] of opened) {
    if (typeof track === "string") found.set(kind, track === "on" ? "ok" : track);
    else if (track.muted) found.set(kind, "muted");
    else if (kind === "camera" || context === null) found.set(kind, "ok");
    else {
      listening();
      found.set(kind, (await within(HEARD_MS, hear(context, track), false)) ? "ok" : "silent");
    }
  }
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
