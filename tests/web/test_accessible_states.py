"""What each state of the client's page owes to everybody: axe finds nothing, Tab comes to all, at
200 % all can be read, nothing moves; in English and, right to left, in Arabic."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.accessible import Accessible, read_axe
from tests.kit.browsers import Browser
from tests.kit.participant_states import STATES, open_state
from tests.kit.web_images import open_images
from tests.kit.web_pages import ClientPage, open_client_page, open_session, show_url

WEB = Path(__file__).parents[2] / "imgsync" / "web"


@pytest.fixture(scope="module")
def accessible() -> Accessible:
    return Accessible(read_axe())


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("state", STATES)
async def test_a_state_is_for_everybody(
    browser: Browser, relay: str, accessible: Accessible, state: str, language: str
) -> None:
    async with open_state(browser, relay, state, language) as page:
        await accessible.check(page, state)


async def test_so_is_a_session(browser: Browser, relay: str, accessible: Accessible) -> None:
    async with open_images() as images, open_client_page(browser, relay, "alex") as client:
        page = client.page
        async with open_session(relay, "alex") as session:
            await client.wait_says("Connected")
            await accessible.check(page, "connected")
            await show_url(session, 0, images.url("0.png"))
            await client.wait_stage(0, "shown")
            await accessible.check_rules(page, "showing")
        await ClientPage(page).wait_says("ended")
        await accessible.check(page, "ended")


@pytest.mark.parametrize("sheet", sorted(path.name for path in WEB.glob("*.css")))
def test_nothing_moves_by_itself_but_for_those_who_want_it(sheet: str) -> None:
    styles = (WEB / sheet).read_text(encoding="utf-8")
    wanted = re.compile(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}", re.DOTALL)
    moving = re.compile(r"^\s*(?:transition|animation|scroll-behavior)[\w-]*:.*", re.MULTILINE)
    assert moving.findall(wanted.sub("", styles)) == []
