"""Which sessions a peer is in, and which it asks for again: both languages decide the same."""

from __future__ import annotations

import json
import random
from typing import Any

import attrs
import pytest

from imgsync.core.codec.codec import decode_from_relay
from imgsync.core.codec.strict import structure, unstructure
from imgsync.core.handshake.sessions import (
    Answered,
    Asked,
    Back,
    Begin,
    Disown,
    End,
    Gone,
    Invited,
    Leave,
    Named,
    Sessions,
    SessionsOutput,
    Speaks,
    Taken,
)
from imgsync.core.protocol.numbers import MAX_UNTOLD
from imgsync.core.protocol.signalling import EndSession, SessionStarted
from tests.both_languages.replay import Given, Replay, dice_of

RUNS = 300
INPUTS = 60

#: Those that are of a session, and say no more.
PLAIN: dict[type, str] = {
    Invited: "invited",
    Answered: "answered",
    Taken: "taken",
    Leave: "leave",
}

#: Those that say more.
FULL: dict[type, str] = {
    Begin: "begin",
    Named: "named",
    Back: "back",
    Speaks: "speaks",
    Disown: "disown",
}


def plain(value: object) -> object:
    """As JSON has it."""
    return [*value] if isinstance(value, tuple) else value


def tell(outputs: list[SessionsOutput]) -> list[list[object]]:
    return [tell_one(output) for output in outputs]


def tell_one(output: SessionsOutput) -> list[object]:
    match output:
        case Begin() | Named() | Back() | Speaks():
            return [FULL[type(output)], *map(plain, attrs.astuple(output))]
        case Gone(session_id, reason):
            return ["gone", session_id, reason.value]
        case End(message):
            return ["end", unstructure(message)]
        case Disown(message):
            signal = json.loads(message.signal)
            return ["disown", message.target_user_id, signal, message.session_id]
    return [PLAIN[type(output)], output.session_id]


def tell_asked(asked: Asked | None) -> list[object] | None:
    return None if asked is None else [*attrs.astuple(asked)]


class Player:
    """The Python side of the pair."""

    def __init__(self, *, starts: bool) -> None:
        self._sessions = Sessions(starts=starts)
        self._asked: Asked | None = None

    def step(self, given: Given) -> object:
        sessions = self._sessions
        match given:
            case ["started", data]:
                return tell(sessions.started(read(data)))
            case ["registered", *spoken]:
                sessions.registered(*spoken)
            case ["overUnnamed", ref, message]:
                sessions.early.over(ref, structure(message, EndSession, "message"))
            case ["went", client_id]:
                sessions.early.speaks(client_id, ())
            case ["isRefusal", ref]:
                return sessions.is_refusal(ref)
            case ["speaks", client_id, features]:
                return tell(sessions.speaks(client_id, tuple(features)))
            case ["refused", may_pass, is_taken]:
                if self._asked is None:
                    return []
                return tell(sessions.refused(self._asked, may_pass=may_pass, is_taken=is_taken))
            case ["over", message]:
                sessions.over(structure(message, EndSession, "message"))
            case ["ask", client_id, session_id]:
                self._asked = sessions.ask(client_id, session_id)
                return tell_asked(self._asked)
            case ["takeUpNext"]:
                self._asked = sessions.take_up_next()
                return tell_asked(self._asked)
            case ["hears", session_id]:
                return sessions.hears(session_id)
            case ["lastWith", peer_id]:
                return sessions.last_with(peer_id)
            case ["sayAgain"]:
                return tell(sessions.say_again())
            case [method, *rest]:
                getattr(sessions, METHODS.get(method, method))(*rest)
        return None


METHODS = {
    "relayLost": "relay_lost",
    "mayAsk": "may_ask",
    "takeUp": "take_up",
    "askNoMore": "ask_no_more",
}


def read(data: dict[str, Any]) -> SessionStarted:
    """As it comes from the wire."""
    message = decode_from_relay(json.dumps({"event": "session_started", "data": data}))
    assert isinstance(message, SessionStarted)
    return message


def started(dice: random.Random) -> Given:
    data: dict[str, Any] = {"sessionId": dice.choice("abcd")}
    other = dice.choice(["p", "q"])
    whom = dice.choice([{"clientId": other}, {"evaluatorId": other}, {"evaluatorId": other}, {}])
    name = dice.choice([{}, {}, {"evaluatorName": "Eve"}, {"evaluatorName": ""}])
    resumed = dice.choice([{}, {}, {"resumed": False}, {"resumed": True}])
    if dice.random() < 0.5:
        whom = {"clientId": other, "evaluatorId": other}
    spoken = [[], ["ping", "x"], ["early_offer"], ["ping", "early_offer"]]
    features: dict[str, Any] = dice.choice([{}, {"features": dice.choice(spoken)}])
    ref = dice.choice([{}, {}, {"ref": choose_ref(dice)}])
    return ["started", data | whom | name | resumed | features | ref]


def choose_ref(dice: random.Random) -> str:
    """Of one of the first few early offers of a run."""
    return str(dice.randint(1, 4))


def registered(dice: random.Random) -> Given:
    """At a relay that passes on early offers, most of the time, with such clients or others."""
    clients = [[id, dice.choice([["early_offer"], ["ping"]])] for id in ("p", "q", "c")]
    return ["registered", dice.choice([["early_offer", "ping"]] * 3 + [["ping"]]), clients]


def ended(dice: random.Random, id: str) -> Given:
    return {"sessionId": id, **dice.choice([{}, {"reason": "unsupported", "detail": "why"}])}


def choose(dice: random.Random) -> Given:
    id = dice.choice("abcd")
    return dice.choice(
        [
            *[started(dice)] * 6,
            *[["ask", dice.choice(["p", "q"]), dice.choice([None, None, id])], ["takeUpNext"]] * 2,
            *(
                ["refused", dice.random() < 0.5, dice.random() < 0.5],
                ["askNoMore"],
                ["takeUp", id],
                ["mayAsk"],
                ["sayAgain"],
            ),
            *(
                registered(dice),
                ["relayLost"],
                ["overUnnamed", choose_ref(dice), ended(dice, id)],
                ["isRefusal", dice.choice([None, choose_ref(dice)])],
                ["went", dice.choice(["p", "q"])],
                ["over", ended(dice, id)],
                ["told", id],
                ["forget", id],
            ),
            ["lastWith", dice.choice(["p", "q"])],
            ["hears", id],
            ["speaks", dice.choice(["p", "q"]), dice.choice([[], ["stage"], ["early_offer"]])],
        ]
    )


def test_whatever_happens_both_languages_do_the_same(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("sessions", RUNS):
        starts = run % 3 > 0
        player = Player(starts=starts)
        inputs: list[Given] = [registered(dice), *(choose(dice) for _ in range(INPUTS))]
        expected = [player.step(given) for given in inputs]
        replay.compare("sessions", inputs, expected, run, starts=starts)
        for given, found in zip(inputs, expected, strict=True):
            if given[0] in ("started", "refused", "speaks", "sayAgain") and isinstance(found, list):
                seen |= {(given[0], output[0]) for output in found}
            elif found is not None:
                seen.add(given[0])
    # Each kind of output was led to, or the comparison is of nothing.
    kinds = ("begin", "named", "invited", "answered", "back", "gone", "end", "disown", "leave")
    assert seen == {
        *(("started", kind) for kind in kinds),
        *(("refused", "gone"), ("refused", "taken"), ("speaks", "speaks"), ("sayAgain", "end")),
        *("ask", "takeUpNext", "lastWith", "isRefusal", "hears"),
    }


def of_client(session: str, **more: object) -> Given:
    return ["started", {"sessionId": session, "evaluatorId": "e", **more}]


def of_evaluator(session: str, **more: object) -> Given:
    return ["started", {"sessionId": session, "clientId": "c", **more}]


ENDED = {"reason": "unsupported", "detail": "why"}
SAID = {"sessionId": "s", "reason": "connect_timeout", "detail": "no path"}
BEGUN = [["registered"], ["ask", "c", None], of_evaluator("s"), ["askNoMore"]]
BACK = [*BEGUN, ["relayLost"], ["registered"], ["takeUpNext"]]

EARLY = ["early_offer"]
OFFERED = [["registered", EARLY, [["c", EARLY]]], ["ask", "c", None]]

SCRIPTS: dict[str, tuple[bool, list[Given]]] = {
    "an offer that does not wait": (True, [*OFFERED, of_evaluator("s", ref="1", features=EARLY)]),
    "one that came too early after all": (True, [*OFFERED, of_evaluator("s", ref="1")]),
    "one that another window does not take": (
        True,
        [*OFFERED, ["askNoMore"], ["speaks", "c", []], ["ask", "c", None], ["ask", "d", None]],
    ),
    "one to a client that has gone": (True, [OFFERED[0], ["went", "c"], OFFERED[1]]),
    "one by a relay that does not pass it on": (
        True,
        [["registered", ["ping"], [["c", EARLY]]], OFFERED[1], of_evaluator("s")],
    ),
    "one that ends before it has an id": (
        True,
        [*OFFERED, ["overUnnamed", "1", {"sessionId": "-"} | ENDED], of_evaluator("s", ref="1")],
    ),
    "one that nobody waits for any more": (
        True,
        [
            *(*OFFERED, ["overUnnamed", "1", {"sessionId": "-"} | ENDED], ["askNoMore"]),
            *(["ask", "c", None], of_evaluator("s", ref="1"), of_evaluator("t", ref="2")),
        ],
    ),
    "what is over is of another relay": (
        True,
        [
            *(*OFFERED, ["relayLost"], ["registered", EARLY, [["c", EARLY]]]),
            *(["overUnnamed", "1", {"sessionId": "-"} | ENDED], of_evaluator("s", ref="1")),
        ],
    ),
    "refusals of what is asked, and of what was": (
        True,
        [
            *(*OFFERED, ["isRefusal", "2"], ["isRefusal", None], ["isRefusal", "1"]),
            *(["askNoMore"], ["isRefusal", None], ["isRefusal", "1"]),
        ],
    ),
    "a session that the relay takes up": (True, [*BACK, of_evaluator("s", resumed=True)]),
    "one that is over before it is taken up": (
        True,
        [*BACK, ["forget", "s"], of_evaluator("s", resumed=True), ["askNoMore"], ["takeUpNext"]],
    ),
    "another one in the place of the first": (
        True,
        [*BACK, of_evaluator("t"), ["askNoMore"], ["mayAsk"], ["takeUpNext"], ["lastWith", "c"]],
    ),
    "one that may be taken up later": (
        True,
        [
            *BACK,
            ["refused", True, False],
            ["askNoMore"],
            ["takeUpNext"],
            ["mayAsk"],
            ["takeUpNext"],
        ],
    ),
    "one whose client is in another": (
        True,
        [*BACK, ["refused", True, True], ["askNoMore"], ["mayAsk"], ["takeUpNext"]],
    ),
    "one that can't be taken up": (
        True,
        [*BACK, ["refused", False, False], ["askNoMore"], ["mayAsk"], ["takeUpNext"]],
    ),
    "one that a process before this one had": (
        True,
        [["registered"], ["ask", "c", "s"], of_evaluator("s", resumed=True)],
    ),
    "one in the place of that": (True, [["registered"], ["ask", "c", "s"], of_evaluator("t")]),
    "two answers to one question": (
        True,
        [["registered"], ["ask", "c", None], of_evaluator("s"), of_evaluator("t")],
    ),
    "an end that the relay has not said": (
        True,
        [*BEGUN, ["over", SAID], ["forget", "s"], of_evaluator("s", resumed=True)],
    ),
    "an end that the relay has said": (
        False,
        [
            *(["registered"], of_client("s"), ["over", SAID], ["forget", "s"], ["told", "s"]),
            of_client("s", resumed=True),
        ],
    ),
    "one that is wanted again after all": (
        True,
        [["registered"], ["over", SAID], ["ask", "c", "s"], of_evaluator("s", resumed=True)],
    ),
    "the name of an evaluator that has none": (
        False,
        [["registered"], of_client("s", evaluatorName=""), of_client("t", evaluatorName="Eve")],
    ),
    "a client is in one session at most": (
        False,
        [["registered"], of_client("s"), of_client("t"), of_client("s"), ["lastWith", "e"]],
    ),
    "one that the relay has with somebody else": (
        False,
        [
            *(["registered"], of_client("s"), ["hears", "s"], ["hears", "t"]),
            *(["relayLost"], ["registered"], of_client("s", resumed=True)),
            *(["started", {"sessionId": "s", "evaluatorId": "f", "resumed": True}], ["hears", "s"]),
            *(["started", {"sessionId": "s", "resumed": True}], ["hears", "s"]),
            *(["started", {"sessionId": "s", "evaluatorId": "f"}], ["hears", "s"]),
            *(of_client("s", resumed=True), ["hears", "s"]),
            *(["started", {"sessionId": "s", "evaluatorId": "f"}], of_client("t"), ["hears", "s"]),
            *(["forget", "s"], of_client("s"), ["hears", "s"]),
        ],
    ),
    "one whose evaluator was not told": (
        False,
        [["registered"], ["started", {"sessionId": "s"}], of_client("s"), ["hears", "s"]],
    ),
    "a client that was here before": (
        False,
        [["registered"], ["registered"], of_client("s", resumed=True), of_client("t")],
    ),
    "more ends than are kept": (
        False,
        [
            ["registered"],
            *(["over", {"sessionId": str(n)}] for n in range(MAX_UNTOLD + 1)),
            *(
                ["over", {"sessionId": "1"}],
                of_client("0"),
                of_client("1"),
                of_client(str(MAX_UNTOLD)),
            ),
        ],
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_at_the_corners_both_languages_do_the_same(replay: Replay, name: str) -> None:
    starts, inputs = SCRIPTS[name]
    player = Player(starts=starts)
    expected = [player.step(given) for given in inputs]
    replay.compare("sessions", inputs, expected, name, starts=starts)
