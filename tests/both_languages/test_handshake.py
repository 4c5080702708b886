"""The handshake decides the same in both languages."""

from __future__ import annotations

import json
import random
from typing import Any

from imgsync.core.handshake import outputs as o
from imgsync.core.handshake.handshake import Handshake
from imgsync.core.protocol.numbers import ABSENCE_DEADLINE, REPAIR_DEADLINE
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
INPUTS = 30


def tell(outputs: list[o.Output]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case o.MakeOffer(attempt):
                told.append(["makeOffer", attempt])
            case o.MakeAnswer(attempt, description):
                told.append(["makeAnswer", attempt, description.ufrag])
            case o.ApplyAnswer(attempt, description):
                told.append(["applyAnswer", attempt, description.ufrag])
            case o.AddCandidate(attempt, found):
                told.append(["addCandidate", attempt, found and int(found.line.split()[5])])
            case o.Say(CandidateSignal()):
                told.append(["say", "candidate"])
            case o.Say(Offer() | Answer() | RequestOffer() as signal):
                told.append(["say", signal.TYPE])
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
            case o.Interrupted(reason):
                told.append(["interrupted", reason.value])
            case o.Ended(reason):
                told.append(["ended", reason.value])
            case o.Note():
                pass  # for the log
    return told


UNREADABLE = ["0", '"text"', "[]", "{}", '{"type":"offer"}', '{"type":"answer","sdp":7}']


def choose_input(dice: random.Random, core: Handshake) -> list[Any]:
    """One input, most often one that concerns the current attempt."""
    attempt = core.attempt if dice.random() < 0.8 else dice.randrange(5)
    ufrag = dice.choice("abcdef") * 4
    mid = dice.choice(["0", "0", "1"])
    ours = sdp("answer", "ours", mid=mid)
    return dice.choice(
        [
            *[["receive", offer(ufrag)], ["receive", answer(ufrag, mid=mid)]] * 3,
            *[["receive", candidate(dice.choice([None, 5, 6]), dice.choice([None, ufrag]))]] * 2,
            ["receive", REQUEST],
            ["receive", json.dumps({"type": "nonsense"})],
            ["receive", dice.choice(UNREADABLE)],
            *[["described", attempt, ours], ["opened", attempt]] * 3,
            ["gathered", attempt, line(9)],
            ["lost", attempt, dice.choice(["connection_lost", "negotiation_failed", "ended"]), ""],
            ["left", attempt],
            ["timedOut", attempt],
            ["unanswered", attempt],
            *[["retryDue", number] for number in range(4)],
            ["absenceDue", dice.randrange(3)],
            ["gaveUp", dice.randrange(3)],
            ["sessionEnded", dice.choice([*EndReason]).value],
            *(["signallingLost"], ["signallingBack"], ["peerAway"], ["peerBack"]),
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
    outputs: list[o.Output] = getattr(core, METHODS.get(method, method))(*given)
    return outputs


def test_whatever_happens_both_languages_do_the_same(replay: Replay) -> None:
    seen: set[str] = set()
    for run, dice in dice_of("handshake", RUNS):
        offers = run % 2 == 0
        core = Handshake(offers=offers)
        inputs: list[Given] = [["start", run % 4 > 1, run % 8 > 3]]
        expected: list[object] = []
        while len(expected) < INPUTS:
            told = tell(give(core, *inputs[-1]))
            seen |= {str(output[0]) for output in told}
            expected.append([told, core.phase.name.lower(), core.attempt, core.is_ours])
            inputs.append(choose_input(dice, core))
        replay.compare("handshake", inputs[:-1], expected, run, offers=offers)
    # Each kind of output was led to, or the comparison is of nothing.
    assert seen == {
        *("makeOffer", "makeAnswer", "applyAnswer", "addCandidate", "say", "timer", "takeUp"),
        *("discard", "connected", "interrupted", "ended"),
    }
