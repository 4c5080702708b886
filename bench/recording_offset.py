"""How well is it known where in a recording the onset of an image is?

In headless Chromium: a recorder is started in an animation frame, as the client's page does, on
pictures and on sounds that the page makes itself. Some time later, at a time that is known, a
picture turns white, or a tone begins. Where that is found in the recording, played again, says when
the recording began (`begin`). Both that and the recorder's `start` event (`event`) are counted from
when the recorder was told to start, which the page takes for the beginning. What a camera or a
microphone adds is not in it. No bound is held: a loaded machine shows a frame late.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import harness
import trio

if TYPE_CHECKING:
    from tests.kit.browsers import Started

MAY_PLAY = "--autoplay-policy=no-user-gesture-required"
ROUNDS, QUICK_ROUNDS = 20, 1
WAIT_S = 30.0  # for one round

# Each returns milliseconds from the moment at which the recorder was told to start: to its `start`
# event, and to where the recording begins.
MEASURE = """
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function record(stream, mimeType, act) {
  const recorder = new MediaRecorder(stream, { mimeType });
  const chunks = [];
  let started = 0;
  recorder.onstart = () => (started = performance.now());
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  await new Promise((resolve) => requestAnimationFrame(resolve));
  const told = performance.now();
  recorder.start(1000);
  await wait(500 + Math.random() * 100);
  const happened = await act();
  await wait(700);
  await new Promise((resolve) => {
    recorder.onstop = resolve;
    recorder.stop();
  });
  stream.getTracks().forEach((track) => track.stop());
  return { blob: new Blob(chunks), event: started - told, happened: happened - told };
}

async function pictures() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let isWhite = false, isOver = false, whiteAt = 0, count = 0;
  const draw = () => {
    if (isWhite) whiteAt ||= performance.now();
    context.fillStyle = isWhite ? "#fff" : "#000";
    context.fillRect(0, 0, 300, 150);
    context.fillStyle = count++ % 2 ? "#444" : "#555"; // what does not change is not recorded
    context.fillRect(0, 0, 8, 8);
    if (!isOver) requestAnimationFrame(draw);
  };
  draw();
  const { blob, event, happened } = await record(
    canvas.captureStream(), "video/webm;codecs=vp8", async () => {
      isWhite = true;
      while (whiteAt === 0) await wait(1);
      return whiteAt;
    });
  isOver = true;
  return { event, begin: happened - (await findWhite(blob)) };
}

async function findWhite(blob) {
  const player = document.createElement("video");
  player.muted = true;
  player.src = URL.createObjectURL(blob);
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  let found = null;
  const look = (_, { mediaTime }) => {
    context.drawImage(player, 0, 0);
    if (context.getImageData(100, 100, 1, 1).data[0] > 128) found = mediaTime * 1000;
    else player.requestVideoFrameCallback(look);
  };
  player.requestVideoFrameCallback(look);
  await player.play();
  await new Promise((resolve) => (player.onended = resolve));
  return found;
}

async function sounds() {
  const context = new AudioContext();
  await context.resume();
  const target = context.createMediaStreamDestination();
  const quiet = new ConstantSourceNode(context);
  quiet.connect(new GainNode(context, { gain: 1e-4 })).connect(target);
  quiet.start();
  await wait(300);
  const { blob, event, happened } = await record(
    target.stream, "audio/webm;codecs=opus", async () => {
      const tone = new OscillatorNode(context, { frequency: 2000 });
      tone.connect(target);
      tone.start(context.currentTime + 0.2);
      return performance.now() + 200;
    });
  const decoded = await context.decodeAudioData(await blob.arrayBuffer());
  const first = decoded.getChannelData(0).findIndex((value) => Math.abs(value) > 0.3);
  await context.close();
  return { event, begin: happened - (first / decoded.sampleRate) * 1000 };
}
"""


async def measure(chromium: Started, rounds: int) -> dict[str, list[dict[str, float]]]:
    from tests.kit.browsers import open_browser

    rows: dict[str, list[dict[str, float]]] = {"sounds": [], "pictures": []}
    async with open_browser(chromium) as browser, browser.open_page() as page:
        await page.run(f"window.eval({json.dumps(MEASURE)})")
        for _ in range(rounds):
            for kind, found in rows.items():
                with trio.fail_after(WAIT_S):
                    found.append(await page.run(f"{kind}()"))
    return rows


def run_all(rounds: int) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        chromium = stack.enter_context(harness.open_chromium(MAY_PLAY))
        found = trio.run(measure, chromium, rounds)
    rows = {
        f"{kind}: {name}": {
            f"p{p}": round(harness.percentile([one[name] for one in rounds_of], p), 1)
            for p in (0, 50, 100)
        }
        for kind, rounds_of in found.items()
        for name in ("begin", "event")
    }
    return {"bench": "recording_offset", "n": rounds, "rows": rows, "tables": tables(rows)}


def tables(rows: dict[str, dict[str, float]]) -> dict[str, Any]:
    """From the order to start."""
    heads = ["since the order to start", "least", "median", "most"]
    cells = [[name, *([ms, "ms"] for ms in row.values())] for name, row in rows.items()]
    return {"recording_offset": {"heads": heads, "rows": cells}}


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help=f"of each kind; {ROUNDS}")
    args = parser.parse_args()
    if args.rounds is None:
        args.rounds = QUICK_ROUNDS if args.quick else ROUNDS
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    harness.emit(run_all(args.rounds), args.json)


if __name__ == "__main__":
    harness.run(main)
