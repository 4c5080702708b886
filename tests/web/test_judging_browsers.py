"""Which browsers a participant can take part in, and which are windows of other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.rules import Rules, open_rules
from tests.kit.user_agents import BROWSERS, PROGRAMS

SAFARI, MAC, WEBKIT_GTK = BROWSERS[8], BROWSERS[15], BROWSERS[-1]
WINDOWS = [(name, agent) for name, agents in PROGRAMS.items() for agent in agents]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    with open_rules(tmp_path_factory.mktemp("rules")) as rules:
        yield rules


def judge(rules: Rules, user_agent: str, **news: object) -> dict[str, Any]:
    seen: dict[str, object] = {"userAgent": user_agent, "brands": [], "touchPoints": 5}
    seen |= {"isInstalled": False, "isRecent": True, "hasWebRtc": True, "hasWebAssembly": True}
    body = f"return m.judgeBrowser({json.dumps(seen | news)})"
    found: dict[str, Any] = rules.run("core/browsers/browsers.js", body)
    return found


def test_windows_of_programs_are_known_by_what_they_say(rules: Rules) -> None:
    found = [(judge(rules, agent)["program"], agent) for _, agent in WINDOWS]
    assert found == WINDOWS


def test_a_browser_is_no_window_of_a_program(rules: Rules) -> None:
    found = {agent: judge(rules, agent)["program"] for agent in BROWSERS}
    assert found == dict.fromkeys(BROWSERS)


def test_a_window_that_says_that_it_is_chrome_is_known_by_its_brand(rules: Rules) -> None:
    for brands, program in ((["Android WebView", "Chromium"], ""), (["Chromium"], None)):
        assert judge(rules, BROWSERS[0], brands=brands)["program"] == program


def test_a_page_on_the_home_screen_is_no_window_of_a_program(rules: Rules) -> None:
    agent = SAFARI.partition(" Version")[0]
    assert judge(rules, agent)["program"] == ""
    assert judge(rules, agent, isInstalled=True)["program"] is None


def test_what_is_lacking_is_told_by_what_takes_it_away(rules: Rules) -> None:
    gone: dict[str, object] = {"hasWebRtc": False}
    locked = {**gone, "hasWebAssembly": False}
    assert [
        judge(rules, agent, **news)["lack"]
        for agent, news in (
            (SAFARI, {}),
            (SAFARI, locked),
            (MAC, locked),
            (SAFARI, gone),
            (BROWSERS[0], locked),
            (MAC, {"isRecent": False, **locked}),
        )
    ] == [None, "lockdown", "lockdown", "noWebRtc", "noWebRtc", "tooOld"]


def test_a_tablet_that_says_that_it_is_a_mac_is_of_ios(rules: Rules) -> None:
    told = {
        (agent, points): judge(rules, agent, touchPoints=points)["system"]
        for agent, points in ((MAC, 5), (MAC, 0), (SAFARI, 5), (BROWSERS[0], 5))
    }
    assert [*told.values()] == ["ios", "other", "ios", "android"]
