"""A program that runs while an image is shown: real processes, told apart by what they write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from imgsync.client.client import ReceivedImage
from imgsync.commands.client import program
from imgsync.commands.client.program import Program, open_program
from imgsync.core.pictures.facts import Facts
from imgsync.core.protocol.channel import Stage as SaidStage
from imgsync.core.protocol.trials import Trial
from tests.kit.answers import NO_ANSWERS
from tests.kit.processes import EXIT_S, SESSION_S, wait_until

WRITE = 'echo "$IMGSYNC_IMAGE_INDEX $1" >> "$LOG"'

#: Records from the onset to the next image, and says when it is told to stop.
RECORDER = f"""#!/bin/sh
write() {{ {WRITE}; }}
trap 'write stopped; exit 7' TERM
write started
while :; do sleep 0.02; done
"""

#: Hears no SIGTERM, and neither does what it starts.
STUBBORN = f"""#!/bin/sh
trap '' TERM
write() {{ {WRITE}; }}
sleep 600 &
echo "$! $$" >> "$LOG.pids"
write started
wait
"""


NOTHING_ASKED = Trial()


class Stage:
    """Runs programs for images without any session, and notes what is said of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.stages: list[tuple[int, str, str | None]] = []
        self.complaints: list[tuple[int, str]] = []

    def image(self, index: int, trial: Trial = NOTHING_ASKED) -> ReceivedImage:
        url = f"http://h/{index}.png"
        of = (index, url, f"{url}?sig=x", 1000.5, 1001)
        return ReceivedImage(*of, self._tell, NO_ANSWERS, trial)

    def _tell(self, image: ReceivedImage, said: SaidStage, _: Facts | None) -> None:
        self.stages.append((image.index, said.stage.value, said.reason))

    def complain(self, image: ReceivedImage, word: str, detail: str) -> None:
        self.complaints.append((image.index, word))

    def script(self, text: str) -> list[str]:
        path = self.folder / "script.sh"
        path.write_text(text)
        return ["sh", str(path)]

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    async def wait_lines(self, count: int) -> list[str]:
        await wait_until(lambda: len(self.lines) >= count, f"{count} lines")
        return self.lines

    @property
    def pids(self) -> list[int]:
        return [int(pid) for pid in Path(f"{self.log}.pids").read_text().split()]

    async def wait_line(self, line: str) -> None:
        await wait_until(lambda: line in self.lines, f"the line {line!r}")

    @asynccontextmanager
    async def open(
        self, words: Sequence[str], *, needs_file: bool = False
    ) -> AsyncIterator[Program]:
        with trio.fail_after(SESSION_S):
            async with open_program(words, self.complain, needs_file=needs_file) as running:
                yield running


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(tmp_path)
    monkeypatch.setenv("LOG", str(stage.log))
    return stage


def is_alive(pid: int) -> bool:
    """Whether it runs; what is dead and waits to be asked for counts as dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def test_it_ends_when_its_image_was_up_for_as_long_as_was_asked(stage: Stage) -> None:
    async with stage.open(stage.script(RECORDER)) as running:
        running.show(stage.image(0, Trial(show_for=50)))
        await stage.wait_line("0 stopped")
        await wait_until(lambda: len(stage.stages) == 2, "the end of the exposure")
        running.show(stage.image(1))
        await stage.wait_line("1 started")
    assert stage.stages[:3] == [
        (0, "shown", None),
        (0, "hidden", "exposure_over"),
        (1, "shown", None),
    ]
    assert stage.stages[3:] == [(1, "hidden", None)]
    assert stage.complaints == []


async def test_it_runs_from_the_onset_to_the_next_image_and_to_the_end(stage: Stage) -> None:
    async with stage.open(stage.script(RECORDER)) as running:
        for index in range(3):
            running.show(stage.image(index))
            await stage.wait_line(f"{index} started")
    assert [line for line in stage.lines if line.endswith("started")] == [
        "0 started",
        "1 started",
        "2 started",
    ]
    assert sorted(line for line in stage.lines if line.endswith("stopped")) == [
        "0 stopped",
        "1 stopped",
        "2 stopped",
    ]
    # That it ended with another code than 0 when it was told to end is its own affair.
    assert stage.complaints == []
    for index in range(3):
        assert [said for number, *said in stage.stages if number == index] == [
            ["shown", None],
            ["hidden", None],
        ]


async def test_it_is_told_to_end_once(stage: Stage) -> None:
    words = stage.script(f"""write() {{ {WRITE}; }}
trap 'write told' TERM
write started
while [ ! -e "$LOG.go" ]; do sleep 0.02; done
write over
""")
    async with stage.open(words) as running:
        run = running.show(stage.image(0))
        await stage.wait_line("0 started")
        run.hide()
        run.hide()
        await stage.wait_line("0 told")
        await trio.testing.wait_all_tasks_blocked(0.1)
        await trio.Path(f"{stage.log}.go").touch()
        await stage.wait_line("0 over")
    assert stage.lines == ["0 started", "0 told", "0 over"]
    assert stage.complaints == []


async def test_it_is_told_of_the_image_and_of_no_secret_but_the_signed_url(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGSYNC_TOKEN", "c0ffee")
    async with stage.open(stage.script('env > "$LOG.new"; mv "$LOG.new" "$LOG"')) as running:
        running.show(stage.image(3))
        await wait_until(lambda: bool(stage.lines), "its environment")
    ours = dict(line.split("=", 1) for line in stage.lines if line.startswith("IMGSYNC_"))
    assert ours == {
        "IMGSYNC_EVENT": "show",
        "IMGSYNC_IMAGE_INDEX": "3",
        "IMGSYNC_IMAGE_URL": "http://h/3.png",
        "IMGSYNC_SIGNED_URL": "http://h/3.png?sig=x",
        "IMGSYNC_SENT_AT": "1000.5",
        "IMGSYNC_RECEIVED_AT": "1001",
    }


async def test_where_it_needs_the_file_it_waits_for_it(stage: Stage) -> None:
    words = stage.script('echo "$IMGSYNC_IMAGE_INDEX $IMGSYNC_FILE" >> "$LOG"')
    async with stage.open(words, needs_file=True) as running:
        run = running.show(stage.image(0))
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert stage.stages == []
        run.file_is_there(Path("/images/0.png"))
        await stage.wait_line("0 /images/0.png")


async def test_an_image_whose_file_comes_too_late_is_superseded(stage: Stage) -> None:
    async with stage.open(stage.script(RECORDER), needs_file=True) as running:
        late = running.show(stage.image(0))
        running.show(stage.image(1)).file_is_there(Path("1.png"))
        late.file_is_there(Path("0.png"))
        await stage.wait_line("1 started")
    assert "0 started" not in stage.lines
    assert [said for said in stage.stages if said[0] == 0] == [(0, "failed", "superseded")]
    assert (1, "shown", None) in stage.stages


@pytest.mark.parametrize(
    ("text", "words"),
    [("exit 3", ["exit_3"]), ("kill -9 $$", ["signal_9"]), ("exit 0", [])],
)
async def test_one_that_fails_by_itself_is_told_of_and_the_next_runs(
    stage: Stage, text: str, words: list[str]
) -> None:
    async with stage.open(stage.script(f"{WRITE}; {text}")) as running:
        for index in range(2):
            running.show(stage.image(index))
            await wait_until(lambda index=index: (index, "hidden", None) in stage.stages, "its end")  # type: ignore[misc]
    assert stage.complaints == [(index, word) for index in range(2) for word in words]


async def test_one_that_can_not_be_started_is_told_of(stage: Stage) -> None:
    async with stage.open([str(stage.folder)]) as running:
        running.show(stage.image(5))
        await wait_until(lambda: bool(stage.complaints), "a complaint")
    assert stage.complaints == [(5, "not_started")]
    assert stage.stages == [(5, "failed", "exec")]


async def test_one_that_hangs_is_killed_with_its_children_and_holds_up_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "EXIT_DEADLINE", 0.3)
    async with stage.open(stage.script(STUBBORN)) as running:
        for index in range(3):
            running.show(stage.image(index))
            await stage.wait_line(f"{index} started")
        pids = stage.pids
        assert len(pids) == 6
        await wait_until(lambda: len(stage.complaints) == 2, "two that were killed")
        assert is_alive(pids[-1])
    await wait_until(lambda: not any(map(is_alive, pids)), "the end of all")
    assert sorted(stage.complaints) == [(index, "killed") for index in range(3)]
    assert {said for said in stage.stages if said[1] == "hidden"} == {
        (index, "hidden", None) for index in range(3)
    }


async def test_too_many_that_hang_are_not_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "EXIT_DEADLINE", 2.0)
    monkeypatch.setattr(program, "MAX_ENDING", 1)
    async with stage.open(stage.script(STUBBORN)) as running:
        begin = trio.current_time()
        for index in range(3):
            running.show(stage.image(index))
            await stage.wait_line(f"{index} started")
        # Two are ending, so the first is killed before its time.
        await wait_until(lambda: stage.complaints == [(0, "killed")], "the first one's end")
        assert trio.current_time() - begin < 2 * EXIT_S


async def test_what_it_leaves_behind_goes_with_it(stage: Stage) -> None:
    words = stage.script('sleep 600 & echo "$!" > "$LOG.new"; mv "$LOG.new" "$LOG"')
    async with stage.open(words) as running:
        running.show(stage.image(0))
        await wait_until(lambda: bool(stage.lines), "the number of its child")
        [pid] = map(int, stage.lines)
        await wait_until(lambda: not is_alive(pid), "the end of what it started")


async def test_it_has_no_stdin_and_does_not_write_to_our_stdout(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    async with stage.open(stage.script(f"cat; echo said; {WRITE}")) as running:
        running.show(stage.image(0))
        await stage.wait_line("0 ")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "said\n")


async def test_a_cancelled_block_ends_it_all_the_same(stage: Stage) -> None:
    with trio.CancelScope() as scope:
        async with stage.open(stage.script(RECORDER)) as running:
            running.show(stage.image(0))
            await stage.wait_line("0 started")
            scope.cancel()
            await trio.sleep_forever()
    assert stage.lines == ["0 started", "0 stopped"]
