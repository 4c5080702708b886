"""Visual acuity by a staircase of Landolt rings: smaller after three right answers, else larger."""

import itertools
import random
import statistics
import sys
import tempfile
from pathlib import Path

import attrs
import trio

import imgsync

ANGLES = {"ArrowRight": 0, "ArrowDown": 90, "ArrowLeft": 180, "ArrowUp": 270}
SIZES = [640 * 0.8**step for step in range(16)]  # of 800, which is what fits into the window
ASKED = imgsync.Trial(respond=imgsync.Respond(keys=tuple(ANGLES), ends=True))
RING = """<svg xmlns="http://www.w3.org/2000/svg" width="800" height="800" viewBox="-5 -5 10 10">
<g transform="rotate({angle}) scale({scale})"><circle r="2" fill="none" stroke="black"/>
<path d="M0 0H3" stroke="#808080"/></g></svg>"""


def draw(folder: str) -> None:
    for (step, size), (key, angle) in itertools.product(enumerate(SIZES), ANGLES.items()):
        Path(folder, f"{step:02} {key}.svg").write_text(RING.format(angle=angle, scale=size / 400))


async def measure(session: imgsync.EvaluatorSession, images: imgsync.Images) -> float:
    rings = {image.name: image for image in images}
    step, right, was_right, turns = 0, 0, True, list[float]()
    for _ in range(60):
        key = random.choice(list(ANGLES))
        extra = {"condition": f"{SIZES[step]:.0f}", "correct": key}
        ring = attrs.evolve(rings[f"{step:02} {key}.svg"], trial=ASKED, extra=extra)
        answer = await (await session.show(ring)).responded()
        is_right = answer.value == key
        session.mark(score=int(is_right))
        right = right + 1 if is_right else 0
        if right in (1, 2):
            continue
        turns += [SIZES[step]] * (is_right != was_right)
        if len(turns) == 6:
            break
        was_right, right = is_right, 0
        step = min(max(step + (1 if is_right else -1), 0), len(SIZES) - 1)
    return statistics.mean(turns or [SIZES[step]])


async def main(relay: str, us: str, client: str, log: str = "acuity.jsonl") -> None:
    with tempfile.TemporaryDirectory() as folder:
        draw(folder)
        async with (
            imgsync.open_images(folder) as images,
            imgsync.open_evaluator(relay, user_id=us, log_file=log) as evaluator,
            evaluator.open_session(client) as session,
        ):
            print(f"threshold: {await measure(session, images):.0f} of 800")


trio.run(lambda: main(*sys.argv[1:]))  # ws://127.0.0.1:8765/ws dr-lee patient-7
