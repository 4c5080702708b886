"""The handshake decides the same in both languages, whenever what happens comes."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any

import attrs
import pytest

from imgsync.core.codec.codec import encode_signal
from imgsync.core.handshake import inputs as i
from imgsync.core.handshake import outputs as o
from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.handshake import Handshake
from imgsync.core.handshake.patience import pause_after
from imgsync.core.protocol.numbers import (
    ABSENCE_DEADLINE,
    ANSWER_DEADLINES,
    ATTEMPT_DEADLINE,
    CLAIM_PAUSE,
    CONNECT_DEADLINE,
    FIRST_BACKOFF,
    HEAD_START,
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
    RawJson,
    RequestOffer,
)
from tests.both_languages.replay import Given, Replay, dice_of, time_after
from tests.kit.handshakes import REQUEST, answer, candidate, line, offer, sdp

RUNS = 400
INPUTS = 60

CHANCES = [0.0, 0.3, 0.999, 0.5, 0.125]
"""What chance is, one after the other and then again, in both languages."""

Step = tuple[i.Input | None, float]
"""What happens, and when; None for a timer that rings."""


def make(*, offers: bool) -> Handshake:
    return Handshake(offers=offers, chance=cycle(CHANCES).__next__)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def wire(given: i.Input | i.AttemptEvent | None) -> Given:
    """An input as the pages have it."""
    if given is None:
        return None
    name = type(given).__name__
    told: dict[str, Any] = {"kind": name[0].lower() + name[1:]}
    for field, value in attrs.asdict(given, recurse=False).items():
        is_inner = attrs.has(type(value))
        told[camel(field)] = wire(value) if is_inner else getattr(value, "value", value)
    return told


def tell(outputs: list[o.Output]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case o.MakeOffer(attempt, leads):
                told.append(["makeOffer", attempt, leads])
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
            case o.TakeUp():
                told.append(["takeUp"])
            case o.Discard(attempt):
                told.append(["discard", attempt])
            case o.Connected(attempt):
                told.append(["connected", attempt])
            case o.Interrupted(reason, detail):
                told.append(["interrupted", reason.value, detail])
            case o.Ended(reason, detail):
                is_parsers = reason is EndReason.NEGOTIATION_FAILED
                told.append(["ended", reason.value, "" if is_parsers else detail])
            case o.Note():
                pass  # for the log
    return told


def take(core: Handshake, given: i.Input | None, now: float) -> list[Any]:
    """What the Python core makes of a step, and where it stands after that."""
    told = tell(core.tick(now) if given is None else core.handle(given, now))
    due = core.due if core.due < math.inf else None
    return [told, core.phase.name.lower(), core.attempt, core.is_ours, due]


def compare(
    replay: Replay, steps: Iterable[Step], expected: Sequence[object], label: object, offers: bool
) -> None:
    inputs = [[wire(given), now] for given, now in steps]
    replay.compare("handshake", inputs, expected, label, offers=offers, chances=CHANCES)


def deadlines(core: Handshake) -> dict[str, float]:
    """All that a core may wait for, by name."""
    attempts = core._attempts
    current, interruption = attempts.current, attempts.interruption
    return {
        "attempt": current.deadline,
        "answer": current.answer_due,
        "owner": core._ownership.due,
        "retry": interruption.retry_due,
        "absence": interruption.absence_due,
        "giving up": interruption.give_up_due,
    }


ODD = ['{"candidate":17}', r'{"candidate":"\ud800"}', '{"candidate":"x","usernameFragment":[]}']
UNREADABLE = [*ODD, "0", '"text"', "[]", "{}", '{"type":"offer"}', '{"type":"answer","sdp":7}']


class Script:
    """Chooses one thing after the other that happens, most often to the current attempt."""

    def __init__(self, dice: random.Random, core: Handshake, *, offers: bool) -> None:
        self._dice = dice
        self._kind = "offer" if offers else "answer"
        self._core = core
        self._mid = dice.choice(["0", "1"])
        # On whole seconds, deadlines are met exactly.
        self.now = float(dice.randrange(1000)) if dice.random() < 0.5 else dice.uniform(0, 1e5)

    def choose(self) -> Step:
        dice, core = self._dice, self._core
        if core.due < math.inf and dice.random() < 0.3:
            late = dice.choice([0, 0, 0, -0.001, 0.001, dice.random(), dice.uniform(0, 20), 200])
            self.now = max(self.now, core.due + late)
            return None, self.now
        self.now = time_after(dice, self.now, 3)
        return dice.choice([self._choose_signal, self._choose_event, self._choose_news])(), self.now

    def _choose_signal(self) -> i.Input:
        dice = self._dice
        ufrag = dice.choice("abcdef") * 4
        mid = self._mid if dice.random() < 0.8 else "9"
        port = dice.choice([None, 5, 6])
        of_ours = offer(ufrag) if self._kind == "answer" else answer(ufrag, mid=mid)
        return i.SignalCame(
            dice.choice(
                [
                    *[offer(ufrag), answer(ufrag, mid=mid), *[of_ours] * 4],
                    *[candidate(port, dice.choice([None, ufrag]))] * 3,
                    REQUEST,
                    RawJson(json.dumps({"type": "nonsense"})),
                    RawJson(dice.choice(UNREADABLE if dice.random() < 0.3 else [candidate(7)])),
                ]
            )
        )

    def _choose_event(self) -> i.Input:
        dice, current = self._dice, self._core.attempt
        # Nothing happens to what is none.
        attempt = current if current > 0 and dice.random() < 0.9 else current + dice.choice([1, 2])
        events: list[i.AttemptEvent] = [
            *[i.Described(sdp(self._kind, "ours", mid=self._mid))] * 5,
            *[i.Opened()] * 5,
            *[
                i.Gathered(
                    dice.choice([line(9), line(10, kind="srflx"), line(11, kind="relay"), None])
                )
            ]
            * 3,
            *[i.LinkLost("x")] * 2,
            i.Hindered(dice.choice([*Cause])),
            *[i.LinkLost("y", by_peer=True)] * 2,
            dice.choice([i.NotMade("z"), i.NotMade("z", EndReason.UNSUPPORTED)]),
            *[i.ChannelClosed()] * (dice.random() < 0.3),
            i.ChannelClosed(is_reset=False),
        ]
        return i.FromAttempt(attempt, dice.choice(events))

    def _choose_news(self) -> i.Input:
        dice = self._dice
        # Most often one that an open channel, or a repair, outlives.
        over = dice.choice([*EndReason, *[EndReason.PEER_GONE, EndReason.RELAY_SHUTDOWN] * 6])
        detail = dice.choice(["", "why"])
        news: list[i.Input] = [i.RelayLost(), i.RelayBack(), i.PeerWent(), i.PeerCame()] * 3
        if dice.random() < 0.1:
            news += [i.Begun() if self._kind == "offer" and dice.random() < 0.5 else i.PeerTaken()]
        return dice.choice([*news, *[i.EndCame(over, detail)] * 2, i.OwnEnd(over, detail)])


def test_whatever_happens_both_languages_do_the_same(replay: Replay) -> None:
    seen: set[object] = set()
    passed: set[object] = set()
    for run, dice in dice_of("handshake", RUNS):
        offers = run % 2 == 0
        core = make(offers=offers)
        script = Script(dice, core, offers=offers)
        start = i.Start(run % 4 > 1, run % 8 > 3, run % 16 > 7, is_early=run % 6 == 0)
        steps: list[Step] = [(start, script.now)]
        expected: list[Any] = []
        while len(expected) < INPUTS:
            given, now = steps[-1]
            if given is None:
                due = [name for name, at in deadlines(core).items() if at <= now]
                passed |= {*due[:1]} if len(due) < 2 else {"several at once"}
            expected.append(take(core, given, now))
            seen |= {output[0] for output in expected[-1][0]}
            steps.append(script.choose())
        compare(replay, steps[:-1], expected, run, offers)
    # Each kind of output was led to, and each deadline was passed, or the comparison is of nothing.
    assert seen == {
        *("makeOffer", "makeAnswer", "applyAnswer", "addCandidate", "say", "takeUp", "discard"),
        *("connected", "interrupted", "ended"),
    }
    assert passed == {*deadlines(core), "several at once"}


# ── at the limits ────────────────────────────────────────────────────────────────────────────────


def padded(kind: str, ufrag: str, length: int) -> str:
    """A description of so many characters."""
    text = sdp(kind, ufrag)
    attribute = "a=x-padding:"
    return text + attribute + "x" * (length - len(text) - len(attribute) - 2) + "\r\n"


def came(raw: RawJson, now: float = 0.0) -> Step:
    return i.SignalCame(raw), now


def of(attempt: int, event: i.AttemptEvent, now: float = 0.0) -> Step:
    return i.FromAttempt(attempt, event), now


def wait(until: float) -> Step:
    return None, until


START: Step = i.Start(), 0.0
OUR_OFFER, OUR_ANSWER = (i.Described(sdp(kind, "ours")) for kind in ("offer", "answer"))
GROWN = [came(offer(chr(97 + n) * 4)) for n in range(MAX_ASKED + 1)]
BUSY = [came(candidate(n + 1)) for n in range(MAX_CANDIDATES + 1)]
USELESS = [
    came(encode_signal(CandidateSignal(text, "0", 0, ufrag)))
    for text in ("x", "1 1 tcp 5 10.0.0.1 9 typ host", "1 1 udp 5 host.example 9 typ host")
    for ufrag in ("aaaa", "bbbb", None)
] + [came(RawJson(text)) for text in ODD]
OPEN = [START, came(offer("aaaa")), of(1, OUR_ANSWER), of(1, i.Opened())]
LEFT = of(1, i.LinkLost("", by_peer=True))
SECOND = ATTEMPT_DEADLINE + ANSWER_DEADLINES[0]

UNAUTHORIZED, UNHEARD = i.Hindered(Cause.TURN_UNAUTHORIZED), i.Hindered(Cause.STUN_SILENT)
BARE, RESET = (of(1, i.ChannelClosed(is_reset=is_reset)) for is_reset in (False, True))

SCRIPTS: dict[str, tuple[bool, list[Step]]] = {
    "a client that knows what is in the way": (
        False,
        [START, came(offer("aaaa")), of(1, UNAUTHORIZED), of(1, UNHEARD), wait(CONNECT_DEADLINE)],
    ),
    "an evaluator that does": (
        True,
        [
            *(START, of(1, OUR_OFFER), of(1, UNHEARD), of(1, UNAUTHORIZED), came(answer("aaaa"))),
            *(wait(ATTEMPT_DEADLINE), of(2, OUR_OFFER, ATTEMPT_DEADLINE), wait(CONNECT_DEADLINE)),
        ],
    ),
    "servers that are not in the way": (
        False,
        [
            *(START, came(offer("aaaa")), of(1, UNAUTHORIZED), of(1, UNHEARD)),
            *(of(1, i.Gathered(line(1, kind=kind))) for kind in ("srflx", "relay")),
            (i.EndCame(EndReason.CONNECT_TIMEOUT, "why"), 1.0),
        ],
    ),
    "what each of the two knows": (
        False,
        [
            *(START, came(offer("aaaa")), of(1, UNAUTHORIZED)),
            (i.EndCame(EndReason.CONNECT_TIMEOUT, "why"), 1.0),
        ],
    ),
    "DTLS that is refused": (
        True,
        [START, of(1, i.Hindered(Cause.DTLS_REFUSED)), of(1, i.LinkLost("failed"))],
    ),
    "what was in the way of another connection": (
        False,
        [
            *(START, came(offer("aaaa")), of(1, UNAUTHORIZED), of(1, OUR_ANSWER)),
            *(of(1, i.Opened()), of(1, i.LinkLost("")), wait(REPAIR_DEADLINE)),
        ],
    ),
    "a bare close, and nothing is said": (False, [*OPEN, BARE, wait(ABSENCE_DEADLINE)]),
    "a bare close, and the session's end": (
        False,
        [*OPEN, BARE, (i.EndCame(EndReason.ENDED), 1.0)],
    ),
    "a bare close of what has failed": (
        False,
        [*OPEN, BARE, of(1, i.LinkLost("failed"), 1.0), wait(ABSENCE_DEADLINE)],
    ),
    "a bare close of what was closed": (
        False,
        [*OPEN, BARE, of(1, i.LinkLost("", by_peer=True), 1.0), wait(ABSENCE_DEADLINE)],
    ),
    "a reset of who has gone": (False, [*OPEN, (i.PeerWent(), 0.0), RESET, (i.PeerCame(), 1.0)]),
    "a bare close of who goes": (
        False,
        [*OPEN, BARE, (i.PeerWent(), 1.0), wait(ABSENCE_DEADLINE), of(1, i.LinkLost(""), 3.0)],
    ),
    "a bare close without the relay": (
        False,
        [*OPEN, (i.RelayLost(), 0.0), BARE, wait(ABSENCE_DEADLINE), (i.RelayBack(), 3.0)],
    ),
    "a bare close before another attempt": (
        False,
        [*OPEN, BARE, came(offer("bbbb"), 1.0), wait(ABSENCE_DEADLINE)],
    ),
    "a bare close of what is not open yet": (
        False,
        [START, came(offer("aaaa")), BARE, wait(ABSENCE_DEADLINE)],
    ),
    "a description of our own that can't be used": (True, [START, of(1, i.Described("v=0"))]),
    "the same in a repair": (
        False,
        [*OPEN, came(offer("bbbb")), of(2, i.Described("v=0")), of(2, i.Opened())],
    ),
    "too many candidates before an offer": (False, [START, *BUSY]),
    "too many candidates of one attempt": (False, [START, came(offer("aaaa")), *BUSY]),
    "candidates count for their attempt": (
        False,
        [START, came(offer("aaaa")), *BUSY[:-1], came(offer("bbbb")), *BUSY[:-1]],
    ),
    "candidates that wait count for the next attempt": (
        False,
        [
            *(START, *[came(candidate(n + 1, "bbbb")) for n in range(MAX_CANDIDATES)]),
            *(came(offer("aaaa")), came(candidate(1))),
        ],
    ),
    "too many offers": (False, [START, *GROWN]),
    "too many requests": (True, [START, *[came(REQUEST)] * (MAX_ASKED + 1)]),
    "offers count anew after a connection": (
        False,
        [
            *(START, *GROWN[:-1], of(MAX_ASKED, OUR_ANSWER), of(MAX_ASKED, i.Opened())),
            *GROWN[-1:],
        ],
    ),
    "requests count anew after a repair of ours": (
        True,
        [
            *(START, of(1, OUR_OFFER), came(answer("aaaa")), of(1, i.Opened())),
            *([came(REQUEST)] * MAX_ASKED),
            *(wait(ATTEMPT_DEADLINE), wait(ATTEMPT_DEADLINE + MAX_BACKOFF)),
            came(REQUEST, ATTEMPT_DEADLINE + MAX_BACKOFF),
        ],
    ),
    "a client that is in another session, and then leaves": (
        True,
        [
            *(START, of(1, OUR_OFFER), came(answer("aaaa")), of(1, i.Opened())),
            *((i.RelayLost(), 0.0), (i.PeerTaken(), 1.0), LEFT),
        ],
    ),
    "a client that was in another session, and is back": (
        True,
        [
            *(START, of(1, OUR_OFFER), came(answer("aaaa")), of(1, i.Opened())),
            *((i.RelayLost(), 0.0), (i.PeerTaken(), 1.0), (i.RelayBack(), 2.0), LEFT),
        ],
    ),
    "a side that can't connect at all": (
        True,
        [START, of(1, i.NotMade("no WebRTC", EndReason.UNSUPPORTED))],
    ),
    "an absence is in doubt no more": (
        False,
        [*OPEN, LEFT, (i.PeerWent(), 0.0), (i.PeerCame(), 0.0), wait(ABSENCE_DEADLINE)],
    ),
    "an absence that another attempt has settled": (
        False,
        [*OPEN, LEFT, came(offer("bbbb")), wait(ABSENCE_DEADLINE), wait(ATTEMPT_DEADLINE)],
    ),
    "the claim of who has it": (
        False,
        [*OPEN, (i.RelayLost(), 0.0), of(1, i.LinkLost("")), (i.RelayBack(), 0.0)],
    ),
    "an answer that names another section": (
        True,
        [
            *(START, of(1, OUR_OFFER), came(answer("aaaa", mid="data")), wait(CONNECT_DEADLINE)),
            *(of(2, OUR_OFFER, CONNECT_DEADLINE), wait(CONNECT_DEADLINE * 2)),
        ],
    ),
    "candidates of no use, before and behind an offer": (
        False,
        [START, *USELESS, came(offer("aaaa")), *USELESS, *BUSY[1:], *USELESS, *BUSY[:2]],
    ),
    "the last answer that is waited for": (
        True,
        [
            *(START, wait(ATTEMPT_DEADLINE), of(2, OUR_OFFER, ATTEMPT_DEADLINE)),
            *(wait(SECOND), of(3, OUR_OFFER, SECOND), wait(CONNECT_DEADLINE)),
        ],
    ),
    "an answer is waited for anew after a connection": (
        True,
        [
            *(START, of(1, OUR_OFFER), wait(ANSWER_DEADLINES[0]), of(2, OUR_OFFER, 5.0)),
            *(came(answer("aaaa"), 5.0), of(2, i.Opened(), 5.0), of(2, i.LinkLost(""), 6.0)),
            of(3, OUR_OFFER, 6.0),
        ],
    ),
    "an owner whom time tells": (
        False,
        [
            *((i.Start(resumed=True, owner_unknown=True), 0.0), came(offer("aaaa"))),
            *(wait(CLAIM_PAUSE), came(offer("bbbb"), CLAIM_PAUSE), wait(CLAIM_PAUSE + 1)),
            came(offer("cccc"), CLAIM_PAUSE + 1),
        ],
    ),
    **{
        f"a hidden window, {resumed}, {len(early)}": (
            False,
            [
                *((i.Start(resumed, is_hidden=True), 0.0), *early, wait(HEAD_START)),
                *(came(offer("bbbb"), HEAD_START), wait(HEAD_START + 4)),
            ],
        )
        for resumed in (False, True)
        for early in ([], [came(offer("aaaa"))])
    },
    "a sleep through all deadlines": (
        False,
        [*OPEN, of(1, i.LinkLost("")), wait(REPAIR_DEADLINE - 1), wait(REPAIR_DEADLINE + 1)],
    ),
    **{
        f"an offer of {length} characters": (
            False,
            [START, came(encode_signal(Offer(padded("offer", "aaaa", length))))],
        )
        for length in (MAX_SDP, MAX_SDP + 1)
    },
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_at_a_limit_both_languages_do_the_same(replay: Replay, name: str) -> None:
    offers, steps = SCRIPTS[name]
    core = make(offers=offers)
    compare(replay, steps, [take(core, *step) for step in steps], name, offers)


@pytest.mark.parametrize(
    ("offers", "inputs"),
    [
        (True, [i.Start(), i.Start()]),
        (False, [i.Start(), i.FromAttempt(0, i.Opened())]),
        (False, [i.FromAttempt(0, i.ChannelClosed())]),
    ],
)
def test_both_languages_refuse_what_can_not_happen(
    replay: Replay, offers: bool, inputs: list[i.Input]
) -> None:
    core = make(offers=offers)
    with pytest.raises(AssertionError, match="can't come"):
        _ = [core.handle(given, 0) for given in inputs]
    assert replay.run("impossible", [[offers, *map(wire, inputs)]]) == ["refused"]


def test_the_pause_after_failures_is_as_long(replay: Replay) -> None:
    inputs = [(failures, chance / 8) for failures in range(14) for chance in range(9)]
    expected = [pause_after(failures, chance) for failures, chance in inputs]
    assert replay.run("pauses", inputs) == expected
    assert (min(expected), max(expected)) == (FIRST_BACKOFF / 2, MAX_BACKOFF)
