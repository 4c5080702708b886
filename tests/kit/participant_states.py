"""What the participant's pages come to by themselves: a line for each state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from tests.kit.browsers import Browser, Page
from tests.kit.user_agents import BROWSERS, PROGRAMS
from tests.kit.web_pages import INSIDE, page_url

USER = {"user": "one"}
RECORDED = {"user": "rec", "record": "camera,microphone"}

OLD = "delete AbortSignal.prototype.throwIfAborted;"
NO_WEBRTC = "delete window.RTCPeerConnection;"
LOCKED_DOWN = f"{NO_WEBRTC} delete window.WebAssembly;"


@attrs.frozen
class State:
    """How to come to it.

    :param query: of the link.
    :param until: an expression that is true by then.
    :param early: a script that runs before all others.
    :param path: of the page.
    :param act: what is done then, as an expression.
    """

    query: dict[str, str]
    until: str
    user_agent: str = BROWSERS[0]
    early: str = INSIDE
    path: str = "client"
    act: str = "0"


def sees(selector: str) -> str:
    return f"document.querySelector({selector!r})?.checkVisibility()"


def press(selector: str) -> str:
    return f"document.querySelector({selector!r}).click()"


def then(*acts: str) -> str:
    """One after the other, each in what came of the one before."""
    later = "await new Promise((resolve) => setTimeout(resolve))"
    return f"(async () => {{ {f'; {later}; '.join(acts)} }})()"


TOLD = "document.querySelector('#hint')?.textContent.length > 9"

CHECKED = "(document.body?.dataset.state ?? 'working') !== 'working'"

STATES = {
    "incomplete": State({}, TOLD),
    "ready": State(USER, TOLD),
    "at-the-door": State(
        USER, f"{sees('#door')} && !document.querySelector('#door-ready').disabled", early=""
    ),
    "asked-to-be-recorded": State(RECORDED, sees("#consent")),
    "checked": State(USER, CHECKED, path="check"),
    "measured-by-card": State({**USER, "size": "screen"}, sees("#measuring")),
    "measured-by-ruler": State(
        {**USER, "size": "screen"}, sees("#measuring"), act=press(".buttons > :nth-child(2)")
    ),
    "asked-for-the-distance": State(
        {**USER, "size": "distance"}, sees("#measuring"), act=press(".buttons > .main")
    ),
    "watching-the-dot": State(
        {**USER, "size": "distance"},
        sees("#measuring"),
        act=then(press(".buttons > .main"), press(".buttons > :nth-child(2)"), press(".main")),
    ),
    "in-a-program": State({**USER, "size": "screen"}, sees("#browser"), PROGRAMS["LINE"][0]),
    "in-a-program-for-good": State(USER, sees("#browser"), PROGRAMS[""][0], NO_WEBRTC),
    "too-old": State(USER, sees("#too-old"), early=OLD),
    "locked-down": State(USER, TOLD, BROWSERS[8], LOCKED_DOWN),
    "no-webrtc": State(USER, TOLD, early=NO_WEBRTC),
}


@asynccontextmanager
async def open_state(
    browser: Browser, relay: str, state: str, language: str
) -> AsyncIterator[Page]:
    """A page that has come to it."""
    found = STATES[state]
    async with browser.open_page() as page:
        await page.command("Emulation.setUserAgentOverride", userAgent=found.user_agent)
        await page.run_early(found.early)
        url = page_url(relay, **found.query, lang=language)
        await page.goto(url.replace("/client?", f"/{found.path}?"))
        await page.wait(found.until)
        await page.run(found.act)
        yield page
