"""What the two peers print, to the letter but for figures, which differ from run to run."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from imgsync.commands.demo import read_event
from imgsync.commands.events import (
    Acked,
    AtDoor,
    CommandRefused,
    Connected,
    ExecFailed,
    Fetched,
    FetchFailed,
    LeftOut,
    NotAcked,
    NotSent,
    OutOfReach,
    PeerEvent,
    Picture,
    Preloaded,
    Received,
    Recording,
    Registered,
    SeriesSummary,
    SessionBegun,
    SessionOver,
    Spread,
    Stage,
    State,
    Waiting,
)
from imgsync.commands.output import Output, dump_event
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.signalling import EndReason, Role
from imgsync.core.protocol.states import SessionState
from tests.kit.command_lines import HERE, client, evaluator
from tests.kit.forks import open_fork, shared_relay
from tests.kit.processes import SAMPLES, SESSION_S, START_S, STRICT
from tests.kit.study_events import STUDY_EVENTS

AMSLER = "8-amsler-grid.svg"

FAILS = "sh -c 'exit 3'"
"""A program that ends at once."""


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


def mask(line: str, folder: Path) -> str:
    """The line without its figures, its session's name and the folder of the images."""
    line = line.replace(str(folder), "FOLDER")
    line = re.sub(r'"sessionId": "[^"]+"', '"sessionId": "ID"', line)
    line = line.replace('"ahead": true', '"ahead": false')  # a race
    line = re.sub(r"images/[0-9a-f]{8}/", "images/TOKEN/", line)
    line = re.sub(r'"sha256": "[0-9a-f]{64}"', '"sha256": "HASH"', line)
    return re.sub(r"(?<![\w-])\d+(\.\d+)?(?![\w-]|\.\w)", "#", line)


async def print_all(url: str, folder: Path, user: str, *options: str) -> tuple[set[str], set[str]]:
    """What the evaluator and the client of one image print, without figures."""
    follow = client(url, user, *HERE, "--once", "--save", str(folder), "--exec", FAILS, *options)
    show = evaluator(url, user, *HERE, "--name", "Dr. Lee", *options, str(SAMPLES))
    async with open_fork("client", *follow, env=STRICT) as following:
        heard = [await following.wait_line(START_S)]
        async with open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
            await showing.write("goto 7\ngoto 99\n")
            while "exec_failed" not in heard[-1] and "the command" not in heard[-1]:
                heard.append(await following.wait_line(SESSION_S))
            # In prose, nothing is printed of stages.
            told = [await showing.wait_line(SESSION_S)]
            while "--json" in options and '"hidden"' not in told[-1]:
                told.append(await showing.wait_line(SESSION_S))
            await showing.write("end\n")
            shown = await showing.wait_outcome()
        followed = await following.wait_outcome()
    assert shown.errors == followed.errors == []
    heard += followed.lines
    told += shown.lines
    # Said where it takes long until all images are there.
    late = {"# of # are there"}
    return {mask(line, folder) for line in told} - late, {mask(line, folder) for line in heard}


async def test_prose_is_what_it_always_was(relay_url: str, tmp_path: Path) -> None:
    told, heard = await print_all(relay_url, tmp_path, "prose")
    [summary] = [line for line in told if "images sent" in line]
    assert told == {
        "connected to prose; # images",
        "there is no image #; they go from # to #",
        f"image #  {AMSLER}  acked  # ms  one way # ± # ms",
        summary,
    }
    assert summary.startswith(
        "# images sent, # shown, # acked; round trip # ms (longest #);"
        " one way # ms, to # (at worst #)"
    )
    assert heard == {
        "waiting for an evaluator as prose",
        "session with Dr. Lee",
        f"image #  images/TOKEN/{AMSLER}  # bytes  svg  # ms",
        f"image #  images/TOKEN/{AMSLER}  the command ended with exit code #",
        "session ended: one of the two sides ended it",
    }


async def test_json_is_what_it_always_was(relay_url: str, tmp_path: Path) -> None:
    told, heard = await print_all(relay_url, tmp_path, "json", "--json")
    image = f'"imageIndex": #, "name": "{AMSLER}"'
    times = '"latencyMs": #, "boundMs": #'
    of_type = '"contentType": "image/svg+xml"'
    assert told == {
        '{"event": "registered", "userId": "evaluator-of-json"}',
        '{"event": "connected", "sessionId": "ID", "clientId": "json"}',
        '{"event": "preloaded", "announced": #, "there": #, "failed": #}',
        '{"event": "refused", "reason": "there is no image #; they go from # to #"}',
        f'{{"event": "acked", {image}, "imageUrl": "images/TOKEN/{AMSLER}", "sentAt": #,'
        f' "receivedAt": #, "roundTripMs": #, {times}, "copies": #}}',
        *(
            f'{{"event": "stage", {image}, "sentAt": #, "stage": "{stage}", "at": #, {times},'
            ' "reason": null}'
            for stage in ("fetched", "shown", "hidden")
        ),
        f'{{"event": "picture", {image}, "sentAt": #, "sha256": "HASH", {of_type},'
        ' "bytes": #, "width": #, "height": #}',
        '{"event": "summary", "sent": #, "shown": #, "acked": #, "failed": #, "superseded": [],'
        ' "roundTripMs": {"median": #, "max": #},'
        ' "oneWayMs": {"median": #, "max": #}, "boundMs": {"median": #, "max": #},'
        ' "stages": {"fetched": #, "shown": #, "hidden": #}}',
    }
    about = f'"imageIndex": #, "imageUrl": "images/TOKEN/{AMSLER}"'
    assert heard == {
        '{"event": "registered", "userId": "json"}',
        '{"event": "session", "sessionId": "ID", "evaluatorId": "evaluator-of-json",'
        ' "evaluatorName": "Dr. Lee"}',
        f'{{"event": "image", {about}, "sentAt": #, "receivedAt": #}}',
        f'{{"event": "fetched", "bytes": #, "kind": "svg", "sha256": "HASH", {of_type},'
        ' "width": #, "height": #, "tookMs": #, "ahead": false,'
        f' "path": "FOLDER/0007-{AMSLER}", {about}}}',
        '{"event": "exec_failed", "reason": "exit_3", "detail": "ended with exit code #",'
        f" {about}}}",
        '{"event": "ended", "sessionId": "ID", "reason": "ended",'
        ' "detail": "one of the two sides ended it"}',
    }


# ── each event ───────────────────────────────────────────────────────────────────────────────────


EVENTS: list[tuple[PeerEvent, str | None, str]] = [
    (
        Registered("E"),
        None,
        '{"event": "registered", "userId": "E"}',
    ),
    (
        Registered("C", Role.CLIENT),
        "waiting for an evaluator as C",
        '{"event": "registered", "userId": "C"}',
    ),
    (
        State(state=SessionState.SUSPECT, at=2.5),
        "session suspect",
        '{"event": "state", "state": "suspect", "at": 2.5, "reason": null, "detail": ""}',
    ),
    (
        State(state=SessionState.INTERRUPTED, at=4, reason=EndReason.PEER_GONE),
        "session interrupted: the other side has gone",
        '{"event": "state", "state": "interrupted", "at": 4, "reason": "peer_gone", "detail": ""}',
    ),
    (
        State(state=SessionState.INTERRUPTED, at=4, reason=EndReason.PEER_GONE, detail="no answer"),
        "session interrupted: no answer",
        '{"event": "state", "state": "interrupted", "at": 4, "reason": "peer_gone",'
        ' "detail": "no answer"}',
    ),
    (
        LeftOut("image/tiff, which browsers don't show", ("a.tif", "b\x1b.tif")),
        "left out (image/tiff, which browsers don't show): a.tif, b\\x1b.tif",
        '{"event": "left_out", "why": "image/tiff, which browsers don\'t show",'
        ' "names": ["a.tif", "b\\u001b.tif"]}',
    ),
    (
        LeftOut("no image", tuple(f"{number}.txt" for number in range(10))),
        "left out (no image): 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, 5.txt, 6.txt, 7.txt and 2 more",
        '{"event": "left_out", "why": "no image", "names": ["0.txt", "1.txt", "2.txt", "3.txt",'
        ' "4.txt", "5.txt", "6.txt", "7.txt", "8.txt", "9.txt"]}',
    ),
    (
        OutOfReach(host="10.0.0.2", why=("private_address",), detail="10.0.0.2 is private"),
        "10.0.0.2 is private; show a manifest of URLs on a host that clients reach by https",
        '{"event": "out_of_reach", "host": "10.0.0.2", "why": ["private_address"],'
        ' "detail": "10.0.0.2 is private"}',
    ),
    (
        Waiting("C"),
        "waiting for C",
        '{"event": "waiting", "clientId": "C"}',
    ),
    (
        AtDoor("C"),
        'C has the page open, and has not touched "I am ready" yet',
        '{"event": "at_door", "clientId": "C"}',
    ),
    (
        Connected(session_id="S", client_id="C", image_count=10),
        "connected to C; 10 images",
        '{"event": "connected", "sessionId": "S", "clientId": "C"}',
    ),
    (
        CommandRefused("there is no image 9"),
        "there is no image 9",
        '{"event": "refused", "reason": "there is no image 9"}',
    ),
    (
        Acked(
            image_index=3,
            name="3.png",
            image_url="http://h/3.png",
            sent_at=1000.5,
            received_at=1006.6728,
            round_trip_ms=12.34567,
            latency_ms=6.1728,
            bound_ms=0.4449,
            copies=2,
        ),
        "image 3  3.png  acked  12.3 ms  one way 6.2 ± 0.4 ms",
        '{"event": "acked", "imageIndex": 3, "name": "3.png", "imageUrl": "http://h/3.png",'
        ' "sentAt": 1000.5, "receivedAt": 1006.6728, "roundTripMs": 12.346, "latencyMs": 6.173,'
        ' "boundMs": 0.445, "copies": 2}',
    ),
    (
        NotAcked(image_index=3, name="3.png", reason="timeout", detail="no ack within 30 s"),
        "image 3  3.png  not acked: no ack within 30 s",
        '{"event": "not_acked", "imageIndex": 3, "name": "3.png", "reason": "timeout"}',
    ),
    (
        NotSent(image_index=3, name="3.png", reason="changed", detail="its file is another one"),
        "image 3  3.png  not sent: its file is another one",
        '{"event": "not_sent", "imageIndex": 3, "name": "3.png", "reason": "changed"}',
    ),
    (
        Stage(
            image_index=3,
            name="3.png",
            sent_at=1000.5,
            stage=StageKind.SHOWN,
            at=5.25,
            latency_ms=6.00049,
            bound_ms=0.12345,
            reason=None,
        ),
        None,
        '{"event": "stage", "imageIndex": 3, "name": "3.png", "sentAt": 1000.5, "stage": "shown",'
        ' "at": 5.25, "latencyMs": 6.0, "boundMs": 0.123, "reason": null}',
    ),
    (
        Stage(
            image_index=3,
            name="3.png",
            sent_at=1000.5,
            stage=StageKind.FAILED,
            at=6,
            latency_ms=None,
            bound_ms=None,
            reason="http_403",
        ),
        "image 3  3.png  failed: http_403",
        '{"event": "stage", "imageIndex": 3, "name": "3.png", "sentAt": 1000.5, "stage": "failed",'
        ' "at": 6, "latencyMs": null, "boundMs": null, "reason": "http_403"}',
    ),
    (
        Picture(3, "3.png", 1000.5, "5" * 64, "image/png", 48_213, 800, None),
        None,
        '{"event": "picture", "imageIndex": 3, "name": "3.png", "sentAt": 1000.5,'
        f' "sha256": "{"5" * 64}", "contentType": "image/png", "bytes": 48213, "width": 800,'
        ' "height": null}',
    ),
    (
        Preloaded(40, 8, 0),
        "8 of 40 are there",
        '{"event": "preloaded", "announced": 40, "there": 8, "failed": 0}',
    ),
    (
        Preloaded(40, 38, 2),
        "38 of 40 are there, 2 failed",
        '{"event": "preloaded", "announced": 40, "there": 38, "failed": 2}',
    ),
    (
        Preloaded(40, 37, 0, full=True),
        "37 of 40 are there; the client has no room for more until some were shown",
        '{"event": "preloaded", "announced": 40, "there": 37, "failed": 0, "full": true}',
    ),
    (
        Preloaded(39, 8, 0, is_before_start=False),
        None,
        '{"event": "preloaded", "announced": 39, "there": 8, "failed": 0}',
    ),
    (
        Recording(("camera", "microphone"), (), 6.5),
        "participant recorded by camera and microphone",
        '{"event": "recording", "devices": ["camera", "microphone"], "troubles": [], "at": 6.5}',
    ),
    (
        Recording((), ("microphone_ended", "upload_http_403"), 6.5),
        "participant not recorded: microphone ended, upload http 403",
        '{"event": "recording", "devices": [], "troubles": ["microphone_ended",'
        ' "upload_http_403"], "at": 6.5}',
    ),
    *STUDY_EVENTS,
    (
        SeriesSummary(sent=0, shown=0, acked=0),
        "0 images sent, 0 acked",
        '{"event": "summary", "sent": 0, "shown": 0, "acked": 0, "failed": 0, "superseded": []}',
    ),
    (
        SeriesSummary(
            sent=5,
            shown=2,
            acked=4,
            failed=1,
            superseded=(1, 4),
            round_trip_ms=Spread(median=56.172835, max=100.0),
            one_way_ms=Spread(median=23.2114, max=40.25),
            bound_ms=Spread(median=0.59745, max=0.75),
            stages={"fetched": 1, "shown": 2, "failed": 1},
        ),
        "5 images sent, 2 shown, 4 acked, 1 failed; round trip 56.2 ms (longest 100.0);"
        " one way 23.2 ms, to 0.6 (at worst 0.8); superseded: 1, 4",
        '{"event": "summary", "sent": 5, "shown": 2, "acked": 4, "failed": 1,'
        ' "superseded": [1, 4], "roundTripMs": {"median": 56.173,'
        ' "max": 100.0}, "oneWayMs": {"median": 23.211, "max": 40.25}, "boundMs": {"median": 0.597,'
        ' "max": 0.75}, "stages": {"fetched": 1, "shown": 2, "failed": 1}}',
    ),
    (
        SessionBegun(session_id="S", evaluator_id="E", evaluator_name=None),
        "session with E",
        '{"event": "session", "sessionId": "S", "evaluatorId": "E", "evaluatorName": null}',
    ),
    (
        SessionOver(session_id="S", reason=EndReason.PEER_GONE, detail="E has gone"),
        "session ended: E has gone",
        '{"event": "ended", "sessionId": "S", "reason": "peer_gone", "detail": "E has gone"}',
    ),
    (
        Received(image_index=3, image_url="http://h/3.png", sent_at=1000.5, received_at=1001),
        None,
        '{"event": "image", "imageIndex": 3, "imageUrl": "http://h/3.png", "sentAt": 1000.5,'
        ' "receivedAt": 1001}',
    ),
    (
        Fetched(
            bytes=2048,
            kind="png",
            sha256="5" * 64,
            content_type="image/png",
            width=800,
            height=None,
            took_ms=12.3456,
            ahead=True,
            path=None,
            image_index=3,
            image_url="http://h/3.png",
        ),
        "image 3  http://h/3.png  2048 bytes  png  12 ms",
        f'{{"event": "fetched", "bytes": 2048, "kind": "png", "sha256": "{"5" * 64}",'
        ' "contentType": "image/png", "width": 800, "height": null, "tookMs": 12.3, "ahead": true,'
        ' "path": null, "imageIndex": 3, "imageUrl": "http://h/3.png"}',
    ),
    (
        FetchFailed(
            reason="http_403", image_index=3, image_url="http://me:pass@h/3.png?sig=secret#x"
        ),
        "image 3  http://h/3.png  http_403",
        '{"event": "fetch_failed", "reason": "http_403", "imageIndex": 3,'
        ' "imageUrl": "http://h/3.png"}',
    ),
    (
        FetchFailed(
            reason="not saved: No space left on device", image_index=3, image_url="http://h/3.png"
        ),
        "image 3  http://h/3.png  not saved: No space left on device",
        '{"event": "fetch_failed", "reason": "not saved: No space left on device",'
        ' "imageIndex": 3, "imageUrl": "http://h/3.png"}',
    ),
    (
        ExecFailed(
            reason="exit_3",
            detail="ended with exit code 3",
            image_index=3,
            image_url="http://h/3.png",
        ),
        "image 3  http://h/3.png  the command ended with exit code 3",
        '{"event": "exec_failed", "reason": "exit_3", "detail": "ended with exit code 3",'
        ' "imageIndex": 3, "imageUrl": "http://h/3.png"}',
    ),
]


@pytest.mark.parametrize(("event", "prose", "line"), EVENTS)
def test_each_event_has_its_prose_and_its_line_of_json(
    event: PeerEvent, prose: str | None, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Output(as_json=True).write(event)
    assert capsys.readouterr().out == f"{line}\n"
    Output(as_json=False).write(event)
    assert capsys.readouterr().out == ("" if prose is None else f"{prose}\n")


@pytest.mark.parametrize(("event", "prose", "line"), EVENTS)
def test_the_demo_reads_each_event_back_from_its_line(
    event: PeerEvent, prose: str | None, line: str
) -> None:
    found = read_event(line)
    assert type(found) is type(event)
    assert dump_event(found) == line


def test_no_event_is_left_out_here_and_no_two_have_one_name() -> None:
    classes = get_args(PeerEvent)
    assert {type(event) for event, _, _ in EVENTS} == set(classes)
    assert len({cls.EVENT for cls in classes}) == len(classes)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '{"event": ["waiting"], "clientId": "C"}',
        '{"event": "surprise"}',
        '{"event": "waiting"}',
        '{"event": "waiting", "clientId": 1}',
    ],
)
def test_what_is_no_event_is_not_read_as_one(line: str) -> None:
    with pytest.raises(ValueError, match=r"event|clientId"):
        read_event(line)
