"""Commands whose other side misbehaves: they name it in one line, or survive it.

The other side is a bare WebSocket, and then a good peer of ours inside the test.
"""

from __future__ import annotations

import json
import re
import signal
from functools import partial

import trio

from imgsync import open_evaluator
from tests.kit.command_lines import (
    END_S,
    HERE,
    LOOPBACK,
    NOBODY,
    assert_one_complaint,
    client,
    evaluator,
)
from tests.kit.forks import open_fork
from tests.kit.processes import (
    JSON,
    SAMPLES,
    SESSION_S,
    START_S,
    Outcome,
    run_together,
    wait_until,
)
from tests.kit.raw_peers import open_raw

SDP = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:0
a=sctp-port:5000
a=max-message-size:65536
a=ice-ufrag:{ufrag}
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
"""

NOT_AGREED = "the session has ended: the two sides could not agree on a connection"


def sdp(ufrag: str = "abcd", **changes: str) -> str:
    fingerprint = ":".join(["00"] * 32)
    text = SDP.format(ufrag=ufrag, fingerprint=fingerprint)
    for old, new in changes.items():
        text = re.sub(rf"(?m)^.={old}\b.*\n", new, text)
    return text.replace("\n", "\r\n")


def candidate(text: object) -> JSON:
    return {"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0}


def offer(text: object) -> JSON:
    return {"type": "offer", "sdp": text}


#: What an evaluator may say, and what the client says of it when it ends the session.
NONSENSE: dict[str, tuple[object, str]] = {
    "a number": (17, "unreadable signal: expected an object"),
    "a list": ([[]], "unreadable signal: expected an object"),
    "an empty object": ({}, "unreadable signal: neither a type nor a candidate"),
    "a deep nest": (json.loads("[" * 500 + "]" * 500), "unreadable signal: "),
    "an offer without SDP": ({"type": "offer"}, "unreadable signal: signal.sdp: missing"),
    "an offer of a number": (offer(5), "unreadable signal: signal.sdp: expected a string"),
    "an offer of noise": (offer("noise"), "its SDP does not begin with v=0"),
    "an offer of 40 kB": (offer("v=0\r\n" + "a=x\r\n" * 8000), "more than 32768 characters"),
    "an offer of video": (
        offer(sdp(application="m=video 9 UDP/TLS/RTP/SAVPF 96\n")),
        "it has no data-channel section",
    ),
    "an offer without a fingerprint": (offer(sdp(fingerprint="")), "its a=fingerprint is missing"),
}

#: What it may say that is no reason to end anything.
HARMLESS: list[object] = [
    None,
    {"type": "answer", "sdp": "not for a client"},
    {"type": "request_offer"},
    {"type": "something new", "sdp": 5},
    candidate(""),
    candidate(5),
    candidate("candidate:noise"),
    candidate("candidate:1 1 udp 1 127.0.0.1 0 typ host"),
    candidate("candidate:1 1 udp 1 example.org 9 typ host"),
    candidate("candidate:1 1 udp 1 127.0.0.1 9 typ quic " + "x" * 10_000),
    candidate("candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active"),
    *[candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host")] * 200,
    offer(sdp()),
    offer(sdp()),
    candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host"),
]

FLOOD = 5000


async def assert_serves(client_id: str, url: str) -> None:
    """A good session; where the client has just lost the relay, when it is back."""
    async with open_evaluator(url, user_id="good", ice_addresses=[LOOPBACK]) as library:
        await wait_until(lambda: client_id in library.clients, f"{client_id} at the relay", START_S)
        with trio.fail_after(SESSION_S):
            async with library.open_session(client_id) as session:
                await session.show(NOBODY)


async def test_a_client_survives_whatever_an_evaluator_says_and_then_serves_a_good_session(
    relay_url: str,
) -> None:
    follow = client(relay_url, "bold", *HERE, "--json")
    async with open_fork("client", *follow) as following:
        await following.wait_event("registered")
        async with open_raw(relay_url, "evaluator", "hostile") as hostile:
            for name, (value, complaint) in NONSENSE.items():
                session_id = await hostile.start("bold")
                hostile.signal("bold", value)
                ended = await hostile.wait_event("session_ended")
                assert (ended["sessionId"], ended["byUserId"]) == (session_id, "bold"), name
                told = await following.wait_event("ended")
                assert told["sessionId"] == session_id, name
                assert told["reason"] == "negotiation_failed", name
                assert complaint in told["detail"], name

            session_id = await hostile.start("bold")
            for value in HARMLESS:
                hostile.signal("bold", value)
            answer = await hostile.wait_event("webrtc_signal", "session_ended")
            assert answer.get("signal", {}).get("type") == "answer"
            hostile.say("end_session", sessionId=session_id)
            assert (await following.wait_event("ended"))["reason"] == "ended"
        await assert_serves("bold", relay_url)
        assert (await following.wait_event("ended"))["reason"] == "ended"
        following.process.send_signal(signal.SIGINT)
        outcome = await following.wait_outcome(END_S)
    assert (outcome.code, outcome.errors) == (130, [])


async def test_a_client_survives_a_flood_of_candidates_and_a_frame_that_is_too_large(
    relay_url: str,
) -> None:
    follow = client(relay_url, "flooded", *HERE, "--json")
    one = candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host")
    async with open_fork("client", *follow) as following:
        await following.wait_event("registered")
        async with open_raw(relay_url, "evaluator", "flood") as flood:
            await flood.start("flooded")
            for _ in range(FLOOD):
                flood.signal("flooded", one)
                # Else they would pile up here instead of there.
                await trio.lowlevel.checkpoint()
        # It ignores them, or has had too many; then nobody is there any more.
        told = await following.wait_event("ended", SESSION_S)
        assert told["reason"] in ("peer_gone", "negotiation_failed")
        async with open_raw(relay_url, "evaluator", "giant") as giant:
            await giant.start("flooded")
            giant.signal("flooded", offer("v" * 70_000))
            assert (await following.wait_event("ended"))["reason"] == "peer_gone"
        await assert_serves("flooded", relay_url)
        assert (await following.wait_event("ended"))["reason"] == "ended"
        following.process.send_signal(signal.SIGINT)
        outcome = await following.wait_outcome(END_S)
    assert outcome.code == 130
    assert "Traceback" not in "\n".join(outcome.errors)


def answer(text: object) -> JSON:
    return {"type": "answer", "sdp": text}


#: What a client may say, and how the evaluator's complaint ends.
NONSENSE_OF_CLIENTS: dict[str, tuple[list[object], str]] = {
    "noise": (
        [answer("noise")],
        r"the other side sent an answer that can't be used: its SDP does not begin with v=0",
    ),
    "number": ([17], r"the other side sent an unreadable signal: expected an object"),
}


async def test_an_evaluator_names_in_one_line_what_was_wrong_with_a_clients_answer(
    relay_url: str,
) -> None:
    async def converse(name: str) -> Outcome:
        show = evaluator(relay_url, name, *HERE, str(SAMPLES))
        async with (
            open_raw(relay_url, "client", name) as hostile,
            open_fork("evaluator", *show) as showing,
        ):
            await hostile.wait_event("webrtc_signal")
            for value in NONSENSE_OF_CLIENTS[name][0]:
                hostile.signal(f"evaluator-of-{name}", value)
            return await showing.wait_outcome(END_S)

    outcomes = await run_together({name: partial(converse, name) for name in NONSENSE_OF_CLIENTS})
    for name, (_, pattern) in NONSENSE_OF_CLIENTS.items():
        complaint = assert_one_complaint(name, outcomes[name])
        assert re.fullmatch(f"imgsync evaluator: {NOT_AGREED} \\({pattern}\\)", complaint)
