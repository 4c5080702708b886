"""Events as the evaluator's console writes them, by the dice: all that can happen, and some that
can't."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import attrs

Line = dict[str, Any]

START = 1_800_000_000_000.0

URLS = (
    "https://images.example.org/block-1/{}.png",
    "=https://images.example.org/{}.png",
    "@images/{}.png",
    'https://images.example.org/a,b/"{}".png',
    "https://images.example.org/\u00e4/{}.png",
    "-{}",
    "https://user:password@images.example.org/{}.png?signature=1",
)
REASONS = ("http_403", "superseded", "hidden_tab", "=1+1", 'a "b", c', "", None)

DETAILS: tuple[dict[str, Any], ...] = (
    {},
    {"detail": None},
    {"detail": ""},
    {"detail": "its URL was good until 2026-11-28 14:00:00 UTC"},
    {"detail": '=HYPERLINK("x"), a "b"'},
    {"detail": "\U0001f600" * 200},
)

#: What a manifest says of an image beside its URLs.
EXTRAS: tuple[dict[str, Any], ...] = (
    {},
    {"extra": None},
    {"extra": {}},
    {"extra": {"condition": "A", "block": 1}},
    {"extra": {"block": 2, "condition": "", "note": None, "is practice": True}},
    {"extra": {"note": 'a "b", c\nd \u00e4\U0001f600\u2028\x7f', "=1+1": "=1+1", "@": "@x"}},
    {"extra": {"contrast": "-0.5", "tel": "+49 30", "x": "-1e3", "y": "-1-1", "z": "-.5"}},
    {"extra": {"contrast": -0.5, "ImageIndex": 7, "sentAt": "noon", "manifest.sentAt": 0}},
    {"extra": {"small": [1e-5, 1e-7, -1.5e-9, 0.1, 1e-6], "whole": 1.0, "zero": -0.0}},
    {"extra": {"large": 2**53, "nested": {"b": [1, {"a": None}], "2": False, "1": "\x1f"}}},
    {"extra": {"__proto__": 1, "constructor": {"toString": 2}, "7": "seven", " ": "blank"}},
)

#: What may be said of which picture it was.
PICTURES: tuple[dict[str, Any], ...] = (
    {"contentType": "image/png", "bytes": 48_213, "width": 800, "height": 600},
    {"contentType": "image/svg+xml", "bytes": 311, "width": None, "height": None},
    {"contentType": '=1+1,"x"', "bytes": 0, "width": 0, "height": 2**31},
    {"contentType": "image/avif", "bytes": 67_108_864, "width": 1, "height": None},
)

#: What may be known of an onset.
ONSETS: tuple[dict[str, Any], ...] = (
    {},
    {"timing": None, "within": None},
    {"timing": "presented", "within": 0},
    {"timing": "frame", "within": 41.25},
    {"within": 7},
    {"drawn": {"widthPx": 378.5, "heightPx": 200, "widthMm": 100, "heightMm": 52.8125}},
    {"timing": "frame", "drawn": {"widthPx": 378.5, "heightPx": 200, "fitted": "not_calibrated"}},
)

#: What is asked of a client beside showing an image.
TRIALS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"trial": None},
    {"trial": {}},
    {"trial": {"showFor": 500}},
    {"trial": {"frames": 30, "respond": {"keys": ["f", "j"], "ends": True}}},
    {"trial": {"showFor": 16.6875, "respond": {"keys": None, "taps": True}, "text": None}},
    {"trial": {"text": 'Press \U0001f600\n"Space"'}},
    {"trial": {"text": "?", "respond": {}}},
    *({"trial": size} for size in ({"sizeMm": 100.5}, {"sizeDeg": 8}, {"scale": "1:1"})),
)

#: How long an image that is hidden was up.
EXPOSURES: tuple[dict[str, Any], ...] = (
    {},
    {"frames": 30, "dropped": 0},
    {"frames": 12, "dropped": 2},
    {"frames": 7, "dropped": None},
)

#: How a participant may answer.
ANSWERS: tuple[dict[str, Any], ...] = (
    {"kind": "key", "value": "f", "reactionTime": 412.0625, "within": 8.3125},
    {"kind": "key", "value": "Space", "reactionTime": -3},
    {"kind": "tap", "value": "picture", "reactionTime": 1e-5, "within": 0, "x": 12.5, "y": -0.0},
    {"kind": "tap", "value": "beside", "reactionTime": None, "x": None},
    {"kind": "button", "value": '=1+1, "x"'},
    {"kind": "button", "value": ""},
    {"kind": "too_many", "value": ""},
)

#: What an evaluator may note.
MARKS: tuple[dict[str, Any], ...] = (
    {"score": 4, "text": None},
    {"score": -0.5, "text": "unsure"},
    {"score": None, "text": '=1+1; "a",\nb'},
    {"score": None, "text": "\u00e4\U0001f600"},
    {"score": 1e-7, "text": ""},
    {"score": None, "text": None},
)

#: What a client shows images on.
DISPLAYS: tuple[dict[str, Any], ...] = (
    {},
    {"screenWidth": 1920, "screenHeight": 1080, "refreshRate": 59.94, "languages": ["de", "en"]},
    {"pixelRatio": 1.5, "zoom": 1.1, "isolated": True, "resolution": 0.005, "languages": None},
    {
        "windowWidth": 0,
        "windowHeight": 7,
        "browser": "Chromium 156",
        "system": "",
        "keyboard": False,
    },
    {"pointer": "coarse", "checkedAt": 5.5, "checkFound": ["clock_off", "turn_silent"]},
    {"checkedAt": 7},
    {"pxPerMm": 3.7795, "calibratedBy": "card"},
    {"distanceMm": 572.5, "distanceBy": "blind_spot", "distanceWithinMm": 11.25},
)

#: What a client says that no line of a record can tell, and what can be told just so.
ODD: tuple[dict[str, Any], ...] = (
    {"event": "stage", "stage": "melted"},
    {"event": "stage", "stage": "failed", "reason": "r" * 129},
    {"event": "stage", "stage": "failed", "reason": "\U0001f600" * 128},
    {"event": "stage", "stage": "failed", "reason": 403},
    {"event": "stage", "stage": "shown", "stageAt": 1e300},
    {"event": "stage", "stage": "shown", "stageAt": -0.0},
    {"event": "stage", "stage": "shown", "timing": "melted"},
    {"event": "stage", "stage": "shown", "within": -1},
    {"event": "stage", "stage": "shown", "within": "4"},
    {"event": "stage", "stage": "failed", "detail": "d" * 201},
    {"event": "stage", "stage": "failed", "detail": "two\nlines"},
    {"event": "stage", "stage": "failed", "detail": 5},
    {"event": "acked", "receivedAt": 2.0**53 + 2},
    {"event": "acked", "receivedAt": -0.0},
    {"event": "acked", "latency": "long"},
    {"event": "sent", "imageUrl": "https://images.example.org/\u00a0.png"},
    {"event": "superseded", "sentAt": None},
    {"event": "sent", "extra": ["condition"]},
    {"event": "sent", "extra": {"id": 2**53 + 2}},
    {"event": "sent", "extra": {"deep": [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}},
    {"event": "sent", "extra": {"deep": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}},
    {"event": "sent", "extra": {"half": "\ud800"}},
    {"event": "sent", "extra": {"\udfff": 1}},
    {"event": "picture", "sha256": "5" * 63},
    {"event": "picture", "sha256": "A" * 64},
    {"event": "picture", "sha256": "5" * 64 + "\n"},
    {"event": "picture", "bytes": -1},
    {"event": "picture", "bytes": 0.5},
    {"event": "picture", "width": "800"},
    {"event": "picture", "height": 2.0**53 + 2},
    {"event": "picture", "contentType": "t" * 129},
    {"event": "picture", "contentType": ""},
    {"event": "picture", "contentType": None},
    {"event": "picture", "width": 7.0, "height": -0.0},
    {"event": "ping"},
    {"event": "sent", "trial": {"showFor": 500, "frames": 30}},
    {"event": "sent", "trial": {"showFor": 0}},
    {"event": "sent", "trial": {"frames": 0.5}},
    {"event": "sent", "trial": {"respond": {"keys": [""]}}},
    {"event": "sent", "trial": {"text": ""}},
    {"event": "sent", "trial": "500 ms"},
    {"event": "sent", "trial": {"sizeMm": 5, "sizeDeg": 5}},
    {"event": "sent", "trial": {"scale": "2:1"}},
    {"event": "stage", "stage": "shown", "drawn": {"widthPx": 0, "heightPx": 5}},
    {"event": "stage", "stage": "shown", "drawn": {"widthPx": 5}},
    {"event": "display", "pxPerMm": 0},
    {"event": "display", "calibratedBy": "two\nlines"},
    {"event": "stage", "stage": "hidden", "frames": -1},
    {"event": "stage", "stage": "hidden", "dropped": 0.5},
    {"event": "response", "kind": "shout"},
    {"event": "response", "number": 0},
    {"event": "response", "value": "v" * 129},
    {"event": "response", "value": "two\nlines"},
    {"event": "response", "within": -1},
    {"event": "response", "x": "12"},
    {"event": "mark", "score": "4"},
    {"event": "mark", "text": 4},
    {"event": "mark", "imageIndex": 0.5},
    {"event": "display", "pixelRatio": 0},
    {"event": "display", "pointer": "sharp"},
    {"event": "study", "order": "random"},
    {"event": "study", "seed": 0.5},
)


@attrs.define
class EvaluatorSide:
    """What happens in one tab. The client's clock is ahead, drifts, and is set now and then."""

    dice: Random
    now: float = START
    ahead: float = 0.0
    session: str = "s-0"
    #: Of each session: (sent_at, index, url).
    shown: dict[str, list[tuple[float, int, str]]] = attrs.Factory(dict)
    lines: list[Line] = attrs.Factory(list)
    #: Parts of a millisecond that the clocks tell, evaluator's and client's; 0 for any.
    grains: tuple[float, float] = (0.0, 0.0)

    def run(self, steps: int) -> list[Line]:
        """So many things that happen, one after the other."""
        self.now += self.dice.choice([0, -START, -3e12, 1e12, self.dice.uniform(0, 1e6)])
        self.ahead = self.dice.choice([0.0, 250.0, self.dice.uniform(-1e8, 1e8)])
        grains = [0, 1, 1, 8, 16, 1000]
        self.grains = self.dice.choice(grains), self.dice.choice(grains)
        if self.dice.random() < 0.95:  # else, the storage was full when the page wrote it
            self.reload()
        self.begin()
        kinds = (self.probe, self.show, self.stage, self.step, self.reload, self.begin, self.odd)
        others = (self.record, self.identify, self.answer, self.mark, self.describe)
        weights = (12, 12, 16, 1, 0.7, 0.4, 0.9, 2, 3, 6, 3, 0.7)
        for _ in range(steps):
            self.now += self.dice.choice([0, 1, self.dice.uniform(0, 5000)])
            [happens] = self.dice.choices([*kinds, *others], weights)
            happens()
        return self.lines

    # ── times ────────────────────────────────────────────────────────────────────────────────────

    def ours(self, at: float) -> float:
        return self._told(at, self.grains[0])

    def theirs(self, at: float) -> float:
        drift = 1e-4 * (at - START) if abs(at - START) < 1e8 else 0.0
        return self._told(at + self.ahead + drift, self.grains[1])

    @staticmethod
    def _told(at: float, grain: float) -> float:
        return round(at * grain) / grain if grain else at

    def way(self) -> float:
        return self.dice.choice([0, 0.25, self.dice.expovariate(1 / 20), self.dice.uniform(0, 400)])

    # ── what happens ─────────────────────────────────────────────────────────────────────────────

    def write(self, event: str, **fields: object) -> None:
        jitter = self.dice.choice([0, 0, 0, -3, 40])
        self.lines.append({"event": event, "at": self.ours(self.now + jitter), **fields})

    def reload(self) -> None:
        """Another page; its clock, or the client's, may be another one."""
        versions = {"version": "console", "python": "", "system": "Mozilla/5.0", "libraries": {}}
        clocks = {"wallClock": self.now, "monotonicClock": 12.5 + len(self.lines)}
        who = {"schema": 1, "role": "evaluator", "userId": "dr-lee"}
        self.ahead += self.dice.choice([0, 0, self.dice.uniform(-50, 50)])
        self.write("header", **who, **versions, **clocks)
        if self.shown and self.dice.random() < 0.7:
            self.write("session", sessionId=self.session, peerId="ann", resumed=True)

    def begin(self) -> None:
        """Another session, which may be one from before that comes late."""
        self.session = f"s-{self.dice.randrange(4)}"
        self.write("session", sessionId=self.session, peerId="ann", resumed=False)
        for state, reason in (("connected", None), ("interrupted", "connection_lost")):
            self.write("state", sessionId=self.session, state=state, reason=reason, detail="a, b")

    def record(self) -> None:
        """The participant is recorded in another way."""
        devices = self.dice.choice([[], ["camera"], ["camera", "microphone"], ["microphone"]])
        troubles = self.dice.choice([[], ["camera_ended"], ["upload_http_403", "camera_muted"]])
        since = self.theirs(self.now - self.dice.choice([0, 5, 900]))
        said = {"devices": devices, "troubles": troubles, "since": since}
        self.write("recording", sessionId=self.session, **said)

    def step(self) -> None:
        """A clock is set, by a little or by much; that may be noticed."""
        by = self.dice.choice([self.dice.uniform(-300, 300), 3_600_000, -5_000])
        self.ahead += by
        if self.dice.random() < 0.5:
            whose = self.dice.choice(["ours", "theirs"])
            session = self.dice.choice([self.session, None])
            self.write("clock_step", sessionId=session, by=by, whose=whose)

    def probe(self) -> None:
        asked, there, stay, back = self.now, self.way(), self.dice.choice([0, 0.5]), self.way()
        t1, t2 = self.theirs(asked + there), self.theirs(asked + there + stay)
        t3 = self.ours(asked + there + stay + back)
        if self.dice.random() < 0.05:  # one that can't be true
            t2 -= self.dice.choice([0.5, 2000])
            t3 -= self.dice.choice([0, 3, 5000])
        self.write("probe", sessionId=self.session, t0=self.ours(asked), t1=t1, t2=t2, t3=t3)

    def show(self) -> None:
        index, sent_at = self.dice.randrange(12), self.ours(self.now)
        url = self.dice.choice(URLS).format(index)
        of = {"sessionId": self.session, "imageIndex": index, "sentAt": sent_at}
        self.shown.setdefault(self.session, []).append((sent_at, index, url))
        self.write("show", **of, clientId="ann", imageUrl=url)
        fate = self.dice.random()
        if fate < 0.9:
            for copy in range(1, self.dice.choice([2, 2, 3])):
                extra = self.dice.choice(EXTRAS) if copy == 1 else {}
                trial = self.dice.choice(TRIALS) if copy == 1 else {}
                self.write("sent", **of, imageUrl=url, copy=copy, **extra, **trial)
        if fate < 0.75:
            for _ in range(self.dice.choice([1, 1, 1, 2])):
                self._ack(sent_at, of)
        elif self.dice.random() < 0.8:
            self.write("superseded", **of)

    def _ack(self, sent_at: float, of: dict[str, Any]) -> None:
        arrived = self.now + self.way()
        acked_at = self.ours(arrived + self.way())
        trip = {"roundTrip": acked_at - sent_at, "latency": None, "bound": None}
        self.write("acked", **of, receivedAt=self.theirs(arrived), ackedAt=acked_at, **trip)

    def stage(self) -> None:
        """Some stage of some image of the session, at about any time, and told once more or not."""
        if not self.shown.get(self.session):
            return
        sent_at, index, _ = self.dice.choice(self.shown[self.session][-6:])
        stage = self.dice.choice(["fetched", "shown", "hidden", "failed"])
        about = self.dice.choice([sent_at, self.now]) + self.dice.choice([0, -20, 100, 700])
        for _ in range(self.dice.choice([1, 1, 2])):
            said = {"stage": stage, "stageAt": self.theirs(about)}
            reason = None
            if stage == "failed":
                reason = self.dice.choice(REASONS)
            elif stage == "hidden":
                reason = self.dice.choice([None, None, "hidden_tab", "resized", ""])
            of = {"sessionId": self.session, "imageIndex": index, "sentAt": sent_at}
            onset = self.dice.choice(ONSETS) if stage == "shown" else {}
            more = self.dice.choice(DETAILS) if stage == "failed" else onset
            more |= self.dice.choice(EXPOSURES) if stage == "hidden" else {}
            self.write("stage", **of, **said, reason=reason, **more)
            about += self.dice.choice([-50, 0, 60])

    def identify(self) -> None:
        """It is told which picture some image of the session is, and perhaps another one later."""
        if not self.shown.get(self.session):
            return
        sent_at, index, _ = self.dice.choice(self.shown[self.session][-4:])
        of = {"sessionId": self.session, "imageIndex": index, "sentAt": sent_at}
        sha256 = f"{self.dice.choice([index, self.dice.getrandbits(256)]):064x}"
        self.write("picture", **of, sha256=sha256, **self.dice.choice(PICTURES))

    def answer(self) -> None:
        """The participant answers some image of the session; that may be told once more."""
        if not self.shown.get(self.session):
            return
        sent_at, index, _ = self.dice.choice(self.shown[self.session][-4:])
        of = {"sessionId": self.session, "imageIndex": index, "sentAt": sent_at}
        said = {"number": self.dice.randrange(1, 5), "responseAt": self.theirs(self.now)}
        for _ in range(self.dice.choice([1, 1, 2])):
            self.write("response", **of, **said, **self.dice.choice(ANSWERS))

    def mark(self) -> None:
        """The evaluator notes something, perhaps before the first image."""
        shown = self.shown.get(self.session, [])
        sent_at, index, _ = self.dice.choice(shown[-2:]) if shown else (None, None, "")
        of = {"sessionId": self.session, "imageIndex": index, "sentAt": sent_at}
        self.now += 1.5  # no two of them are at one time, or they would be one and the same line
        mark_at = self.ours(self.now - self.dice.choice([0, 0, 3000]))
        self.write("mark", **of, markAt=mark_at, **self.dice.choice(MARKS))

    def describe(self) -> None:
        """It is told what is shown, and on what."""
        since = self.theirs(self.now)
        self.write("display", sessionId=self.session, since=since, **self.dice.choice(DISPLAYS))
        order, seed = self.dice.choice([("given", None), ("shuffled", 2**32 - 1)])
        study = {"name": "a, b", "order": order, "seed": seed, "trials": 12}
        self.write("study", sessionId=self.session, **study)

    def odd(self) -> None:
        """A client says what it likes."""
        of = {"sessionId": self.session, "imageIndex": 3, "sentAt": self.ours(self.now)}
        stage = {"stage": "failed", "stageAt": self.theirs(self.now), "reason": None}
        acked = {"receivedAt": self.theirs(self.now), "ackedAt": self.ours(self.now)}
        picture = {"sha256": f"{3:064x}", **PICTURES[0]}
        rest = {"roundTrip": 0, "latency": None, "bound": None, "imageUrl": "u", "copy": 1}
        answer = {"number": 9, "responseAt": self.theirs(self.now), "kind": "key", "value": "f"}
        mark = {"markAt": self.ours(self.now), "score": None, "text": "odd"}
        whole = {"since": 0, "name": "odd", "order": "given", "seed": None, "trials": 0}
        said = {**of, **stage, **acked, **picture, **rest, **answer, **mark, **whole}
        self.write(**{**said, **self.dice.choice(ODD)})


def random_records(count: int, steps: int) -> Iterator[list[Line]]:
    """So many tabs."""
    for seed in range(count):
        yield EvaluatorSide(Random(seed)).run(Random(seed).randrange(steps))
