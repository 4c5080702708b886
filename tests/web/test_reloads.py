"""Sessions of pages, one after the other, and reloads in them, in Chromium and in Firefox.

`bench/soak.py --browser` run by hand has a great number of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.kit.browsers import Started, open_browser
from tests.kit.console_pages import open_images
from tests.kit.forks import shared_relay
from tests.kit.page_sessions import IMAGES, NO_LIMITS, RELOADS, SESSIONS, Scene, try_kind
from tests.kit.web_pages import make_folder


@pytest.fixture(scope="module")
def relay() -> Iterator[str]:
    with shared_relay(*NO_LIMITS) as url:
        yield url


@pytest.fixture
async def scene(either: Started, relay: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_browser(either) as browser, open_images() as images:
        yield Scene(browser, relay, images, make_folder(tmp_path, IMAGES))


@pytest.mark.parametrize("kind", SESSIONS)
async def test_ten_sessions_in_a_row_each_have_their_stages(scene: Scene, kind: str) -> None:
    assert (await try_kind(SESSIONS[kind], scene, 10)).failures == []


@pytest.mark.parametrize("kind", RELOADS)
async def test_a_session_outlives_three_reloads_of_one_side(scene: Scene, kind: str) -> None:
    assert (await try_kind(RELOADS[kind], scene, 3)).failures == []
