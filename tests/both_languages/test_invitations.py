"""Both languages make the same link of an invitation; and who is news at the console."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from imgsync.core.protocol.invitation import make_link
from tests.both_languages.replay import Replay, dice_of

SIGNS = [
    *"abcXYZ019-._~ +&=#?%/\\'\"()!*;:@,$[]{}|^`<>",
    *("ä", "é", "é", "漢", "😀", "\u200f", "\u00a0", "\u0628"),
]

PAGES = ["https://h/client", "http://127.0.0.1:8765/client", "https://[2001:db8::1]/a%20b/client"]

LANGUAGES = [None, "de", "zh-Hant-TW"]

DEVICES: list[tuple[str, ...]] = [(), ("camera",), ("camera", "microphone")]


def test_links_are_the_same_and_say_what_they_were_made_of(replay: Replay) -> None:
    inputs, links = [], []
    for _, dice in dice_of("links", 300):
        page, language, devices = dice.choice(PAGES), dice.choice(LANGUAGES), dice.choice(DEVICES)
        user = "".join(dice.choices(SIGNS, k=dice.randint(1, 12)))
        token = dice.choice([None, "", "eyJ.eyJ-_.x", "a+b/c="])
        who = {"userId": user, "language": language, "devices": devices, "token": token}
        inputs.append([page, who])
        link = make_link(page, user, language=language, devices=devices, token=token)
        links.append(link)
        parts = urlsplit(link)
        said = {"user": [user]}
        said |= {"lang": [language]} if language else {}
        said |= {"record": [",".join(devices)]} if devices else {}
        assert parse_qs(parts.query) == said
        assert parse_qs(parts.fragment) == ({"token": [token]} if token else {})
        assert link.isascii()
    replay.compare("links", inputs, links, "links")


def test_who_comes_in_or_goes_on_from_the_door_is_news_once(replay: Replay) -> None:
    steps = [
        ({"ann": "available"}, 0, []),  # was there before
        ({"ann": "available", "bob": "waiting"}, 1000, ["bob"]),
        ({"ann": "busy", "bob": "waiting"}, 2000, []),
        ({"ann": "available", "bob": "available"}, 3000, ["bob"]),
        ({"bob": "available"}, 4000, []),
        ({"ann": "available", "bob": "available"}, 13_999, []),  # a reload
        ({"bob": "available"}, 20_000, []),
        ({"ann": "available", "bob": "available"}, 30_001, ["ann"]),  # has come again
        ({"bob": "available"}, 31_000, []),
        ({"bob": "busy"}, 50_000, []),
        ({"bob": "busy", "ann": "busy"}, 51_000, []),  # a session that goes on
        ({"ann": "available", "bob": "available", "eve": "available"}, 52_000, ["eve"]),
        ({"ann": "waiting", "bob": "available", "eve": "available"}, 53_000, []),
        ({"ann": "available", "bob": "available", "eve": "available"}, 54_000, ["ann"]),
    ]
    replay.compare("arrivals", [step[:2] for step in steps], [news for *_, news in steps], "who")
