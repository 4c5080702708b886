"""What the two peers print, to the letter but for figures, which differ from run to run."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.command_lines import HERE, client, evaluator
from tests.kit.processes import SAMPLES, SESSION_S, START_S, STRICT, open_child, shared_relay

AMSLER = "8-amsler-grid.svg"

FAILS = "sh -c 'exit 3'"
"""A program that ends at once."""


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


def mask(line: str, folder: Path) -> str:
    """The line without its figures, its session's name and the folder of the images."""
    line = re.sub(r"http://127\.0\.0\.1:\d+", "HOST", line.replace(str(folder), "FOLDER"))
    line = re.sub(r'"sessionId": "[^"]+"', '"sessionId": "ID"', line)
    line = line.replace('"ahead": true', '"ahead": false')  # a race
    return re.sub(r"(?<![\w-])\d+(\.\d+)?(?![\w-]|\.\w)", "#", line)


async def print_all(url: str, folder: Path, user: str, *options: str) -> tuple[set[str], set[str]]:
    """What the evaluator and the client of one image print, without figures."""
    follow = client(url, user, *HERE, "--once", "--save", str(folder), "--exec", FAILS, *options)
    show = evaluator(url, user, *HERE, "--name", "Dr. Lee", *options, str(SAMPLES))
    async with open_child("client", *follow, env=STRICT) as following:
        heard = [await following.wait_line(START_S)]
        async with open_child("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
            await showing.write("goto 7\ngoto 99\n")
            while "exec_failed" not in heard[-1] and "the command" not in heard[-1]:
                heard.append(await following.wait_line(SESSION_S))
            await showing.write("end\n")
            shown = await showing.wait_outcome()
        followed = await following.wait_outcome()
    assert shown.errors == followed.errors == []
    heard += followed.lines
    # Stages of the image go on while the session ends.
    told = [line for line in shown.lines if '"hidden"' not in line and '"stages"' not in line]
    return {mask(line, folder) for line in told}, {mask(line, folder) for line in heard}


async def test_prose_is_what_it_always_was(relay_url: str, tmp_path: Path) -> None:
    told, heard = await print_all(relay_url, tmp_path, "prose")
    [summary] = [line for line in told if "images shown" in line]
    assert told == {
        "connected to prose; # images",
        "there is no image #; they go from # to #",
        f"image #  {AMSLER}  acked  # ms  one way # ± # ms",
        summary,
    }
    assert summary.startswith(
        "# images shown, # acked; round trip # ms (longest #); one way # ms, to # (at worst #)"
    )
    assert heard == {
        "waiting for an evaluator as prose",
        "session with Dr. Lee",
        f"image #  HOST/images/{AMSLER}  # bytes  svg  # ms",
        f"image #  HOST/images/{AMSLER}  the command ended with exit code #",
        "session ended: one of the two sides ended it",
    }


async def test_json_is_what_it_always_was(relay_url: str, tmp_path: Path) -> None:
    told, heard = await print_all(relay_url, tmp_path, "json", "--json")
    image = f'"imageIndex": #, "name": "{AMSLER}"'
    times = '"latencyMs": #, "boundMs": #'
    assert told == {
        '{"event": "registered", "userId": "evaluator-of-json"}',
        '{"event": "connected", "sessionId": "ID", "clientId": "json"}',
        '{"event": "refused", "reason": "there is no image #; they go from # to #"}',
        f'{{"event": "acked", {image}, "imageUrl": "HOST/images/{AMSLER}", "sentAt": #,'
        f' "receivedAt": #, "roundTripMs": #, {times}, "copies": #}}',
        *(
            f'{{"event": "stage", {image}, "sentAt": #, "stage": "{stage}", "at": #, {times},'
            ' "reason": null}'
            for stage in ("fetched", "shown")
        ),
    }
    about = f'"imageIndex": #, "imageUrl": "HOST/images/{AMSLER}"'
    assert heard == {
        '{"event": "registered", "userId": "json"}',
        '{"event": "session", "sessionId": "ID", "evaluatorId": "evaluator-of-json",'
        ' "evaluatorName": "Dr. Lee"}',
        f'{{"event": "image", {about}, "sentAt": #, "receivedAt": #}}',
        '{"event": "fetched", "bytes": #, "kind": "svg", "tookMs": #, "ahead": false,'
        f' "path": "FOLDER/0007-{AMSLER}", {about}}}',
        '{"event": "exec_failed", "reason": "exit_3", "detail": "ended with exit code #",'
        f" {about}}}",
        '{"event": "ended", "sessionId": "ID", "reason": "ended",'
        ' "detail": "one of the two sides ended it"}',
    }
