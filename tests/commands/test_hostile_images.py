"""URLs of an evaluator that means no good: the client's command tells of them, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from imgsync import EvaluatorSession, ImageRef, open_evaluator
from tests.images.test_kinds import PNG
from tests.kit.command_lines import HERE, LOOPBACK, client, events, named
from tests.kit.forks import open_fork, shared_relay
from tests.kit.image_servers import answer, open_server
from tests.kit.processes import SESSION_S, Child

BAD = [
    "",
    "7",
    "pictures/7.png",
    "/7.png",
    "//127.0.0.1/7.png",
    "file:///7.png",
    "file:///etc/passwd",
    "data:image/png;base64,iVBORw0KGgo=",
    "ftp://127.0.0.1/7.png",
    "javascript:alert(7)",
    "http:///7.png",
    "http://[/7.png",
    "http://[fe80::1%25lo]/7.png",
    "http://127.0.0.1:99999/7.png",
    "http://127.0.0.1:x/7.png",
    "http://\u2100/7.png",
    "http://" + "\u00e4" * 64 + "/7.png",
    "../../../7.png",
    "..",
    "a/%00%2f..%2f..%ff",
]


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


class Showing:
    """Shows images one by one, and hears what the client says first of each."""

    def __init__(self, session: EvaluatorSession) -> None:
        self.session = session
        self._reports = session.stages()

    async def fate(self, image: ImageRef) -> tuple[str, str | None]:
        delivery = await self.session.show(image)
        report = await anext(self._reports)
        assert report.sent_at == delivery.sent_at
        return report.stage.value, report.reason


async def show_all(showing: Showing, good: str, following: Child) -> None:
    """Each bad one as either URL, and with both, with a good one after it."""
    index = 0
    for bad in BAD:
        for names in ((good, bad), (bad, bad), (bad, good)):
            image = ImageRef(index, *names)
            showing.session.preload([image, ImageRef(index + 1, f"{good}&{index}", good)])
            expected = ("fetched", None) if names[1] == good else ("failed", "bad_url")
            assert await showing.fate(image) == expected, names
            assert await showing.fate(ImageRef(index, good, good)) == ("fetched", None), names
            index += 1
    assert following.process.returncode is None


@pytest.mark.parametrize("saves", [False, True])
async def test_no_url_ends_the_clients_command_also_where_a_host_has_set_a_cookie(
    relay_url: str, tmp_path: Path, saves: bool
) -> None:
    options = ("--save", str(tmp_path)) if saves else ()
    user = f"bold-{saves}"
    follow = client(relay_url, user, *HERE, "--json", "--once", *options)
    cookie = answer(PNG, "200 OK", "set-cookie: a=b; Path=/")
    async with open_fork("client", *follow) as following, open_server(cookie) as good:
        await following.wait_event("registered")
        async with open_evaluator(relay_url, user_id=f"to-{user}", ice_addresses=[LOOPBACK]) as e:
            with trio.fail_after(SESSION_S):
                async with e.open_session(user) as session:
                    showing = Showing(session)
                    assert await showing.fate(ImageRef(0, good, good)) == ("fetched", None)
                    await show_all(showing, good, following)
        outcome = await following.wait_outcome()
    assert (outcome.code, outcome.errors) == (0, [])
    failed = named("fetch_failed", events(outcome.lines))
    assert {line["reason"] for line in failed} == {"bad_url"}
    assert len(failed) == 2 * len(BAD)
    inside = await trio.to_thread.run_sync(lambda: list(tmp_path.rglob("*")))
    assert all(path.parent == tmp_path for path in inside)
