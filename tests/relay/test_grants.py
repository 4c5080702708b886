"""Whom an evaluator may see at a relay that asks for tokens: limits tried through a real socket.

Carl is in ward A, Cleo in ward B. Tokens are made as somebody else's software would make them.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import jwt
import pytest

from imgsync.core.protocol.numbers import MAX_FEATURE, MAX_FEATURES
from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.settings import Settings
from imgsync.relay.tokens import MAX_TOKEN, mint_token, token_reader
from tests.kit.relays import Object, Peer, open_peer, open_running_relay, register

SECRET = b"0123456789abcdef0123456789abcdef"
SETTINGS = Settings(read_token=token_reader(SECRET))


def sign(user: str, role: str, **claims: object) -> str:
    whole = {"sub": user, "role": role, "exp": int(time.time()) + 60} | claims
    return jwt.encode(whole, SECRET, "HS256")


@attrs.frozen
class Scene:
    """A relay at which Carl and Cleo are."""

    port: int
    carl: Peer
    cleo: Peer
    stack: AsyncExitStack

    async def enter(self, user: str, role: str = "evaluator", **claims: object) -> Peer:
        """One more who registers with these claims."""
        token = sign(user, role, **claims)
        return await self.stack.enter_async_context(open_peer(self.port, user, role, token=token))

    async def join(self, user: str, **claims: object) -> tuple[Peer, list[str]]:
        """One more evaluator, and whom it is told of."""
        peer = await self.stack.enter_async_context(open_peer(self.port))
        token = sign(user, "evaluator", **claims)
        peer.socket.post(register(user, "evaluator", token=token))
        registered = await peer.next("registered")
        return peer, [client["userId"] for client in registered["clients"]]


@asynccontextmanager
async def open_scene(settings: Settings = SETTINGS) -> AsyncIterator[Scene]:
    async with (
        open_running_relay(settings) as port,
        open_peer(port, "carl", token=sign("carl", "client", group="A")) as carl,
        open_peer(port, "cleo", token=sign("cleo", "client", group="B")) as cleo,
        AsyncExitStack() as stack,
    ):
        yield Scene(port, carl, cleo, stack)


async def refusal(peer: Peer, event: str, **content: object) -> str:
    """The code with which it is refused."""
    peer.post(event, **content)
    error = await peer.next("error")
    assert error["event"] == event
    code: str = error["code"]
    return code


async def start(evaluator: Peer, client: Peer, user: str, **more: str) -> str:
    evaluator.post("start_session", clientId=user, **more)
    started = await client.wait_for("session_started")
    assert started == {**started, "evaluatorId": started["evaluatorName"]}
    assert (await evaluator.wait_for("session_started"))["clientId"] == user
    session_id: str = started["sessionId"]
    return session_id


# ── whom it is told of, and may start with ───────────────────────────────────────────────────────

LIMITS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["carl", "cleo"]),
    ({"group": "A"}, ["carl"]),
    ({"group": "B"}, ["cleo"]),
    ({"group": "C"}, []),
    ({"clients": ["cleo"]}, ["cleo"]),
    ({"clients": ["cleo", "carl", "cleo"]}, ["carl", "cleo"]),
    ({"clients": []}, []),
    ({"group": "A", "clients": ["carl", "cleo"]}, ["carl"]),
    ({"group": "A", "clients": ["cleo"]}, []),
]


@pytest.mark.parametrize(("claims", "seen"), LIMITS)
async def test_an_evaluator_is_told_of_and_gets_whom_its_claims_let_it_see(
    claims: dict[str, Any], seen: list[str]
) -> None:
    async with open_scene() as scene:
        eve, told = await scene.join("eve", **claims)
        assert told == seen
        for user, client in (("carl", scene.carl), ("cleo", scene.cleo)):
            if user in seen:
                await start(eve, client, user)
                assert (await eve.next("presence"))["userId"] == user
            else:
                assert await refusal(eve, "start_session", clientId=user) == "unknown_client"
                assert await client.says_nothing_more()


async def test_a_client_that_is_not_seen_is_answered_for_like_one_that_is_not_there() -> None:
    async with open_scene() as scene:
        eve, ann = await scene.enter("eve", group="A"), await scene.enter("ann")
        session = await start(ann, scene.cleo, "cleo")
        for user in ("cleo", "nobody"):
            for more in ({}, {"sessionId": session}, {"sessionId": "another"}):
                told = await refusal(eve, "start_session", clientId=user, **more)
                assert told == "unknown_client"
                told = await refusal(eve, "webrtc_signal", targetUserId=user, signal=1, **more)
                assert told == "no_session"
        assert await refusal(eve, "end_session", sessionId=session) == "no_session"
        # What she does, comes and goes is told to others alone.
        ann.post("end_session", sessionId=session)
        await ann.wait_for("session_ended")
        assert await eve.says_nothing_more()
        assert await scene.carl.says_nothing_more()


async def test_comings_and_goings_are_told_by_what_is_seen() -> None:
    async with open_scene() as scene:
        eve, ann = await scene.enter("eve", group="B"), await scene.enter("ann")
        async with open_peer(scene.port, "cy", token=sign("cy", "client", group="A")):
            assert (await ann.next("presence"))["userId"] == "cy"
        assert (await ann.next("presence"))["state"] == "offline"
        async with open_peer(scene.port, "cy", token=sign("cy", "client", group="B")):
            for one in (eve, ann):
                assert (await one.next("presence"))["state"] == "available"
        for one in (eve, ann):
            assert (await one.next("presence"))["state"] == "offline"


async def test_a_client_that_changes_its_group_goes_for_some_and_comes_for_others() -> None:
    async with open_scene() as scene:
        eve, ben = await scene.enter("eve", group="A"), await scene.enter("ben", group="B")
        async with open_peer(scene.port, "carl", token=sign("carl", "client", group="B")):
            for one, state in ((eve, "offline"), (ben, "available")):
                assert await one.next("presence") == {
                    **{"userId": "carl", "name": "carl"},
                    "state": state,
                }
            assert await refusal(eve, "start_session", clientId="carl") == "unknown_client"
        for one, state in ((eve, "available"), (ben, "offline")):
            assert (await one.next("presence"))["state"] == state
        assert await refusal(ben, "start_session", clientId="carl") == "unknown_client"


# ── a session by its id ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("claims", [{"group": "B"}, {"clients": ["cleo"]}, {"clients": []}])
async def test_ones_own_session_is_not_taken_up_with_a_token_that_grants_less(
    claims: dict[str, Any],
) -> None:
    async with open_scene() as scene:
        eve = await scene.enter("eve")
        session = await start(eve, scene.carl, "carl")
        late = await scene.enter("eve", **claims)
        named = {"clientId": "carl", "sessionId": session}
        assert await refusal(late, "start_session", **named) == "unknown_client"
        signal = {"targetUserId": "carl", "signal": 1, "sessionId": session}
        assert await refusal(late, "webrtc_signal", **signal) == "no_session"
        assert await refusal(late, "end_session", sessionId=session) == "no_session"
        eve.post("webrtc_signal", targetUserId="carl", signal=2)
        assert (await scene.carl.next("webrtc_signal"))["signal"] == 2
        eve.socket.close()
        # It does not inherit it either.
        assert (await scene.carl.next("peer_away"))["userId"] == "eve"
        assert await refusal(late, "start_session", **named) == "unknown_client"
        again, _ = await scene.join("eve", group="A")
        assert (await again.next("session_started"))["resumed"] is True
        assert (await scene.carl.next("peer_back"))["userId"] == "eve"


@pytest.mark.parametrize(("claims", "seen"), LIMITS)
async def test_a_session_of_a_relay_before_this_one_is_resumed_by_who_sees_its_client(
    claims: dict[str, Any], seen: list[str]
) -> None:
    async with open_scene() as scene:
        eve, _ = await scene.join("eve", **claims)
        if "carl" in seen:
            assert await start(eve, scene.carl, "carl", sessionId="old") == "old"
        else:
            named = {"clientId": "carl", "sessionId": "old"}
            assert await refusal(eve, "start_session", **named) == "unknown_client"
            assert await scene.carl.says_nothing_more()


# ── claims that say nothing ──────────────────────────────────────────────────────────────────────

ODD: list[tuple[dict[str, Any], str]] = [
    ({"group": 7}, "claims.group: expected a string"),
    ({"group": ["A"]}, "claims.group: expected a string"),
    ({"group": ""}, "claims.group: expected 1 to 128 characters"),
    ({"group": None}, "claims.group: null says nothing"),
    ({"clients": "carl"}, "claims.clients: expected a list"),
    ({"clients": {"carl": True}}, "claims.clients: expected a list"),
    ({"clients": ["carl", 7]}, "claims.clients: expected a string"),
    ({"clients": [""]}, "claims.clients: expected 1 to 128 characters"),
    ({"clients": None}, "claims.clients: null says nothing"),
]


@pytest.mark.parametrize(("claims", "why"), ODD)
@pytest.mark.parametrize("role", ["evaluator", "client"])
async def test_a_limit_that_can_not_be_read_is_no_token_and_not_no_limit(
    claims: dict[str, Any], why: str, role: str
) -> None:
    async with open_running_relay(SETTINGS) as port, open_peer(port) as peer:
        peer.socket.post(register("eve", role, token=sign("eve", role, **claims)))
        error = await peer.next("error")
        assert (error["code"], error["event"]) == ("unauthorized", "register")
        assert why in error["message"]
        assert (await peer.wait_close()).code == 4001


def a_longest_token() -> str:
    """One with as many clients as there is room for."""
    clients = [f"client-{number:04}" for number in range(1000)]
    few, many = 0, len(clients)
    while many - few > 1:
        half = (few + many) // 2
        token = sign("e" * 128, "evaluator", clients=clients[:half])
        few, many = (half, many) if len(token) <= MAX_TOKEN else (few, half)
    return sign("e" * 128, "evaluator", clients=clients[:few])


async def test_the_longest_token_that_we_make_fits_beside_all_that_a_peer_may_say() -> None:
    features = [f"{number:02}".ljust(MAX_FEATURE, "x") for number in range(MAX_FEATURES)]
    token = a_longest_token()
    assert MAX_TOKEN - 30 < len(token) <= MAX_TOKEN
    async with open_running_relay(SETTINGS) as port:
        more = {"token": token, "name": "n" * 128, "features": features}
        async with open_peer(port, "e" * 128, "evaluator", **more):
            pass


async def test_a_longer_one_of_somebody_else_is_told_so_and_the_next_may_be_said() -> None:
    token = sign("eve", "evaluator", clients=[f"client-{number:04}" for number in range(1000)])
    async with open_running_relay(SETTINGS) as port, open_peer(port) as peer:
        peer.socket.post(register("eve", "evaluator", token=token))
        error = await peer.next("error")
        assert (error["code"], "8192 characters" in error["message"]) == ("bad_message", True)
        peer.socket.post(register("eve", "evaluator", token=sign("eve", "evaluator")))
        await peer.next("registered")


# ── a token expires ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", Role)
async def test_a_session_ends_with_a_token_where_the_relay_is_told_so(side: Role) -> None:
    read = token_reader(SECRET)

    def read_soon_over(token: str) -> Claims:
        # Counted from the registration on, however slow the machine is until then.
        claims = read(token)
        return attrs.evolve(claims, expires_at=time.time() + 0.3) if claims.role is side else claims

    settings = Settings(read_token=read_soon_over, end_at_expiry=True)
    async with open_scene(settings) as scene:
        eve = await scene.enter("eve")
        session = await start(eve, scene.carl, "carl")
        by = {Role.EVALUATOR: "eve", Role.CLIENT: "carl"}[side]
        ended: Object = {"sessionId": session, "reason": "token_expired", "byUserId": by}
        for peer in (eve, scene.carl):
            assert await peer.wait_for("session_ended") == ended
        assert (await eve.next("presence"))["state"] == "available"
        signal = {"targetUserId": "carl", "signal": 1, "sessionId": session}
        assert await refusal(eve, "webrtc_signal", **signal) == "no_session"
        # Another one with the same token is over as soon as it has begun.
        eve.post("start_session", clientId="carl")
        assert (await scene.carl.wait_for("session_ended"))["byUserId"] == by


def test_it_is_the_json_that_others_make_that_is_read_here() -> None:
    ours = mint_token(SECRET, Claims("eve", Role.EVALUATOR, None, "A", frozenset({"b", "a"})), 60)
    claims = jwt.decode(ours, SECRET, algorithms=["HS256"])
    assert json.loads(json.dumps(claims)) == {
        **{"sub": "eve", "role": "evaluator", "group": "A", "clients": ["a", "b"]},
        **{"exp": claims["exp"], "iat": claims["iat"]},
    }
