"""The page that checks a device, as the tests see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import attrs

from tests.kit.browsers import Browser, Page

Found = dict[str, tuple[str, str]]

FOUND = """
Object.fromEntries([...document.querySelectorAll("#findings > li")].map((line) => [
  line.id.replace("finding-", ""),
  [line.dataset.level, line.querySelector(".code").innerText],
]))
"""


# Between two questions for the time of the server a page would pause.
QUICK = """
const pausing = setTimeout;
window.setTimeout = (act, ms, ...given) => pausing(act, ms === 90 ? 0 : ms, ...given);
"""


def check_url(relay_url: str, **query: str) -> str:
    """Of the page at a relay."""
    origin = relay_url.replace("ws", "http", 1).removesuffix("/ws")
    return f"{origin}/check?{urlencode(query)}"


@attrs.frozen
class CheckPage:
    """A page that has begun to look."""

    page: Page

    async def found(self) -> Found:
        """Level and code of all that it has looked at, once it has done so."""
        await self.page.wait(
            "!document.querySelector('#again').disabled"
            " && document.body.dataset.state !== 'working'"
        )
        lines: dict[str, list[str]] = await self.page.run(FOUND)
        return {subject: (level, code) for subject, (level, code) in lines.items()}

    async def troubles(self) -> dict[str, str]:
        """The codes of what is in the way, with the level of each."""
        return {code: level for level, code in (await self.found()).values() if code}

    async def says(self, selector: str) -> str:
        """What stands there."""
        text: str = await self.page.run(f"document.querySelector({selector!r}).innerText")
        return text

    async def again(self) -> None:
        """Have it look again."""
        await self.page.run("document.querySelector('#again').click()")


@asynccontextmanager
async def open_check(
    browser: Browser, relay_url: str, early: str = "", **query: str
) -> AsyncIterator[CheckPage]:
    """A page that looks.

    :param early: a script that runs in it before all others.
    """
    async with browser.open_page() as page:
        await page.run_early(QUICK + early)
        await page.goto(check_url(relay_url, **query))
        await page.wait("document.querySelector('#findings')?.children.length > 0")
        yield CheckPage(page)
