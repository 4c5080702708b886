"""A peer's token: where it has it from, that it is asked for anew each time, and never shown.

The relay is a doorkeeper that notes each register and lets in whom the test wants let in.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from imgsync import InputError, RelayError, open_client, open_evaluator
from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.errors import SocketClosed
from imgsync.core.protocol.numbers import (
    FEATURE_EARLY_OFFER,
    FEATURE_ICE_SERVERS,
    FEATURE_PRESENCES,
    FEATURE_WAITING,
    FEATURES,
)
from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorCode,
    ErrorEvent,
    IceServer,
    Register,
    Registered,
    Role,
)
from imgsync.peer.token_source import MAX_TOKEN, TokenSource, token_file
from imgsync.seams import Link

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjIn0.c2lnbmF0dXJl"
FRESH = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJkIn0.ZnJlc2hseQ"
EXPIRED = "the token has expired; ask for a new one"

#: Longer than the longest wait between two attempts.
NEXT_ATTEMPT_S = 8.0


class Door:
    """One connection; see `imgsync.seams.Socket`."""

    def __init__(self, keeper: Doorkeeper) -> None:
        self._keeper = keeper
        self._send, self._receive = trio.open_memory_channel[str | SocketClosed](10)

    def post(self, text: str) -> None:
        frame = json.loads(text)
        assert frame["event"] == "register"
        self._keeper.registers.append(frame["data"])
        for answer in self._keeper.answer(frame["data"]):
            self._send.send_nowait(answer)

    async def receive(self) -> str:
        frame = await self._receive.receive()
        if isinstance(frame, SocketClosed):
            raise frame
        return frame

    def probe(self, deadline: float) -> None:
        """It never goes without a word."""

    def cut(self) -> None:
        self._send.send_nowait(SocketClosed(CloseCode.ABNORMAL))


Answer = Sequence[str | SocketClosed]


class Doorkeeper:
    """A network that leads to no more than a register and its answer."""

    def __init__(self) -> None:
        #: What stood in each register, in order.
        self.registers: list[dict[str, Any]] = []
        self.doors: list[Door] = []
        self.answer: Callable[[dict[str, Any]], Answer] = let_in

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[Door]:
        await trio.lowlevel.checkpoint()
        self.doors.append(Door(self))
        yield self.doors[-1]

    def open_link(self, ice_servers: Sequence[IceServer]) -> AbstractAsyncContextManager[Link]:
        raise NotImplementedError

    @property
    def tokens(self) -> list[str | None]:
        """That of each register."""
        return [register.get("token") for register in self.registers]


def let_in(register: dict[str, Any]) -> Answer:
    return [encode_event(Registered(register["userId"], Role(register["role"])))]


def turn_away(register: dict[str, Any], message: str = EXPIRED) -> Answer:
    error = ErrorEvent(ErrorCode.UNAUTHORIZED, message, "register")
    return [encode_event(error), SocketClosed(CloseCode.UNAUTHORIZED, "unauthorized")]


async def register_client(keeper: Doorkeeper, token: TokenSource) -> None:
    async with open_client("door:", user_id="c", token=token, network=keeper):
        pass


async def failure_of(keeper: Doorkeeper, token: TokenSource, kind: type[Exception]) -> Any:
    """The error with which opening fails, which shows no token."""
    with pytest.raises(kind) as failure:
        await register_client(keeper, token)
    for shown in (str(failure.value), repr(failure.value), str(failure.value.__cause__)):
        assert TOKEN not in shown
        assert "\n" not in shown
    return failure.value


# ── at the first registration ────────────────────────────────────────────────────────────────────


async def test_both_peers_send_the_token_that_they_are_given(autojump_clock: MockClock) -> None:
    keeper = Doorkeeper()
    async with (
        open_evaluator("door:", user_id="e", token=TOKEN, network=keeper) as evaluator,
        open_client("door:", user_id="c", name="C", token=lambda: FRESH, network=keeper) as client,
    ):
        for peer in (evaluator, client, evaluator._signalling, client._signalling):
            assert TOKEN not in repr(peer)
    renewed = FEATURE_ICE_SERVERS
    evaluators = {"package": "webrtc", "features": [FEATURE_PRESENCES, FEATURE_WAITING, renewed]}
    clients = {"package": "webrtc", "features": [*FEATURES, FEATURE_EARLY_OFFER, renewed]}
    assert keeper.registers == [
        {"userId": "e", "role": "evaluator", "token": TOKEN, **evaluators},
        {"userId": "c", "role": "client", "token": FRESH, "name": "C", **clients},
    ]


async def test_without_a_token_none_is_sent(autojump_clock: MockClock) -> None:
    keeper = Doorkeeper()
    await register_client(keeper, None)
    [register] = keeper.registers
    assert "token" not in register


async def test_white_space_around_a_token_is_not_sent(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(f"\n {TOKEN}\r\n\n")
    keeper = Doorkeeper()
    for source in (f"{TOKEN}\n", lambda: f" {TOKEN}", token_file(path), token_file(str(path))):
        await register_client(keeper, source)
    assert keeper.tokens == [TOKEN] * 4


def unreadable(folder: Path, content: bytes | None) -> TokenSource:
    path = folder / "token"
    if content is not None:
        path.write_bytes(content)
    return token_file(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "can't read the token file '.*token': No such file .*; check --token-file"),
        (b"", "the token file '.*token' is empty; put a token into it"),
        (b" \r\n", "the token file '.*token' is empty; put a token into it"),
        (TOKEN.encode() + b"\xff", "can't read .*: it is not UTF-8 text; check --token-file"),
        (b"x" * (MAX_TOKEN + 1), "the token file .* is longer than any token; check .*"),
    ],
    ids=["missing", "empty", "blank", "not UTF-8", "too long"],
)
async def test_a_token_file_that_cant_be_used_is_told_before_any_connection(
    autojump_clock: MockClock, tmp_path: Path, content: bytes | None, why: str
) -> None:
    keeper = Doorkeeper()
    error = await failure_of(keeper, unreadable(tmp_path, content), InputError)
    assert pytest.raises(InputError, match=f"^{why}$").matches(error)
    assert keeper.doors == []


@pytest.mark.parametrize("path", [Path("/"), Path("a\0b"), Path("/dev/zero")], ids=str)
async def test_what_is_no_file_of_text_is_no_token_file(
    autojump_clock: MockClock, path: Path
) -> None:
    error = await failure_of(Doorkeeper(), token_file(path), InputError)
    assert "check --token-file" in str(error)


def raising(error: Exception) -> Callable[[], str]:
    def ask() -> str:
        raise error

    return ask


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", "the token is empty; give one, or none at all"),
        (" \n", "the token is empty; give one, or none at all"),
        (lambda: "", "the token is empty; give one, or none at all"),
        (raising(FileNotFoundError(2, "No such file")), "can't get the token: No such file"),
        (raising(TimeoutError()), "can't get the token: TimeoutError"),
        (partial(bytes.decode, TOKEN.encode() + b"\xff"), "can't get the token: it is not UTF-8"),
        (raising(InputError("the safe is locked")), "the safe is locked"),
    ],
)
async def test_a_source_that_has_no_token_is_an_input_error(
    autojump_clock: MockClock, source: TokenSource, text: str
) -> None:
    keeper = Doorkeeper()
    error = await failure_of(keeper, source, InputError)
    assert str(error).startswith(text)
    assert keeper.doors == []


async def test_a_mistake_in_a_source_comes_out_as_itself(autojump_clock: MockClock) -> None:
    await failure_of(Doorkeeper(), raising(KeyError("vault")), KeyError)


async def test_a_refused_token_is_an_error_of_the_relay_that_says_why(
    autojump_clock: MockClock,
) -> None:
    keeper = Doorkeeper()
    keeper.answer = turn_away
    error = await failure_of(keeper, TOKEN, RelayError)
    assert error.code is ErrorCode.UNAUTHORIZED
    assert str(error) == f"the relay refused to register us: {EXPIRED}"


async def test_who_has_sent_no_token_is_told_how_to_send_one(autojump_clock: MockClock) -> None:
    keeper = Doorkeeper()
    keeper.answer = partial(turn_away, message="This relay asks for a token.")
    error = await failure_of(keeper, None, RelayError)
    assert str(error) == (
        "the relay refused to register us: This relay asks for a token"
        " (it is given with --token-file, --token or IMGSYNC_TOKEN)"
    )


async def test_a_relay_that_repeats_the_token_does_not_get_it_into_the_error(
    autojump_clock: MockClock,
) -> None:
    keeper = Doorkeeper()
    keeper.answer = partial(turn_away, message=f"{TOKEN} has expired")
    error = await failure_of(keeper, TOKEN, RelayError)
    assert str(error).endswith(": (token) has expired")


@pytest.mark.parametrize(
    ("token", "reason", "said"),
    [
        (TOKEN, "", "unauthorized; ask whoever runs it for a token"),
        (TOKEN, "expired", "expired; ask whoever runs it for a token"),
        (TOKEN, TOKEN, "(token); ask whoever runs it for a token"),
        (
            None,
            "no token",
            "no token; ask whoever runs it for a token"
            " (it is given with --token-file, --token or IMGSYNC_TOKEN)",
        ),
    ],
    ids=["no reason", "reason", "token as the reason", "no token"],
)
async def test_a_relay_that_only_closes_is_understood_by_its_close_code(
    autojump_clock: MockClock, token: str | None, reason: str, said: str
) -> None:
    keeper = Doorkeeper()
    keeper.answer = lambda register: [SocketClosed(CloseCode.UNAUTHORIZED, reason)]
    error = await failure_of(keeper, token, RelayError)
    assert error.code is ErrorCode.UNAUTHORIZED
    assert str(error) == f"the relay refused to register us: {said}"


async def test_other_close_codes_are_told_as_they_come(autojump_clock: MockClock) -> None:
    keeper = Doorkeeper()
    keeper.answer = lambda register: [SocketClosed(CloseCode.RELAY_FULL, "full")]
    error = await failure_of(keeper, TOKEN, SocketClosed)
    assert error.code == CloseCode.RELAY_FULL


# ── later ────────────────────────────────────────────────────────────────────────────────────────


async def come_back(keeper: Doorkeeper) -> None:
    """Lose the relay, and give the peer the time for another attempt."""
    keeper.doors[-1].cut()
    await trio.sleep(NEXT_ATTEMPT_S)


async def test_a_source_is_asked_anew_at_each_registration(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "imgsync")
    keeper = Doorkeeper()
    tokens = iter([TOKEN, FRESH, TOKEN])
    async with open_client("door:", user_id="c", token=lambda: next(tokens), network=keeper):
        await come_back(keeper)
        await come_back(keeper)
    assert keeper.tokens == [TOKEN, FRESH, TOKEN]
    assert TOKEN not in caplog.text
    assert FRESH not in caplog.text


async def test_a_text_is_sent_each_time(autojump_clock: MockClock) -> None:
    keeper = Doorkeeper()
    async with open_client("door:", user_id="c", token=TOKEN, network=keeper):
        await come_back(keeper)
    assert keeper.tokens == [TOKEN] * 2


async def test_a_token_file_that_is_gone_for_a_while_is_waited_for_with_warnings(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    keeper = Doorkeeper()
    async with open_client("door:", user_id="c", token=token_file(path), network=keeper):
        path.unlink()
        await come_back(keeper)
        path.write_text("\n")
        await trio.sleep(60)
        assert keeper.tokens == [TOKEN]
        assert 8 < len(caplog.records) < 30  # the wait between two attempts grows
        assert "can't read the token file" in caplog.text
        assert "is empty; put a token into it" in caplog.text
        path.write_text(FRESH)
        await trio.sleep(NEXT_ATTEMPT_S)
        assert keeper.tokens == [TOKEN, FRESH]
        warnings = len(caplog.records)
        await trio.sleep(60)
        assert len(caplog.records) == warnings
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert TOKEN not in caplog.text


async def test_a_token_that_has_expired_meanwhile_is_tried_until_a_fresh_one_comes(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    keeper = Doorkeeper()
    async with open_evaluator("door:", user_id="e", token=token_file(path), network=keeper):
        keeper.answer = lambda register: (
            let_in(register)
            if register["token"] == FRESH
            else turn_away(register, f"{TOKEN}: {EXPIRED}")
        )
        await come_back(keeper)
        await trio.sleep(60)
        attempts = len(keeper.registers)
        assert 8 < attempts < 30
        path.write_text(FRESH)
        await trio.sleep(NEXT_ATTEMPT_S)
        assert keeper.tokens == [TOKEN] * attempts + [FRESH]
        await trio.sleep(60)
        assert len(keeper.registers) == attempts + 1
    assert EXPIRED in caplog.text
    assert TOKEN not in caplog.text


async def test_leaving_ends_a_peer_that_waits_for_a_token(autojump_clock: MockClock) -> None:
    keeper = Doorkeeper()
    tokens = iter([TOKEN])

    def ask() -> str:
        try:
            return next(tokens)
        except StopIteration:
            raise InputError("there is no other token") from None

    begin = trio.current_time()
    async with open_client("door:", user_id="c", token=ask, network=keeper):
        keeper.doors[-1].cut()
        await wait_all_tasks_blocked()
    assert trio.current_time() == begin
    assert keeper.tokens == [TOKEN]


def test_no_repr_shows_a_token() -> None:
    assert TOKEN not in repr(Register("c", Role.CLIENT, "webrtc", token=TOKEN))
