/** The data channel and its clock: for both roles. */

export const CHANNEL_LABEL = "image-sync";
/** The other side may be gone before it closes its half of the channel. */
const CHANNEL_CLOSE_MS = 3_000;

/** Milliseconds since the Unix epoch, with a fraction. */
export function now() {
  return performance.timeOrigin + performance.now();
}

/**
 * A channel that the other side made may be open already when we first see it.
 *
 * @param {RTCDataChannel} channel
 * @param {() => void} onOpen
 */
export function onceOpen(channel, onOpen) {
  if (channel.readyState === "open") onOpen();
  else channel.onopen = onOpen;
}

/**
 * Close the channel and let what was sent arrive: closing the connection at once would drop it.
 *
 * @param {RTCDataChannel} channel
 * @returns {Promise<boolean>} whether the other side closed its half in time
 */
export function closeChannel(channel) {
  if (channel.readyState === "closed") return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), CHANNEL_CLOSE_MS);
    channel.onclose = () => {
      clearTimeout(timer);
      resolve(true);
    };
    channel.close();
  });
}
