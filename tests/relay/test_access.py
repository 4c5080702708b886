"""Who may do what at a relay that asks for tokens: every rule broken through a real socket.

Ann is an evaluator in a session with Carl. Mallory has valid tokens of her own, for both roles.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import jwt
import pytest

from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.settings import Settings
from imgsync.relay.tokens import mint_token, token_reader
from tests.kit.relays import Peer, event, open_peer, open_running_relay, register

SECRET = b"0123456789abcdef0123456789abcdef"
SETTINGS = Settings(read_token=token_reader(SECRET))


def token_of(user: str, role: str, ttl: float = 60.0, name: str | None = None) -> str:
    return mint_token(SECRET, Claims(user, Role(role), name), ttl)


def forge(algorithm: str = "HS256", secret: bytes = SECRET, **claims: object) -> str:
    """A token as somebody else's software would make it."""
    whole = {"sub": "mallory", "role": "client", "exp": time.time() + 60} | claims
    return jwt.encode(whole, secret, algorithm)


@attrs.frozen
class Scene:
    """A session, and Mallory beside it."""

    port: int
    ann: Peer
    carl: Peer
    session_id: str
    #: Mallory, once in each role.
    mallories: list[Peer]

    async def is_undisturbed(self) -> bool:
        """Whether the session has seen nothing, and still works both ways."""
        for sender, receiver, user in ((self.ann, self.carl, "carl"), (self.carl, self.ann, "ann")):
            sender.post("webrtc_signal", targetUserId=user, signal={"n": 1})
            content = await receiver.next("webrtc_signal")
            assert content["signal"] == {"n": 1}
        return True


@asynccontextmanager
async def open_scene() -> AsyncIterator[Scene]:
    async with (
        open_running_relay(SETTINGS) as port,
        open_peer(port, "carl", token=token_of("carl", "client")) as carl,
        open_peer(port, "ann", "evaluator", token=token_of("ann", "evaluator")) as ann,
    ):
        ann.post("start_session", clientId="carl")
        session_id = (await carl.next("session_started"))["sessionId"]
        await ann.next("session_started")
        await ann.next("presence")
        evaluator_token, client_token = (
            token_of("mallory", "evaluator"),
            token_of("mallory", "client"),
        )
        async with (
            open_peer(port, "mallory", "evaluator", token=evaluator_token) as evaluator,
            open_peer(port, "mallory", token=client_token) as client,
        ):
            await evaluator.next("presence")
            await ann.next("presence")
            yield Scene(port, ann, carl, session_id, [evaluator, client])


# ── registering ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ["evaluator", "client"])
async def test_who_has_a_token_of_his_own_is_registered_under_the_name_in_it(role: str) -> None:
    async with open_running_relay(SETTINGS) as port, open_peer(port) as peer:
        token = token_of("u", role, name="Ulla")
        peer.socket.post(register("u", role, token=token, name="the president"))
        registered = await peer.next("registered")
        assert (registered["userId"], registered["name"]) == ("u", "Ulla")


BAD_TOKENS = {
    "none": None,
    "somebody else's": token_of("carl", "client"),
    "one for the other role": token_of("mallory", "evaluator"),
    "an expired one": token_of("mallory", "client", ttl=-1),
    "one made with another secret": forge(secret=b"x" * 32),
    "one without a signature": jwt.encode(
        {"sub": "mallory", "role": "client", "exp": time.time() + 60}, "", "none"
    ),
    "one by another algorithm": forge("HS512", SECRET * 2),
    "one without an end": jwt.encode({"sub": "mallory", "role": "client"}, SECRET, "HS256"),
    "one that was tampered with": token_of("mallory", "client")[:-2] + "xx",
    "an empty one": "",
    "nonsense": "eyJ.eyJ.",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_who_has_no_token_of_his_own_is_refused_and_shut_out(token: str | None) -> None:
    more = {} if token is None else {"token": token}
    async with (
        open_running_relay(SETTINGS) as port,
        open_peer(port, "ann", "evaluator", token=token_of("ann", "evaluator")) as ann,
        open_peer(port) as peer,
    ):
        peer.socket.post(register("mallory", "client", **more))
        peer.socket.post(register("mallory", "client", token=token_of("mallory", "client")))
        error = await peer.next("error")
        assert (error["code"], error["event"]) == ("unauthorized", "register")
        assert not token or token not in error["message"]
        closed = await peer.wait_close()
        assert closed.code == 4001
        assert await ann.says_nothing_more()


async def test_a_user_can_not_register_as_another() -> None:
    async with open_scene() as scene:
        for user, role in (("ann", "evaluator"), ("carl", "client"), ("carl", "evaluator")):
            async with open_peer(scene.port) as peer:
                peer.socket.post(register(user, role, token=token_of("mallory", role)))
                assert (await peer.next("error"))["code"] == "unauthorized"
                assert (await peer.wait_close()).code == 4001
        assert await scene.is_undisturbed()


async def test_a_session_outlives_the_tokens_it_was_begun_with() -> None:
    # Somebody tries until the token has expired, however many tries a quick machine makes of that.
    settings = attrs.evolve(SETTINGS, connect_rate=0)
    async with (
        open_running_relay(settings) as port,
        open_peer(port, "ann", "evaluator", token=token_of("ann", "evaluator", ttl=1)) as ann,
    ):
        token = token_of("carl", "client", ttl=0.2)
        async with open_peer(port, "carl", token=token) as carl:
            await ann.next("presence")
            ann.post("start_session", clientId="carl")
            await carl.next("session_started")
            while True:
                # The relay's own word for it that the token has expired by now.
                async with open_peer(port) as late:
                    late.socket.post(register("carl", "client", token=token))
                    message = json.loads(await late.socket.receive())
                    if message["event"] == "error":
                        assert "expired" in message["data"]["message"]
                        break
            carl.post("webrtc_signal", targetUserId="ann", signal=1)
            assert (await ann.wait_for("webrtc_signal"))["fromUserId"] == "carl"


# ── somebody else's session ──────────────────────────────────────────────────────────────────────


async def test_a_signal_into_somebody_elses_session_goes_nowhere() -> None:
    async with open_scene() as scene:
        for mallory in scene.mallories:
            for target in ("ann", "carl"):
                for named in ({}, {"sessionId": scene.session_id}):
                    mallory.post("webrtc_signal", targetUserId=target, signal="mine", **named)
                    assert (await mallory.next("error"))["code"] == "no_session"
        assert await scene.is_undisturbed()


async def test_the_sender_of_a_signal_is_who_the_relay_says() -> None:
    async with open_scene() as scene:
        scene.ann.socket.post(
            event("webrtc_signal", targetUserId="carl", fromUserId="mallory", signal=1)
        )
        assert (await scene.carl.next("webrtc_signal"))["fromUserId"] == "ann"


async def test_somebody_elses_session_can_not_be_ended() -> None:
    async with open_scene() as scene:
        for mallory in scene.mallories:
            mallory.post("end_session", sessionId=scene.session_id)
            of_theirs = await mallory.next("error")
            mallory.post("end_session", sessionId="there is no such session")
            assert of_theirs == await mallory.next("error")
        assert await scene.is_undisturbed()


async def test_somebody_elses_client_can_not_be_taken() -> None:
    async with open_scene() as scene:
        evaluator, client = scene.mallories
        for more in ({}, {"sessionId": scene.session_id}):
            evaluator.post("start_session", clientId="carl", **more)
            assert (await evaluator.next("error"))["code"] == "client_busy"
        client.post("start_session", clientId="carl")
        assert (await client.next("error"))["code"] == "forbidden"
        assert await scene.is_undisturbed()


async def test_the_id_of_somebody_elses_session_is_of_no_use_with_a_client_of_ones_own() -> None:
    async with open_scene() as scene:
        evaluator, client = scene.mallories
        evaluator.post("start_session", clientId="mallory", sessionId=scene.session_id)
        started = await client.next("session_started")
        assert (started["evaluatorId"], started["resumed"]) == ("mallory", True)
        assert (await scene.ann.next("presence"))["userId"] == "mallory"
        assert await scene.is_undisturbed()


async def test_nobody_else_learns_anything_of_a_session() -> None:
    async with open_scene() as scene:
        assert await scene.is_undisturbed()
        scene.ann.post("end_session", sessionId=scene.session_id)
        await scene.carl.next("session_ended")
        evaluator, client = scene.mallories
        # Evaluators are told that it is free again, as the protocol has it, and no more.
        assert await evaluator.next("presence") == {
            "userId": "carl",
            "name": "carl",
            "state": "available",
        }
        assert await evaluator.says_nothing_more()
        assert await client.says_nothing_more()
