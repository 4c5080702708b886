"""The handshake decides the same in both languages."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from imgsync.core.codec.codec import encode_signal
from imgsync.core.handshake import outputs as o
from imgsync.core.handshake.handshake import Handshake
from imgsync.core.handshake.patience import pause_after
from imgsync.core.protocol.numbers import (
    ABSENCE_DEADLINE,
    FIRST_BACKOFF,
    MAX_ASKED,
    MAX_BACKOFF,
    MAX_CANDIDATES,
    MAX_SDP,
    REPAIR_DEADLINE,
)
from imgsync.core.protocol.signalling import (
    Answer,
    CandidateSignal,
    EndReason,
    Offer,
    RequestOffer,
)
from tests.both_languages.replay import Given, Replay, dice_of
from tests.kit.handshakes import REQUEST, answer, candidate, line, offer, sdp

RUNS = 400
INPUTS = 40


def tell(outputs: list[o.Output]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case o.MakeOffer(attempt):
                told.append(["makeOffer", attempt])
            case o.MakeAnswer(attempt, description):
                told.append(["makeAnswer", attempt, description.sdp])
            case o.ApplyAnswer(attempt, description):
                told.append(["applyAnswer", attempt, description.sdp])
            case o.AddCandidate(attempt, found):
                told.append(["addCandidate", attempt, found and int(found.line.split()[5])])
            case o.Say(CandidateSignal(line, mid, index, ufrag)):
                told.append(["say", "candidate", line, mid, index, ufrag])
            case o.Say(Offer(text) | Answer(text) as signal):
                told.append(["say", signal.TYPE, text])
            case o.Say(RequestOffer() as signal):
                told.append(["say", signal.TYPE, None])
            case o.SetDeadline(attempt, seconds):
                told.append(["timer", "timedOut", attempt, seconds, 0])
            case o.SetAnswerDeadline(attempt, seconds):
                told.append(["timer", "unanswered", attempt, seconds, 0])
            case o.SetRetry(pause, failures):
                told.append(["timer", "retryDue", pause, None, failures])
            case o.SetAbsence(interruption):
                told.append(["timer", "absenceDue", interruption, ABSENCE_DEADLINE, 0])
            case o.SetGiveUp(interruption):
                told.append(["timer", "gaveUp", interruption, REPAIR_DEADLINE, 0])
            case o.TakeUp():
                told.append(["takeUp"])
            case o.Discard(attempt):
                told.append(["discard", attempt])
            case o.Connected():
                told.append(["connected"])
            case o.Interrupted(reason, detail):
                told.append(["interrupted", reason.value, detail])
            case o.Ended(reason, detail):
                is_parsers = reason is EndReason.NEGOTIATION_FAILED
                told.append(["ended", reason.value, "" if is_parsers else detail])
            case o.Note():
                pass  # for the log
    return told


UNREADABLE = ["0", '"text"', "[]", "{}", '{"type":"offer"}', '{"type":"answer","sdp":7}']


class Script:
    """Chooses one input after the other, most often one that concerns the current attempt."""

    def __init__(self, dice: random.Random, core: Handshake, *, offers: bool) -> None:
        self._dice = dice
        self._kind = "offer" if offers else "answer"
        self._core = core
        self._mid = dice.choice(["0", "1"])
        #: The inputs that timers have called for, the last ones.
        self._timers: list[list[Any]] = []

    def hear(self, told: list[list[object]]) -> None:
        """What came of the last input."""
        self._timers += [[*output[1:3]] for output in told if output[0] == "timer"]
        self._timers = self._timers[-4:]

    def choose(self) -> list[Any]:
        dice, core = self._dice, self._core
        if self._timers and dice.random() < 0.2:
            return self._timers.pop(dice.randrange(len(self._timers)))
        attempt = core.attempt if dice.random() < 0.9 else dice.randrange(5)
        ufrag = dice.choice("abcdef") * 4
        mid = self._mid if dice.random() < 0.8 else "9"
        found = dice.choice([line(9), line(10), None])
        port = dice.choice([None, 5, 6])
        ours = sdp(self._kind, "ours", mid=self._mid)
        why = dice.choice(["connection_lost", "negotiation_failed", "ended"])
        # Most often one that an open channel, or a repair, outlives.
        over = dice.choice([*EndReason, *[EndReason.PEER_GONE, EndReason.RELAY_SHUTDOWN] * 6])
        own = {"candidate": found, "sdpMid": self._mid, "sdpMLineIndex": 0}
        own["usernameFragment"] = "ours"
        return dice.choice(
            [
                *[["receive", offer(ufrag)], ["receive", answer(ufrag, mid=mid)]] * 3,
                *[["receive", candidate(port, dice.choice([None, ufrag]))]] * 2,
                ["receive", REQUEST],
                ["receive", json.dumps({"type": "nonsense"})],
                ["receive", dice.choice(UNREADABLE)],
                *[["described", attempt, ours], ["opened", attempt]] * 3,
                *[["gathered", attempt, own]] * 2,
                ["lost", attempt, why, "x"],
                *[["left", attempt]] * 2,
                ["timedOut", attempt],
                ["unanswered", attempt],
                ["retryDue", dice.randrange(4)],
                ["absenceDue", dice.randrange(3)],
                ["gaveUp", dice.randrange(3)],
                ["sessionEnded", over.value],
                *(["signallingLost"], ["signallingBack"], ["peerAway"], ["peerBack"]) * 2,
            ]
        )


METHODS = {
    "timedOut": "timed_out",
    "retryDue": "retry_due",
    "absenceDue": "absence_due",
    "gaveUp": "gave_up",
    "signallingLost": "signalling_lost",
    "signallingBack": "signalling_back",
    "peerAway": "peer_away",
    "peerBack": "peer_back",
}


def give(core: Handshake, method: str, *given: Any) -> list[o.Output]:
    """An input in the form of the wire, to the Python core."""
    match method, given:
        case "start", [resumed, is_disputed]:
            return core.start(resumed=resumed, is_disputed=is_disputed)
        case "lost", [attempt, reason, detail]:
            return core.lost(attempt, EndReason(reason), detail)
        case "sessionEnded", [reason]:
            return core.session_ended(EndReason(reason))
        case "gathered", [attempt, own]:
            return core.gathered(attempt, own["candidate"])
    outputs: list[o.Output] = getattr(core, METHODS.get(method, method))(*given)
    return outputs


def play(core: Handshake, inputs: Iterable[Given]) -> list[object]:
    """What the Python core makes of these, one after the other."""
    return [step(core, given) for given in inputs]


def step(core: Handshake, given: Given) -> list[object]:
    told = tell(give(core, *given))
    return [told, core.phase.name.lower(), core.attempt, core.is_ours]


def test_whatever_happens_both_languages_do_the_same(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("handshake", RUNS):
        offers = run % 2 == 0
        core = Handshake(offers=offers)
        script = Script(dice, core, offers=offers)
        inputs: list[Given] = [["start", run % 4 > 1, run % 8 > 3]]
        expected: list[Any] = []
        while len(expected) < INPUTS:
            expected.append(step(core, inputs[-1]))
            script.hear(expected[-1][0])
            seen |= {output[0] for output in expected[-1][0]}
            inputs.append(script.choose())
        replay.compare("handshake", inputs[:-1], expected, run, offers=offers)
    # Each kind of output was led to, or the comparison is of nothing.
    assert seen == {
        *("makeOffer", "makeAnswer", "applyAnswer", "addCandidate", "say", "timer", "takeUp"),
        *("discard", "connected", "interrupted", "ended"),
    }


def padded(kind: str, ufrag: str, length: int) -> str:
    """A description of so many characters."""
    text = sdp(kind, ufrag)
    attribute = "a=x-padding:"
    return text + attribute + "x" * (length - len(text) - len(attribute) - 2) + "\r\n"


START: Given = ["start", False, False]
OURS = sdp("answer", "ours")
GROWN = [["receive", offer(chr(97 + n) * 4)] for n in range(MAX_ASKED + 1)]
BUSY = [["receive", candidate(n + 1)] for n in range(MAX_CANDIDATES + 1)]
OPEN = [START, ["receive", offer("aaaa")], ["described", 1, OURS], ["opened", 1]]

SCRIPTS: dict[str, tuple[bool, list[Given]]] = {
    "too many candidates before an offer": (False, [START, *BUSY]),
    "too many candidates of one attempt": (False, [START, ["receive", offer("aaaa")], *BUSY]),
    "candidates count for their attempt": (
        False,
        [START, ["receive", offer("aaaa")], *BUSY[:-1], ["receive", offer("bbbb")], *BUSY[:-1]],
    ),
    "too many offers": (False, [START, *GROWN]),
    "too many requests": (True, [START, *[["receive", REQUEST]] * (MAX_ASKED + 1)]),
    "offers count anew after a connection": (
        False,
        [START, *GROWN[:-1], ["described", MAX_ASKED, OURS], ["opened", MAX_ASKED], *GROWN[-1:]],
    ),
    "requests count anew after a repair of ours": (
        True,
        [
            *(START, ["described", 1, sdp("offer", "ours")], ["receive", answer("aaaa")]),
            *(["opened", 1], *[["receive", REQUEST]] * MAX_ASKED),
            *(["timedOut", MAX_ASKED + 1], ["retryDue", 2], ["retryDue", 3], ["receive", REQUEST]),
        ],
    ),
    "an absence is in doubt no more": (
        False,
        [*OPEN, ["left", 1], ["peerAway"], ["peerBack"], ["absenceDue", 1]],
    ),
    "an absence that another attempt has settled": (
        False,
        [*OPEN, ["left", 1], ["receive", offer("bbbb")], ["timedOut", 2], ["absenceDue", 1]],
    ),
    "the claim of who has it": (
        False,
        [*OPEN, ["signallingLost"], ["lost", 1, "connection_lost", ""], ["signallingBack"]],
    ),
    "the last answer that is waited for": (
        True,
        [
            *(START, ["described", 1, sdp("offer", "ours")], ["timedOut", 1]),
            *(["described", 2, sdp("offer", "ours")], ["unanswered", 2]),
            *(["described", 3, sdp("offer", "ours")], ["unanswered", 3], ["timedOut", 3]),
        ],
    ),
    "a dispute that time decides": (
        False,
        [
            *(["start", True, True], ["receive", offer("aaaa")], ["unanswered", 1]),
            *(["receive", offer("bbbb")], ["unanswered", 0], ["receive", offer("cccc")]),
        ],
    ),
    **{
        f"an offer of {length} characters": (
            False,
            [START, ["receive", encode_signal(Offer(padded("offer", "aaaa", length)))]],
        )
        for length in (MAX_SDP, MAX_SDP + 1)
    },
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_at_a_limit_both_languages_do_the_same(replay: Replay, name: str) -> None:
    offers, inputs = SCRIPTS[name]
    expected = play(Handshake(offers=offers), inputs)
    replay.compare("handshake", inputs, expected, name, offers=offers)


def test_the_pause_after_failures_is_as_long(replay: Replay) -> None:
    inputs = [(failures, chance / 8) for failures in range(14) for chance in range(9)]
    expected = [pause_after(failures, chance) for failures, chance in inputs]
    assert replay.run("pauses", inputs) == expected
    assert (min(expected), max(expected)) == (FIRST_BACKOFF / 2, MAX_BACKOFF)
