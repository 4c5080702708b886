"""The page that checks a device, for who sees little, uses no mouse, or holds a phone."""

from __future__ import annotations

import pytest

from tests.kit.accessible import Accessible, read_axe
from tests.kit.browsers import Browser
from tests.kit.check_pages import open_check

OFF = "const realNow = Date.now; Date.now = () => realNow() + 60_000;"


@pytest.mark.parametrize("lang", ["en", "ar"])
async def test_what_was_found_can_be_read_and_gone_on_from_by_everybody(
    browser: Browser, relay: str, lang: str
) -> None:
    query = {"user": "axel", "record": "camera", "lang": lang}
    async with open_check(browser, relay, OFF, **query) as check:
        assert "C1" in await check.troubles()
        await Accessible(read_axe()).check(check.page, f"checked, {lang}")
