"""A record is whole up to the last event, whatever happens to its process or its disk."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.signalling import Role
from imgsync.core.protocol.states import SessionState
from imgsync.journal.events import Header, Lost, Probe, State
from imgsync.journal.reader import Entry, Skipped, read_journal
from imgsync.journal.writer import FSYNC_INTERVAL, open_journal
from imgsync.wallclock import now_ms
from tests.kit.processes import EXIT_S, START_S, STRICT, open_child, run_to_end, wait_until

EVALUATOR = Role.EVALUATOR


def probe(number: int) -> Probe:
    return Probe("s-1", number, number + 1, number + 2, number + 3)


def read(path: Path) -> list[Entry]:
    """All lines, of which none is bad."""
    found = list(read_journal(path))
    assert not [item for item in found if isinstance(item, Skipped)]
    return [item for item in found if isinstance(item, Entry)]


def raw(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def test_a_record_begins_with_who_writes_it_and_by_which_clocks(tmp_path: Path) -> None:
    path = tmp_path / "log"
    before = now_ms()
    async with open_journal(path, role=EVALUATOR, user_id="dr-lee"):
        pass
    [entry] = read(path)
    head = entry.event
    assert isinstance(head, Header)
    assert (head.schema, head.role, head.user_id) == (1, EVALUATOR, "dr-lee")
    assert head.libraries.keys() == {"aiortc", "aioice", "trio"}
    assert head.python == sys.version.split()[0]
    assert before <= entry.at <= now_ms()
    # The wall clock may have been set since this process began, but not by hours.
    assert abs(head.wall_clock - entry.at) < 3_600_000
    assert oct(path.stat().st_mode & 0o777) == "0o600"


async def test_an_event_is_in_the_file_when_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with open_journal(path, role=EVALUATOR, user_id="dr-lee") as journal:
        for number in range(10):
            journal.write(probe(number))
            assert [entry.event for entry in read(path)][1:] == [
                probe(before) for before in range(number + 1)
            ]
    assert len(read(path)) == 11


async def test_a_process_that_goes_on_in_a_file_begins_anew_on_a_line_of_its_own(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    for number in range(2):
        async with open_journal(path, role=EVALUATOR, user_id="dr-lee") as journal:
            journal.write(probe(number))
    path.write_bytes(path.read_bytes()[:-5])
    async with open_journal(path, role=EVALUATOR, user_id="dr-lee"):
        pass
    found = list(read_journal(path))
    kinds = [type(item.event) if isinstance(item, Entry) else Skipped for item in found]
    assert kinds == [Header, Probe, Header, Skipped, Header]


async def test_after_the_end_a_write_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with open_journal(path, role=EVALUATOR, user_id="dr-lee") as journal:
        pass
    journal.write(probe(1))
    assert len(read(path)) == 1


async def test_what_json_does_not_have_is_lost_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    told: list[str] = []
    async with open_journal(
        path, role=EVALUATOR, user_id="dr-lee", complain=told.append
    ) as journal:
        for time_that_is_none in (float("nan"), object()):
            journal.write(Probe("s-1", time_that_is_none, 1, 2, 3))  # type: ignore[arg-type]
        journal.write(probe(1))
    assert [type(entry.event) for entry in read(path)] == [Header, Lost, Probe]
    assert len(told) == 1
    assert "a time that is none" in told[0]


async def test_what_is_written_is_synced_not_more_often_than_promised_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    synced: list[tuple[float, int]] = []  # when, and how much stood there
    fsync = os.fsync

    def watch(fd: int) -> None:
        size = os.fstat(fd).st_size
        fsync(fd)
        synced.append((time.monotonic(), size))

    def is_all_synced() -> bool:
        return bool(synced) and synced[-1][1] == path.stat().st_size

    monkeypatch.setattr(os, "fsync", watch)
    async with open_journal(path, role=EVALUATOR, user_id="dr-lee") as journal:
        await wait_until(is_all_synced, "the fsync of the header")
        for number in range(2):
            journal.write(probe(number))
            await wait_until(is_all_synced, "the fsync of an event")
        journal.write(probe(2))
    assert is_all_synced()
    times = [when for when, _ in synced]
    assert len(times) == 4
    # The last one came with the end, which does not wait for its turn.
    assert all(after - before > 0.9 * FSYNC_INTERVAL for before, after in pairwise(times[:3]))


async def test_a_cancelled_session_has_its_record(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with trio.CancelScope() as scope:
        async with open_journal(path, role=EVALUATOR, user_id="dr-lee") as journal:
            journal.write(probe(1))
            scope.cancel()
            await trio.sleep_forever()
    assert [entry.event for entry in read(path)][1:] == [probe(1)]


# ── a path that can't be used ────────────────────────────────────────────────────────────────────


async def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        async with open_journal(path, role=EVALUATOR, user_id="dr-lee"):
            pytest.fail("it began")
    return str(caught.value)


async def test_a_path_that_can_not_be_written_is_an_input_error(tmp_path: Path) -> None:
    told = await refusal(tmp_path / "none" / "log")
    assert "No such file or directory" in told
    assert told.endswith("name another file for it")
    assert "is no file" in await refusal(tmp_path)


async def test_a_pipe_is_refused_at_once_though_nobody_reads_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with trio.fail_after(EXIT_S):
        assert "is no file" in await refusal(tmp_path / "pipe")


async def test_two_processes_do_not_write_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with open_journal(path, role=EVALUATOR, user_id="dr-lee"):
        assert "another process writes its record" in await refusal(path)
    assert len(read(path)) == 1


# ── a full disk ──────────────────────────────────────────────────────────────────────────────────

#: A limit on the size of files does what a full disk does: a write ends half-way, the next fails.
FULL = """
import resource, sys
import trio
from pathlib import Path
from imgsync.core.protocol.signalling import Role
from imgsync.journal.events import Probe
from imgsync.journal.writer import open_journal

path, room = Path(sys.argv[1]), int(sys.argv[2])

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    def complain(text):
        print(text, flush=True)
    async with open_journal(path, role=Role.EVALUATOR, user_id="e", complain=complain) as journal:
        for _ in range(2):
            limit(path.stat().st_size + room)
            for number in range(10):
                journal.write(Probe("s-1", number, 1, 2, 3))
            limit(resource.RLIM_INFINITY)
            journal.write(Probe("s-1", 100, 1, 2, 3))
        limit(path.stat().st_size + room)
        for number in range(10):
            journal.write(Probe("s-1", number, 1, 2, 3))

trio.run(main)
"""

LINE = len(
    b'{"event":"probe","at":1800000000000.123,"sessionId":"s-1","t0":0,"t1":1,"t2":2,"t3":3}\n'
)


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY,
    reason="file sizes are limited here",
)
@pytest.mark.parametrize("room", [0, 1, LINE // 2, 2 * LINE, 2 * LINE + 30, 9 * LINE + 1])
async def test_a_full_disk_costs_events_which_are_counted_and_nothing_else(
    tmp_path: Path, room: int
) -> None:
    path = tmp_path / "log"
    outcome = await run_to_end(
        "writer", sys.executable, "-c", FULL, str(path), str(room), env=STRICT
    )
    assert outcome.code == 0, outcome.errors
    assert len(outcome.lines) == 3  # once for each time that it was full
    assert "File too large; the session goes on without it: make room" in outcome.lines[0]
    found = list(read_journal(path))
    written = [item.event for item in found if isinstance(item, Entry)]
    lost = [event.count for event in written if isinstance(event, Lost)]
    probes = [event for event in written if isinstance(event, Probe)]
    assert len(lost) == 2
    assert [event.t0 for event in probes].count(100) == 2
    # The third time there was never room again, and so nothing says how many were lost.
    kept = room // LINE
    assert sum(lost) + len(probes) - kept == 20 + 2
    assert len([item for item in found if isinstance(item, Skipped)]) <= 3


@pytest.mark.parametrize("missing", [1, 2])
async def test_a_line_that_lacks_its_line_break_alone_is_not_lost(
    tmp_path: Path, missing: int
) -> None:
    path = tmp_path / "log"
    program = FULL.replace("for number in range(10)", "for number in range(1)")
    # All lines of probes are as long, but for the time's trailing zeros.
    program = program.replace(
        "trio.run(main)", "imgsync.journal.writer.now_ms = lambda: 1.5\n\ntrio.run(main)"
    )
    program = program.replace("import trio", "import trio, imgsync.journal.writer", 1)
    line = len('{"event":"probe","at":1.5,"sessionId":"s-1","t0":0,"t1":1,"t2":2,"t3":3}\n')
    outcome = await run_to_end(
        "writer", sys.executable, "-c", program, str(path), str(line - missing), env=STRICT
    )
    assert outcome.code == 0, outcome.errors
    kinds = Counter(
        type(item.event) if isinstance(item, Entry) else Skipped for item in read_journal(path)
    )
    if missing == 1:
        assert kinds == {Header: 1, Probe: 5}
        assert not outcome.lines
    else:
        assert kinds == {Header: 1, Probe: 2, Lost: 2, Skipped: 3}
        assert len(outcome.lines) == 3


# ── kill -9 ──────────────────────────────────────────────────────────────────────────────────────

ENDLESS = """
import itertools, os, sys
import trio
from imgsync.core.protocol.signalling import Role
from imgsync.journal.events import Probe
from imgsync.journal.writer import open_journal

async def main():
    async with open_journal(sys.argv[1], role=Role.CLIENT, user_id="c") as journal:
        for number in itertools.count():
            journal.write(Probe("s-1", number, 1, 2, 3))
            os.write(1, b"%d\\n" % number)
            await trio.lowlevel.checkpoint()

trio.run(main)
"""


@pytest.mark.parametrize("count", [1, 100, 2_000])
async def test_a_process_that_is_killed_has_lost_nothing(tmp_path: Path, count: int) -> None:
    path = tmp_path / "log"
    async with open_child("writer", sys.executable, "-c", ENDLESS, str(path), env=STRICT) as child:
        for _ in range(count):
            last = int(await child.wait_line(START_S))
        child.process.send_signal(signal.SIGKILL)
        outcome = await child.wait_outcome()
    assert outcome.code == -signal.SIGKILL
    last = int(outcome.lines[-1]) if outcome.lines else last
    written = [entry.event for entry in read(path)][1:]
    # One more may have been written whose number could not be told any more.
    assert len(written) in (last + 1, last + 2)
    assert [event.t0 for event in written if isinstance(event, Probe)] == [*range(len(written))]
    async with open_journal(path, role=Role.CLIENT, user_id="c") as journal:
        journal.write(State("s-1", SessionState.CONNECTED, None, ""))
    assert [type(entry.event) for entry in read(path)][-2:] == [Header, State]


def test_a_record_can_be_written_without_webrtc() -> None:
    program = "import imgsync.journal.writer, sys; print('aiortc' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
