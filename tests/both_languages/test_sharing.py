"""Which pictures go over the connection is decided alike, and by one law in whatever order."""

from __future__ import annotations

import json
import random
from typing import Any

import attrs

from imgsync.core.channel.presenter import Presenter
from imgsync.core.protocol.channel import Image
from tests.both_languages.replay import Given, Replay, dice_of
from tests.both_languages.test_channel import give

RUNS = 100
INPUTS = 40

SPOKEN = [
    *([], ["preload"], ["pictures"], ["preload", "pictures"], ["stage", "pictures", "preload"]),
    *(["text"], ["preload", "text", "pictures"], ["text", "pictures"]),
]


def choose_source(dice: random.Random) -> dict[str, Any]:
    """An own picture with a URL or without, one that is a URL, or a text."""
    n = dice.randrange(4)
    url = f"http://h/{n}?sig={dice.randrange(3)}"
    return dice.choice(
        [
            {"imageUrl": f"images/0a/{n}", "signedUrl": url, "own": {}},
            {"imageUrl": f"images/0b/{n}", "signedUrl": None, "own": {}},
            {"imageUrl": f"http://h/{n}", "signedUrl": url},
            {"imageUrl": f"texts/0c/{n}", "signedUrl": None, "trial": {"text": "Look."}},
        ]
    )


def choose_input(dice: random.Random, now: float) -> Given:
    sources = [choose_source(dice) for _ in range(dice.randrange(5))]
    ready = json.dumps({"type": "ready", "features": dice.choice(SPOKEN)})
    return dice.choice(
        [
            ["opened", dice.choice(SPOKEN)],
            ["opened", dice.choice(SPOKEN)],
            ["received", ready],
            ["received", ready],
            ["closed"],
            ["show", dice.randrange(4), choose_source(dice), now],
            ["show", dice.randrange(4), choose_source(dice), now],
            ["preload", sources],
            ["renew", sources],
            ["drained"],
        ]
    )


@attrs.define
class Law:
    """What holds of all that goes out, whatever came before it."""

    #: What the client on this channel speaks, by what was said last; None without a channel.
    speaks: list[str] | None = None
    is_said: bool = False
    has_share: bool = False
    #: Of each showing, by its time, what it went out with.
    went: dict[float, list[str | None]] = attrs.field(factory=dict)
    sources: dict[float, dict[str, Any]] = attrs.field(factory=dict)
    told: set[str] = attrs.field(factory=set)

    def given(self, method: str, *given: Any) -> None:
        match method, given:
            case "opened", [features]:
                self.speaks, self.is_said, self.has_share = features, False, False
            case "received", [text] if self.speaks is not None:
                self.speaks, self.is_said = json.loads(text)["features"], True
            case "closed", _:
                self.speaks, self.is_said, self.has_share = None, False, False

    def came(self, kind: str, *rest: Any) -> None:
        assert self.speaks is not None or kind in ("superseded", "unsendable")
        self.told.add(kind)
        match kind, rest:
            case "share", _:
                assert not self.has_share
                assert "pictures" in (self.speaks or [])
                self.has_share = True
            case "unsendable", [sent_at, feature]:
                assert self.sources[sent_at]["signedUrl"] is None
                assert feature == ("text" if "trial" in self.sources[sent_at] else "pictures")
                assert self.is_said
                assert feature not in (self.speaks or [])
                self.told.add(feature)
            case "transmit", [{"type": "preload", "images": images}]:
                for image in images:
                    self._check(image["imageUrl"], image["signedUrl"])
            case "transmit", [{"text": _, "signedUrl": url}]:
                assert url is None
                assert "text" in (self.speaks or [])
                self.told.add("a text")
            case "transmit", [image]:
                self._check(image["imageUrl"], image["signedUrl"])
                sent_at, url = image["sentAt"], image["signedUrl"]
                went = self.went.setdefault(sent_at, [])
                went.append(url)
                # From null to a URL, and never back; one that is renewed differs in its signature.
                urls = [one for one in went if one is not None]
                assert went == [None] * (len(went) - len(urls)) + urls
                assert len({one.partition("?")[0] for one in urls}) <= 1
                if self.sources[sent_at].get("own") is None:
                    assert url is not None
                elif "pictures" in (self.speaks or []) and urls:
                    self.told.add("kept its URL")

    def _check(self, image_url: str, url: str | None) -> None:
        if url is None:
            assert self.has_share
            assert "pictures" in (self.speaks or [])
            assert image_url.startswith("images/")
        elif image_url.startswith("images/0b"):
            raise AssertionError("it has no URL")


def test_a_picture_is_never_sent_as_the_client_can_t_take_it_and_never_back(replay: Replay) -> None:
    told: set[str] = set()
    for run, dice in dice_of("sharing", RUNS):
        presenter, law = Presenter(), Law()
        shown: list[Image] = []
        inputs: list[Given] = []
        expected: list[object] = []
        now = 1000.0
        for _ in range(INPUTS):
            now += dice.choice([0, 1])
            inputs.append(choose_input(dice, now))
            law.given(*inputs[-1])
            outputs, is_seen = give(presenter, shown, *inputs[-1])
            if inputs[-1][0] == "show":
                law.sources[shown[-1].sent_at] = inputs[-1][2]
            for output in [] if outputs == "refused" else outputs:
                law.came(*output)
            expected.append([outputs, is_seen])
        replay.compare("presenter", inputs, expected, run)
        told |= law.told
    kinds = {"share", "unsendable", "transmit", "superseded"}
    assert told == kinds | {"text", "pictures", "a text", "kept its URL"}
