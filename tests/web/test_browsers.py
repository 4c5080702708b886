"""What tests of pages stand on: a browser goes on whatever it has to say, and tells who hangs."""

from __future__ import annotations

import pytest

from tests.kit import browsers as kit
from tests.kit.browsers import Browser, Started
from tests.kit.either_browser import in_either
from tests.kit.processes import wait_until

pytestmark = in_either

PIPE = 64 * 1024
"""Bytes that a pipe holds which nobody reads."""

LOUD = f"""
for (let said = 0; said < {2 * PIPE}; said += 1000) {{
  setTimeout(() => {{ throw new Error(said + "x".repeat(1000)); }});
}}
"""


async def test_a_browser_that_says_more_than_a_pipe_holds_goes_on(
    browser: Browser, started: Started
) -> None:
    before = started.output.stat().st_size
    async with browser.open_page() as page:
        await page.run(f"void (() => {{ {LOUD} }})()")
        await wait_until(lambda: started.output.stat().st_size > before + PIPE, "all of it")
        assert await page.run("6 * 7") == 42


async def test_a_page_that_hangs_is_told_from_a_browser_that_does(
    browser: Browser, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser.open_page() as page:
        with monkeypatch.context() as patch:
            patch.setattr(kit, "ANSWER_S", 0.2)
            with pytest.raises(AssertionError, match="though the browser itself answers"):
                await page.run("new Promise(() => {})")
        assert await page.run("6 * 7") == 42
    assert not started.is_lost
