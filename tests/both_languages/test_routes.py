"""Sessions are started, taken up and ended at a relay alike in both languages.

What is decided is compared in `test_sessions`; here it is what comes of it: questions to the relay,
one at a time, and what the sessions and those who asked for them are told.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from imgsync.core.codec.codec import encode_event
from imgsync.core.handshake.inputs import (
    Begun,
    EndCame,
    PeerTaken,
    RelayBack,
    RelayLost,
    RouteInput,
)
from imgsync.core.protocol.errors import RelayError, SignallingLost
from imgsync.core.protocol.numbers import MAX_INCOMING
from imgsync.core.protocol.signalling import (
    EndReason,
    ErrorCode,
    RawJson,
    SessionStarted,
    ToRelay,
)
from imgsync.peer.route import Route
from imgsync.peer.signalling import Routes
from tests.both_languages.replay import Given, Replay, dice_of

EARLY = ["early_offer"]
REGISTERED: Given = ["registered", [EARLY, [["c", EARLY], ["d", []]]]]

RUNS = 100
INPUTS = 50


class Player:
    """The Python side: the sessions of a peer, and what each step led to."""

    def __init__(self, nursery: trio.Nursery, *, starts: bool, takes: bool) -> None:
        self._nursery = nursery
        self._takes = takes
        self._is_up = True
        self._told: list[list[object]] = []
        self._held: dict[str, Route] = {}
        self._routes = Routes(
            starts=starts, post=self._post, probe=lambda: None, reconnect=lambda: None
        )
        nursery.start_soon(self._routes.take_up_sessions)

    def _post(self, message: ToRelay) -> None:
        if not self._is_up:
            raise SignallingLost("there is no relay")
        frame = json.loads(encode_event(message))
        about = [frame["data"].get(name) for name in ("clientId", "sessionId", "ref")]
        self._told.append([frame["event"], *about])

    async def step(self, given: Given) -> list[str]:
        self._told = []
        method, about = given
        self._give(method, about)
        await wait_all_tasks_blocked()
        if self._takes:
            self._take_invited()
        for id, route in self._held.items():
            self._hear(id, route)
            self._told.append(["speaks", id, [*route.features]])
        return sorted(json.dumps(item, separators=(",", ":")) for item in self._told)

    def _give(self, method: str, about: object) -> None:
        match method, about:
            case "startSession", str(client_id):
                self._nursery.start_soon(self._start, client_id)
            case "started", {"sessionId": str(session_id), **rest}:
                resumed = bool(rest.get("resumed"))
                spoken = rest.get("features", [])
                assert isinstance(spoken, list)
                ref = rest.get("ref")
                assert isinstance(ref, str | None)
                evaluator = rest.get("evaluatorId", "e")
                assert isinstance(evaluator, str)
                spoken = tuple(spoken)
                started = SessionStarted(session_id, evaluator, None, "c", resumed, spoken, ref)
                self._routes.started(started)
            case "clientSpeaks", [str(client_id), list(spoken)]:
                self._routes.client_speaks(client_id, tuple(spoken))
            case "ended", str(session_id):
                self._routes.ended(session_id, EndCame(EndReason.ENDED))
            case "refused", [str(code), (str() | None) as ref]:
                self._routes.refused(RelayError(ErrorCode(code), ""), ref)
            case "clientWent", str(client_id):
                self._routes.client_went(client_id)
            case "relayLost", _:
                self._is_up = False
                self._routes.relay_lost()
            case "registered", [list(spoken), list(clients)]:
                self._is_up = True
                self._routes.registered(tuple(spoken), [(id, tuple(its)) for id, its in clients])
            case "mayAsk", _:
                self._routes.may_ask()
            case "sayAgain", _:
                self._routes.say_again()
            case _, str(session_id):
                if session_id in self._held:
                    self._say(session_id, self._held[session_id], method)

    def _say(self, session_id: str, route: Route, method: str) -> None:
        does: dict[str, Callable[[], None]] = {
            "end": route.end,
            "takeUp": route.take_up,
            "close": route.close,
        }
        try:
            does[method]()
        except SignallingLost:
            assert not self._is_up
        if method == "close":
            del self._held[session_id]

    async def _start(self, client_id: str) -> None:
        try:
            async with self._routes.open_session(client_id, self._open_on) as route:
                self._hold("started", route)
        except RelayError as exc:
            self._told.append(["failed", exc.code.value])
        except SignallingLost:
            self._told.append(["failed", "no_relay"])

    @asynccontextmanager
    async def _open_on(self, route: Route) -> AsyncIterator[Route]:
        if route.session_id == "":
            self._told.append(["early"])
            route.say(RawJson("1"))
        try:
            yield route
        except (RelayError, SignallingLost):
            route.end()
            route.close()
            raise

    def _take_invited(self) -> None:
        while True:
            try:
                self._hold("invited", self._routes.incoming.receive_nowait())
            except trio.WouldBlock:
                return

    def _hold(self, what: str, route: Route) -> None:
        self._told.append([what, route.session_id])
        self._held[route.session_id] = route

    def _hear(self, session_id: str, route: Route) -> None:
        inputs: list[RouteInput] = []
        inputs, route._waiting = route._waiting, inputs
        for item in inputs:
            match item:
                case EndCame(reason):
                    self._told.append(["endCame", session_id, reason.value])
                case PeerTaken():
                    self._told.append(["peerTaken", session_id])
                case RelayLost():
                    self._told.append(["relayLost", session_id])
                case Begun():
                    self._told.append(["begun", session_id])
                case RelayBack():
                    self._told.append(["relayBack", session_id])


def play(inputs: Iterable[Given], *, starts: bool, takes: bool = True) -> list[list[str]]:
    """What Python makes of these, one after the other; in a step, the order is left open."""

    async def run() -> list[list[str]]:
        async with trio.open_nursery() as nursery:
            player = Player(nursery, starts=starts, takes=takes)
            found = [await player.step(given) for given in inputs]
            nursery.cancel_scope.cancel()
        return found

    return trio.run(run)


def choose(dice: random.Random, *, starts: bool, is_up: bool) -> Given:
    id = dice.choice("abcd")
    ours: list[Given] = [["end", id], ["close", id]]
    if starts:
        ours += [["takeUp", id], *[["startSession", dice.choice("ccd")]] * 3]
    if not is_up:
        return dice.choice([*ours, *[REGISTERED] * 3])
    started = {"sessionId": id, "evaluatorId": dice.choice("eef"), "clientId": "c"}
    refusals = [ErrorCode.CLIENT_BUSY] * 2 + [ErrorCode.UNAVAILABLE, ErrorCode.FORBIDDEN]
    spoken: list[list[str]] = [["ping", "preload"], EARLY]
    speaks = dice.choice([{}, {"features": dice.choice(spoken)}])
    ref = dice.choice([{}, {"ref": str(dice.randint(1, 6))}])
    return dice.choice(
        [
            *ours,
            *[["started", started | dice.choice([{}, {"resumed": True}]) | speaks | ref]] * 6,
            ["clientSpeaks", [dice.choice("cd"), dice.choice([[], ["stage"], EARLY])]],
            ["clientWent", dice.choice("cd")],
            ["refused", [dice.choice(refusals).value, dice.choice([None, ref.get("ref")])]],
            *(["relayLost", None], ["mayAsk", None], ["sayAgain", None], ["ended", id]),
        ]
    )


def choose_all(dice: random.Random, *, starts: bool) -> list[Given]:
    """A script, in which a relay that is lost says nothing; nobody waits when it is over, as nobody
    asks more than twice."""
    inputs: list[Given] = [REGISTERED]
    is_up = True
    for _ in range(INPUTS):
        inputs.append(choose(dice, starts=starts, is_up=is_up))
        is_up = (is_up or inputs[-1][0] == "registered") and inputs[-1][0] != "relayLost"
    return [*inputs, ["relayLost", None], REGISTERED, ["relayLost", None]]


def test_whatever_happens_both_languages_do_the_same(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("routes", RUNS):
        starts = run % 3 > 0
        inputs = choose_all(dice, starts=starts)
        expected = play(inputs, starts=starts)
        replay.compare("routes", inputs, expected, run, starts=starts)
        seen |= {json.loads(item)[0] for told in expected for item in told}
    # Each was led to, or the comparison is of nothing.
    assert seen == {
        *("start_session", "end_session", "started", "failed", "invited"),
        *("endCame", "peerTaken", "relayLost", "relayBack", "speaks"),
        *("early", "webrtc_signal", "begun"),
    }


#: The relay begins it, we end it, and the relay has said something before it heard of that.
ENDED = [REGISTERED, ["started", {"sessionId": "s"}], ["end", "s"], ["close", "s"]]
UNDER_WAY: Given = ["started", {"sessionId": "s", "resumed": True}]


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ([], ["end_session"]),
        ([["relayLost", None], REGISTERED], ["end_session"]),
        ([["ended", "t"]], ["end_session"]),
        # Who takes up what the relay has ended as well means it.
        ([["ended", "s"]], ["invited", "speaks"]),
    ],
)
def test_what_is_over_is_begun_again_only_after_the_relay_has_said_so(
    replay: Replay, after: list[Given], says: list[str]
) -> None:
    inputs: list[Given] = [*ENDED, *after, UNDER_WAY]
    expected = play(inputs, starts=False)
    assert [json.loads(item)[0] for item in expected[-1]] == says
    replay.compare("routes", inputs, expected, says, starts=False)


def test_only_so_many_sessions_wait_for_a_client(replay: Replay) -> None:
    invitations = [
        ["started", {"sessionId": str(number), "evaluatorId": "e"}]
        for number in range(MAX_INCOMING + 2)
    ]
    expected = play(invitations, starts=False, takes=False)
    found = replay.run("routes", invitations, starts=False)
    refused = [[item for item in told if "end_session" in item] for told in found]
    assert refused == expected
    assert [bool(told) for told in expected] == [*[False] * MAX_INCOMING, True, True]


def test_what_a_page_finds_by_itself_is_told_in_its_own_words_and_a_refusal_in_the_relays(
    replay: Replay,
) -> None:
    own = replay.run("troubles", [[code, code] for code in ("no_relay", "relay_lost", "timeout")])
    assert own == [
        "The relay can't be reached at this moment; try again.",
        "The relay was lost; try again.",
        "The relay does not answer; try again.",
    ]
    refusals = [[code.value, f"It is {code.value}."] for code in ErrorCode]
    assert replay.run("troubles", refusals) == [message for _, message in refusals]
