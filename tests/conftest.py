"""What tests of pages share, how the suite is spread over processes, and that CI skips nothing."""

import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis.strategies import none
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.kit.browsers import Browser, Started, open_browser
from tests.kit.either_browser import BROWSERS, FOR_PAGES, Browsers
from tests.kit.foreign import MakePeer, find_peer
from tests.kit.forks import shared_relay
from tests.kit.side_by_side import Running, open_running

# A law that fails now and then is a test that nobody believes; time is for other tests to judge.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

FAULTS = "tests/faults/"
FIREFOX = "firefox"


def scope_of(nodeid: str) -> str:
    """Tests of one scope run in one process, for what they share: those of a file, in general.

    All fault tests are as one file, and so are all in Firefox: it is slow to start.
    """
    if nodeid.startswith(FAULTS):
        return FAULTS
    if nodeid.startswith("tests/web/") and FIREFOX in nodeid:
        return FIREFOX
    return nodeid.split("::")[0]


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


BEGIN = (FAULTS, FIREFOX, "tests/relay/test_fuzz.py", "tests/commands/", "tests/web/")
"""What takes longest begins first, so that no process is left with it when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: [not scope_of(item.nodeid).startswith(begin) for begin in BEGIN])


# Thousands of tests are made, and all of them stay: to look through them for garbage again and
# again takes as long as to make them.


def pytest_configure() -> None:
    gc.disable()


@given(none())
def draw_nothing(nothing: None) -> None:
    """Has hypothesis set itself up."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    # It looks who has its source of chance: it would not find it among what is frozen, and has
    # least to look through as long as no test is made.
    draw_nothing()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests are failures in CI", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# ── for tests of processes ───────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session", autouse=True)
def interrupt_by_default() -> Iterator[None]:
    """A script's background ignores it, and what a test starts would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def hang_up_by_default() -> Iterator[None]:
    """Under nohup it is ignored, and what a test starts would inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


# ── for tests of peers that are not ours ──────────────────────────────────────────────────────────


@pytest.fixture
def stack() -> str:
    """What the other peer stands on; a test's own parameter of this name overrides it."""
    return "wrtc"


@pytest.fixture
def foreign(stack: str) -> MakePeer:
    """Makes its command lines. Not in the test itself: Trio would lose the reason of a skip."""
    return find_peer(stack)


# ── for tests that mostly wait ───────────────────────────────────────────────────────────────────

AT_ONCE = 3
"""Of the tests of a file that run side by side."""


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    items = [item for item in request.session.items if item.path == request.path]
    with open_running(items, request, AT_ONCE) as found:
        yield found


# ── for tests of pages ───────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    """They serve all tests of this process; for one that is lost another one is started."""
    with ExitStack() as stack:
        running: dict[object, Started] = {}

        def find(name: str, *, whole: bool = False) -> Started:
            start = (BROWSERS if whole else FOR_PAGES)[name]
            if start not in running or running[start].is_lost:
                running[start] = stack.enter_context(start())
            return running[start]

        yield find


@pytest.fixture(scope="module")
def browser_name() -> str:
    """Which a file's tests are in; `in_either` stands instead of this."""
    return "chromium"


@pytest.fixture(scope="module")
def started(browser_name: str, browsers: Browsers) -> Started:
    """A file has one of its own where that has to be started in another way."""
    return browsers(browser_name)


@pytest.fixture
async def browser(started: Started) -> AsyncIterator[Browser]:
    async with open_browser(started) as browser:
        yield browser


@pytest.fixture(scope="module", params=BROWSERS)
def either(request: pytest.FixtureRequest, browsers: Browsers) -> Started:
    """One browser for all tests of a file, and then the other one."""
    return browsers(request.param)


@pytest.fixture(scope="module")
def relay(browser_name: str) -> Iterator[str]:
    """The URL of a relay for all tests of a file.

    One for each browser: a session waits for a page of the browser before that was closed.
    """
    with shared_relay() as url:
        yield url
