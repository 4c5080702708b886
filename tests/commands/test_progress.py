"""What the evaluator's command shows on a terminal while a series runs."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imgsync.commands.evaluator.progress import GAP, REFRESH_INTERVAL, Part, Progress, fit
from imgsync.commands.events import Acked, NotAcked, Stage, State
from imgsync.commands.output import Event
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.states import SessionState
from tests.kit.forks import Forked, shared_relay
from tests.kit.processes import SAMPLES, STRICT, our_client
from tests.kit.side_by_side import Running, open_running, side_by_side
from tests.kit.terminals import Terminal, open_terminal

HERE = ("--ice-address", "127.0.0.1")
ENV = {name: value for name, value in STRICT.items() if name not in ("NO_COLOR", "COLUMNS")}
ENV |= {"TERM": "xterm-256color"}

COLOUR = "\x1b[32m"


# ── what fits ────────────────────────────────────────────────────────────────────────────────────


def acked(index: int) -> Acked:
    return Acked(
        image_index=index,
        name="a.png",
        image_url="http://h/a.png",
        sent_at=1000,
        received_at=1006.17,
        round_trip_ms=12.34,
        latency_ms=6.17,
        bound_ms=0.44,
        copies=1,
    )


def became(kind: StageKind, index: int = 1) -> Stage:
    return Stage(
        image_index=index,
        name="a.png",
        sent_at=1000,
        stage=kind,
        at=1010,
        latency_ms=None,
        bound_ms=None,
        reason=None,
    )


def progress_of_an_acked_image() -> Progress:
    progress = Progress(20)
    progress.begin_image(2)
    progress.add(acked(2))
    return progress


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (200, "image 3 of 20  connected  acked  one way 6.2 ± 0.4 ms  round trip 12.3 ms"),
        (72, "image 3 of 20  connected  acked  6.2 ± 0.4 ms  round trip 12.3 ms"),
        (39, "3/20  connected  acked  6.2 ± 0.4 ms"),
        (24, "3/20  connected  acked"),
        (10, "3/20"),
    ],
)
def test_what_is_dispensable_gives_way(width: int, line: str) -> None:
    assert GAP.join(part.text for part in fit(progress_of_an_acked_image().parts, width)) == line


def test_on_no_terminal_is_the_line_longer_than_that_is_wide() -> None:
    parts = progress_of_an_acked_image().parts
    for width in range(120):
        assert len(GAP.join(part.text for part in fit(parts, width))) <= width


def fate_after(*events: Event) -> str | None:
    progress = Progress(3)
    progress.begin_image(1)
    for event in events:
        progress.add(event)
    return None if progress.fate is None else progress.fate.words


ACKED = acked(1)
FETCHED, SHOWN = became(StageKind.FETCHED), became(StageKind.SHOWN)
HIDDEN, FAILED = became(StageKind.HIDDEN), became(StageKind.FAILED)


def test_the_last_that_becomes_of_an_image_is_told() -> None:
    assert fate_after() == "sent"
    assert fate_after(ACKED) == "acked"
    assert fate_after(ACKED, FETCHED) == "fetched"
    assert fate_after(ACKED, FETCHED, SHOWN) == "on the screen"
    assert fate_after(ACKED, SHOWN, FETCHED) == "on the screen"
    assert fate_after(ACKED, FAILED) == "failed"
    assert fate_after(ACKED, SHOWN, HIDDEN) == "hidden"
    assert fate_after(NotAcked(image_index=1, name="a.png", reason="timeout")) == "not acked"
    assert fate_after(became(StageKind.SHOWN, index=0)) == "sent"


def test_the_states_of_a_session_differ_in_style() -> None:
    styles = set()
    for state in (SessionState.CONNECTED, SessionState.SUSPECT, SessionState.INTERRUPTED):
        progress = Progress(3)
        progress.add(State(state=state, at=1000))
        [part] = [part for part in progress.parts if part.text == state.value]
        styles.add(part.style)
    assert len(styles) == 3
    assert Part(0, "", "").style not in styles


# ── on a terminal ────────────────────────────────────────────────────────────────────────────────


AT_ONCE = 2
"""A third one could make a line change before it was read."""


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    items = [item for item in request.session.items if item.path == request.path]
    with open_running(items, request, AT_ONCE) as found:
        yield found


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay("--grace", "0.5") as url:
        yield url


@contextmanager
def open_client(relay_url: str, user: str) -> Iterator[Forked]:
    command = (*our_client(relay_url), *HERE, "--user", user)
    with open(os.devnull, "r+b") as nowhere:
        client = Forked(command, STRICT, [nowhere.fileno()] * 3)
    with client.tended():
        try:
            yield client
        finally:
            client.send_signal(signal.SIGCONT)


def evaluator(relay_url: str, user: str, *options: str) -> tuple[str, ...]:
    who = ("--user", f"evaluator-of-{user}", "--client", user, "--wait")
    command = (sys.executable, "-m", "imgsync", "evaluator", "--relay", relay_url)
    return (*command, *who, *HERE, *options, str(SAMPLES))


def wait_live(terminal: Terminal, *texts: str) -> None:
    """Wait until all of them stand on the line that changes."""
    terminal.wait_until(lambda screen: all(text in screen.lines[-1] for text in texts))


def wait_settled(terminal: Terminal, text: str) -> None:
    """Wait until there is a line that stays with this."""
    terminal.wait_until(lambda screen: any(text in line for line in screen.settled))


@side_by_side(5)
def test_the_line_follows_a_series_and_is_gone_at_its_end(folder: Path, relay_url: str) -> None:
    with (
        open_client(relay_url, "follows"),
        open_terminal(evaluator(relay_url, "follows", "--every", "0.4"), ENV) as terminal,
    ):
        wait_live(terminal, "image 4 of 10  connected", "round trip", "one way", " ± ")
        terminal.resize(40)
        terminal.process.send_signal(signal.SIGWINCH)
        wait_live(terminal, "5/10  connected")
        narrow_from = len(terminal.screen.erased)
        assert terminal.wait_exit() == 0
        screen = terminal.screen
        assert screen.lines[-1] == ""
        assert screen.settled[-1].startswith("10 images sent, 0 shown, 10 acked; round trip ")
        assert not [line for line in screen.settled if " acked  " in line]
        assert all(len(line) < 40 for line in screen.erased[narrow_from:])
        assert "10/10  connected  fetched" in screen.erased[-1]
        # At most twice for an image (it goes out; its fate), and never more often than that.
        assert len(screen.erased) <= 10 / REFRESH_INTERVAL * 0.4
        assert COLOUR in screen.codes
        assert {code[-1] for code in screen.codes} == {"m"}  # nothing that has to be undone
        assert terminal.modes == terminal.before


@side_by_side(6)
def test_keys_work_under_it_and_changes_of_state_stay_above_it(
    folder: Path, relay_url: str
) -> None:
    command = evaluator(relay_url, "keys")
    with open_client(relay_url, "keys") as client, open_terminal(command, ENV) as terminal:
        wait_live(terminal, "image - of 10  connected")
        terminal.press("n")
        wait_live(terminal, "image 1 of 10", "fetched")
        drawn = len(terminal.screen.erased)
        client.send_signal(signal.SIGSTOP)
        wait_settled(terminal, "session suspect")
        wait_live(terminal, "image 1 of 10  suspect  fetched")
        # Nothing changed for seconds but that.
        assert len(terminal.screen.erased) <= drawn + 2
        terminal.press("7\n")
        wait_live(terminal, "image 8 of 10  suspect  sent")
        client.send_signal(signal.SIGCONT)
        wait_live(terminal, "image 8 of 10  connected  fetched")
        terminal.press("99\n")
        wait_settled(terminal, "there is no image 99; they go from 0 to 9")
        terminal.press("q")
        assert terminal.wait_exit() == 0
        settled = [line.partition(" ")[0] for line in terminal.screen.settled]
        assert settled[-4:] == ["session", "session", "there", "2"]
        assert terminal.modes == terminal.before


@side_by_side(1)
def test_ctrl_c_leaves_the_terminal_as_it_was(folder: Path, relay_url: str) -> None:
    command = evaluator(relay_url, "ctrl-c")
    with open_client(relay_url, "ctrl-c"), open_terminal(command, ENV) as terminal:
        wait_live(terminal, "image - of 10  connected")
        terminal.press("n")
        wait_live(terminal, "image 1 of 10", "fetched")
        assert terminal.modes != terminal.before
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait_exit() == 130
        assert terminal.modes == terminal.before
        assert terminal.screen.lines[-1] == ""
        assert terminal.screen.settled[-1].startswith("1 images sent, 0 shown, 1 acked")


@side_by_side(10)
def test_what_is_logged_to_the_same_terminal_stands_above_it(folder: Path, relay_url: str) -> None:
    command = evaluator(relay_url, "logs", "--every", "0.4", "--verbose")
    with open_client(relay_url, "logs") as client, open_terminal(command, ENV) as terminal:
        wait_live(terminal, "image 2 of 10")
        client.kill()
        wait_settled(terminal, "INFO session ")
        wait_live(terminal, "interrupted")
        wait_settled(terminal, "session interrupted")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait_exit() == 130
        assert not [line for line in terminal.screen.settled if "image 2 of" in line]


@side_by_side(3)
def test_without_colours_none_are_sent(folder: Path, relay_url: str) -> None:
    command = evaluator(relay_url, "plain", "--every", "0.1")
    with (
        open_client(relay_url, "plain"),
        open_terminal(command, ENV | {"NO_COLOR": "1"}) as terminal,
    ):
        assert terminal.wait_exit(30) == 0
        assert any("of 10  connected" in line for line in terminal.screen.erased)
        assert set(terminal.screen.codes) <= {"\x1b[0m", "\x1b[1m"}  # bold is no colour


@side_by_side(4)
def test_a_terminal_that_is_stopped_holds_up_no_image(folder: Path, relay_url: str) -> None:
    command = evaluator(relay_url, "stopped", "--every", "0.1")
    with (
        open_client(relay_url, "stopped") as client,
        open_terminal(command, ENV) as terminal,
    ):
        wait_live(terminal, "image ")
        stop_output(terminal)
        # The client leaves when the session has ended in good order.
        assert client.wait(30) == 0
        start_output(terminal)
        assert terminal.wait_exit() == 0


def stop_output(terminal: Terminal) -> None:
    descriptor = os.open(terminal.device, os.O_RDWR | os.O_NOCTTY)
    termios.tcflow(descriptor, termios.TCOOFF)
    os.close(descriptor)


def start_output(terminal: Terminal) -> None:
    descriptor = os.open(terminal.device, os.O_RDWR | os.O_NOCTTY)
    termios.tcflow(descriptor, termios.TCOON)
    os.close(descriptor)


def without_rich(folder: Path) -> dict[str, str]:
    """An environment in which it can't be imported."""
    (folder / "rich").mkdir()
    (folder / "rich" / "__init__.py").write_text("raise ImportError('not installed')\n")
    return ENV | {"PYTHONPATH": f"{folder}{os.pathsep}{ENV['PYTHONPATH']}"}


@pytest.mark.parametrize("case", ["no-rich", "dumb", "json"])
@side_by_side(3)
def test_where_there_can_be_no_such_line_each_image_has_its_own(
    folder: Path, relay_url: str, case: str
) -> None:
    options = ("--json",) if case == "json" else ()
    env = {"no-rich": without_rich(folder), "dumb": ENV | {"TERM": "dumb"}, "json": ENV}[case]
    command = evaluator(relay_url, case, "--every", "0.1", *options)
    with open_client(relay_url, case), open_terminal(command, env) as terminal:
        assert terminal.wait_exit(30) == 0
        screen = terminal.screen
        assert screen.codes == screen.erased == []
        begin = '{"event": "acked"' if case == "json" else "image "
        assert sum(line.startswith(begin) for line in screen.settled) == 10
