"""What a check before a session makes of what it has measured; of clocks, what the doctor makes."""

from __future__ import annotations

import random
import re
from email.utils import formatdate

from imgsync.commands.doctor.clock import Probe, WrongDate, clock_offset
from imgsync.core.protocol.numbers import MAX_CLOCK_OFFSET, MAX_FEATURE
from imgsync.core.protocol.obstacles import Obstacle
from tests.both_languages.replay import SCRIPTS, Given, Replay

PAGES = SCRIPTS.parents[2] / "docs" / "pages.md"


def probes_of(rng: random.Random) -> list[dict[str, float]]:
    """Of a clock that is off by some seconds, and now and then set while it is asked."""
    offset = rng.choice([0, 0.4, 9.6, 10.3, -10.6, 86400]) + rng.random()
    at, probes = 1.7e9 + rng.random(), []
    for _ in range(rng.randrange(6)):
        took = rng.random() / 5
        told = int(at + offset + took * rng.random())
        probes.append({"sentAt": at, "told": told, "receivedAt": at + took})
        at += took + rng.random() / 4
        offset += rng.choice([0] * 20 + [3])
    return probes


def offset_by_the_doctor(probes: list[dict[str, float]]) -> object:
    asked = [
        Probe(one["sentAt"], formatdate(one["told"], usegmt=True), one["receivedAt"])
        for one in probes
    ]
    if not asked:
        return None
    try:
        offset = clock_offset(asked)
    except WrongDate:
        return None
    return [offset.low, offset.high, offset.distance > MAX_CLOCK_OFFSET]


def test_a_clock_is_off_for_the_page_where_it_is_off_for_the_doctor(replay: Replay) -> None:
    rng = random.Random(18)
    inputs: list[Given] = [probes_of(rng) for _ in range(400)]
    expected = [offset_by_the_doctor(probes) for probes in inputs]
    kinds = {
        None if one is None else one[2] for one in expected if one is None or isinstance(one, list)
    }
    assert kinds == {None, True, False}
    replay.compare("clock_offsets", inputs, expected, "clocks")


def judge(replay: Replay, what: str, *facts: object) -> list[list[str]]:
    """The word and the level of each finding."""
    [found] = replay.run("check", [[what, *facts]])
    return [[one["word"], one["level"]] for one in found]


def test_of_two_ways_one_is_enough_and_without_any_there_is_no_session(replay: Replay) -> None:
    def ways(direct: object, relayed: object, turns: int = 1, **more: object) -> list[list[str]]:
        facts = {"hasStun": True, "isSeen": True, "causes": [], **more}
        facts |= {"direct": direct, "relayed": relayed, "turns": turns}
        return judge(replay, "Ways", facts)

    fast, slow = {"trip": 30, "rate": 20}, {"trip": 30, "rate": 0.5}
    far = {"trip": 500, "rate": 20}
    refused = "TURN server refused the credentials (401)"
    silent = "TURN server did not answer"
    ok = ["direct_ok", "ok"]
    assert ways(fast, fast) == [ok, ["turn_ok", "ok"]]
    assert ways(fast, slow) == [ok, ["turn_slow", "careful"]]
    assert ways(fast, far) == [ok, ["turn_slow", "careful"]]
    assert ways(fast, None, turns=0) == [ok, ["turn_none", "skipped"]]
    assert ways(fast, None, causes=[silent, refused]) == [ok, ["turn_refused", "careful"]]
    assert ways(fast, None, causes=[silent]) == [ok, ["turn_silent", "careful"]]
    assert ways(None, fast) == [["direct_failed", "careful"], ["turn_ok", "ok"]]
    assert ways(None, None) == [["direct_failed", "wrong"], ["turn_failed", "wrong"]]
    assert ways(None, None, turns=0) == [["direct_failed", "wrong"], ["turn_none", "skipped"]]
    assert ways(fast, fast, isSeen=False) == [ok, ["turn_ok", "ok"]]
    inside = ["direct_no_way_out", "careful"]
    assert ways(fast, None, turns=0, isSeen=False) == [inside, ["turn_none", "skipped"]]
    assert ways(fast, None, turns=0, hasStun=False, isSeen=False)[0] == ok


def test_a_browser_is_judged_by_its_version(replay: Replay) -> None:
    def level(browser: str | None, *, is_able: bool = True) -> list[str]:
        [found] = judge(replay, "Browser", browser, is_able)
        return found

    assert level("Firefox 97") == level("Safari 15.4") == level("Safari 16") == ["browser_ok", "ok"]
    for old in ("Firefox 96", "Chrome 99", "Safari 15.3", "Samsung Internet 18", "Opera 85"):
        assert level(old) == ["browser_old", "careful"]
    assert level("Lynx 9") == level(None) == ["browser_unknown", "careful"]
    assert level("Chrome 156", is_able=False) == ["browser_without_webrtc", "wrong"]


def test_the_link_and_the_way_to_the_server(replay: Replay) -> None:
    assert judge(replay, "Link", "ada", "registered") == [["link_ok", "ok"]]
    assert judge(replay, "Link", "ada", "refused") == [["link_refused", "wrong"]]
    assert judge(replay, "Link", "", "registered") == [["link_incomplete", "wrong"]]
    assert judge(replay, "Reach", "server", None, 12.3) == [["server_ok", "ok"]]
    assert judge(replay, "Reach", "socket", "upgrade", 0) == [["socket_upgrade", "wrong"]]


def test_the_device_itself(replay: Replay) -> None:
    off = {"low": 11, "high": 12}
    assert judge(replay, "Clock", off, False) == [["clock_off", "careful"]]
    assert judge(replay, "Clock", {"low": -9.9, "high": 10.1}, True) == [["clock_ok", "ok"]]
    assert judge(replay, "Clock", None, False) == [["clock_coarse", "careful"]]
    assert judge(replay, "Screen", 30, 1.5) == [["screen_slow", "careful"]]
    assert judge(replay, "Screen", 60, 1.5) == [["screen_zoomed", "careful"]]
    assert judge(replay, "Screen", 60, None) == [["screen_ok", "ok"]]
    assert judge(replay, "Screen", None, None) == [["screen_unknown", "careful"]]
    assert judge(replay, "Storage", False, None, False) == [["storage_none", "careful"]]
    assert judge(replay, "Storage", True, 2e8, True) == [["storage_little", "careful"]]
    assert judge(replay, "Storage", True, 2e8, False) == [["storage_ok", "ok"]]
    assert judge(replay, "Storage", True, None, True) == [["storage_ok", "ok"]]
    assert judge(replay, "Filling", False) == [["filling_none", "skipped"]]
    assert judge(replay, "Waking", False) == [["waking_missing", "careful"]]
    assert judge(replay, "Device", "camera", "denied") == [["camera_denied", "careful"]]
    assert judge(replay, "Device", "microphone", "ok") == [["microphone_ok", "ok"]]


def test_the_sum_has_what_is_wrong_first_each_with_its_code(replay: Replay) -> None:
    levels = {"clock_off": "careful", "browser_ok": "ok", "turn_none": "skipped"}
    levels |= {"link_refused": "wrong", "camera_missing": "careful"}
    findings = [{"word": word, "level": level} for word, level in levels.items()]
    [found, without_wrong, well] = replay.run(
        "check_sums", [findings, [findings[0], findings[1]], findings[1:3]]
    )
    assert found == {
        "level": "wrong",
        "found": ["link_refused", "clock_off", "camera_missing"],
        "codes": ["L2", "C1", "K1"],
    }
    assert without_wrong == {"level": "careful", "found": ["clock_off"], "codes": ["C1"]}
    assert well == {"level": "ok", "found": [], "codes": []}


def test_each_word_has_a_code_of_its_own_and_fits_on_the_wire(replay: Replay) -> None:
    [codes] = replay.run("check_codes", [None])
    assert len(set(codes.values())) == len(codes) > 60
    assert all(len(word) <= MAX_FEATURE for word in codes)
    assert {f"server_{obstacle.value}" for obstacle in Obstacle} <= codes.keys()
    # Letters and places are read out, and looked up in tables that were printed: none may move.
    assert codes["server_other"] == "S19"
    assert codes["turn_slow"] == "T4"
    assert codes["microphone_silent"] == "H9"


def test_each_code_stands_in_the_docs(replay: Replay) -> None:
    [codes] = replay.run("check_codes", [None])
    rows = re.findall(
        r"^\| (`[^…|]*`) \| (`[^|]*`) \|", PAGES.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {
        word: code
        for names, words in rows
        for code, word in zip(
            re.findall("`(.*?)`", names), re.findall("`(.*?)`", words), strict=True
        )
    }
    one_by_one = {w: code for w, code in codes.items() if code[0] not in "SW" or code == "W20"}
    assert {word: told.get(word) for word in one_by_one} == one_by_one
    obstacles = re.search(r"to the relay: (`.*?), in this order", PAGES.read_text(encoding="utf-8"))
    assert obstacles is not None
    named = re.findall("`(.*?)`", obstacles[1])
    assert [codes[f"server_{name}"] for name in named] == [f"S{n + 1}" for n in range(len(named))]
    assert [codes[f"socket_{name}"] for name in named] == [f"W{n + 1}" for n in range(len(named))]
    assert len(named) == len(Obstacle)


def test_the_oldest_browsers_are_those_of_the_docs(replay: Replay) -> None:
    [oldest] = replay.run("check_oldest", [None])
    table = PAGES.read_text(encoding="utf-8").partition("## Browsers")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| (.+?) \| ([\d.]+) \|", table, re.MULTILINE))
    known = {name: version for names, version in rows.items() for name in names.split(", ")}
    del known["iOS"]
    # Opera is built on Chromium, with numbers of its own.
    del oldest["Opera"]
    assert {name: f"{version:g}" for name, version in oldest.items()} == known
