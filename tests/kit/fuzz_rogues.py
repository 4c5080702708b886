"""WebSockets that say what a fuzzer draws, and what has to come of it."""

import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

import attrs
import trio

from imgsync.core.codec.codec import MAX_FRAME, decode_to_relay
from imgsync.core.codec.strict import parse_object
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.signalling import CloseCode, ErrorCode, SendSignal
from tests.kit.fuzz_events import GOING, Opaque, Order, Step, Text
from tests.kit.relays import Object, event, register
from tests.net.test_frames import CLOSE, PING, PONG, TEXT, RawPeer, frame, open_raw

ENDS_WITHIN = 40.0
"""Seconds for one input, to the end of its connections, on a machine that other tests load besides.
The relay's own deadlines for an end, one after the other, are 4."""


@contextmanager
def telling_of(one: object) -> Iterator[None]:
    """What goes wrong tells of the input."""
    try:
        with trio.fail_after(ENDS_WITHIN):
            yield
    except trio.TooSlowError:
        raise AssertionError(f"it takes more than {ENDS_WITHIN} s: {one!r}") from None
    except Exception as exc:
        exc.add_note(f"the input: {one!r}")
        raise


async def end(raw: RawPeer) -> None:
    """Say that we say no more."""
    with suppress(trio.BrokenResourceError):  # the relay has closed already, with something unread
        await raw.stream.send_eof()


ANSWERS = {
    "register": "registered",
    "start_session": "session_started",
    "end_session": "session_ended",
}
"""Events that are answered to who says them, if they are not refused."""


EARLY_SIGNALS = Counter[str]()
"""How many signals that name a start have been sent, and how many of them have come."""

MARKS = itertools.count()
"""Numbers of which each is used once."""


@attrs.frozen
class Heard:
    """An event of the relay's, and the text that it came as."""

    text: str
    name: str
    content: Object

    @property
    def refused(self) -> str | None:
        """The name of the event that it is an error about."""
        return self.content.get("event", "") if self.name == "error" else None


class Rogue:
    """A WebSocket that says any text, and what the relay says to it."""

    def __init__(self, raw: RawPeer) -> None:
        self.raw = raw
        self.is_closed = False
        #: Whether the relay has asked for a pong: it may come too late, as we read when we ask.
        self.was_probed = False
        #: Whether it was closed because it had not registered for so long.
        self.was_late = False

    async def ask(self, *texts: str) -> list[Heard]:
        """Say these, and return what comes until they are answered; presence is passed over."""
        mark = f"mark {next(MARKS)}"
        sent = (*texts, json.dumps({"event": mark}))
        await self.raw.send(b"".join(frame(TEXT, text.encode()) for text in sent))
        found: list[Heard] = []
        while (heard := await self._next()) is not None and heard.refused != mark:
            if heard.name != "presence":
                found.append(heard)
        return found

    async def _next(self) -> Heard | None:
        while not self.is_closed and (one := await self.raw.read_frame()) is not None:
            opcode, payload = one
            if opcode == TEXT:
                message = json.loads(payload)
                return Heard(payload.decode(), message["event"], message["data"])
            if opcode == PING:
                self.was_probed = True
                await self.raw.send(frame(PONG, payload))
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2])
                self.was_late = code == CloseCode.REGISTER_TIMEOUT
                assert self.was_late or code == CloseCode.RATE_LIMITED, payload
                break
        self.is_closed = True
        return None


@asynccontextmanager
async def open_rogue(port: int) -> AsyncIterator[Rogue]:
    async with open_raw(port) as raw:
        await raw.upgrade()
        yield Rogue(raw)


async def send_texts(port: int, texts: Sequence[Text | Opaque]) -> None:
    """Each once before and once after registering; what is opaque inside a session."""
    user = f"rogue {next(MARKS)}"
    async with AsyncExitStack() as stack:
        opening = [open_rogue(port) for _ in range(3)]
        stranger, known, client = [await stack.enter_async_context(one) for one in opening]
        await client.ask(register(f"{user}'s client", "client"))
        start = event("start_session", clientId=f"{user}'s client")
        assert len(await known.ask(register(user, "evaluator"), start)) == 2
        assert len(await client.ask()) == 1
        for one in texts:
            with telling_of(one):
                if isinstance(one, Opaque):
                    await _pass_on(known, client, one, f"{user}'s client")
                    continue
                for rogue in (stranger, known):
                    answers = await rogue.ask(one.sent)
                    if (
                        rogue is stranger and rogue.was_late
                    ):  # those before have taken all the time that there is
                        rogue = stranger = await stack.enter_async_context(open_rogue(port))
                        answers = await rogue.ask(one.sent)
                    is_dropped = names_a_start(one.sent)
                    if rogue is stranger and is_dropped:
                        is_dropped = not answers  # it may have registered by one of these texts
                    assert len(answers) == (0 if is_dropped else 1), answers
                    assert not rogue.is_closed


def names_a_start(text: str) -> bool:
    """Whether it is a signal that goes to what a start has begun, or to nobody: none has."""
    try:
        message = decode_to_relay(text, MAX_FRAME)
    except WireError:
        return False
    return isinstance(message, SendSignal) and message.ref is not None


async def _pass_on(sender: Rogue, receiver: Rogue, opaque: Opaque, whom: str) -> None:
    content = f'"signal":{opaque.signal},"targetUserId":{json.dumps(whom)}'
    assert await sender.ask(f'{{"event":"webrtc_signal","data":{{{content}}}}}') == []
    (heard,) = await receiver.ask()
    message = parse_object(heard.text, len(heard.text), raw=("data", "signal"))
    assert message["data"]["signal"] == opaque.signal


class Run:
    """One order of events on sockets of its own, among users of its own and the healthy ones."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._number = next(MARKS)
        self._rogues: dict[int, Rogue] = {}
        self._known = "none yet"
        #: Numbers of signals that were sent and not refused.
        self._accepted: set[int] = set()
        self._arrived: set[int] = set()
        #: Those that name a start: by whom, and which.
        self._early: dict[int, tuple[Rogue, str]] = {}
        #: The sessions that the starts of these names have led to.
        self._started: dict[tuple[Rogue, str], set[str]] = {}
        #: Whether somebody went, so that what was sent to it may be lost.
        self._has_lost = False

    async def perform(self, order: Order) -> None:
        """All steps, each answered before the next; raises AssertionError."""
        try:
            for step in order:
                await self._perform(step)
            for rogue in self._rogues.values():
                if not rogue.is_closed:
                    await self._ask(rogue)
            assert self._has_lost or self._accepted == self._arrived
        finally:
            for rogue in self._rogues.values():
                rogue.raw.stream.socket.close()

    async def _perform(self, step: Step) -> None:
        if step.what in GOING:
            if (rogue := self._rogues.pop(step.socket, None)) is not None:
                self._has_lost = True
                await self._leave(rogue.raw, step.what)
            return
        rogue = self._rogues.get(step.socket) or await self._connect(step.socket)
        if rogue.is_closed:
            return
        number = next(MARKS)
        if step.ref is not None and step.what == "webrtc_signal":
            self._early[number] = rogue, step.ref
        answers = await self._ask(rogue, self._text_of(step, number))
        refusals = [one.content["code"] for one in answers if one.refused == step.what]
        assert len(refusals) <= 1, answers
        if rogue.is_closed:
            return
        if step.what == "start_session":
            self._check_ref(rogue, step.ref, answers)
        if step.what == "webrtc_signal":
            self._accepted |= set() if refusals or number in self._early else {number}
        elif not refusals and step.what in ANSWERS:
            assert ANSWERS[step.what] in [one.name for one in answers], answers
        if step.whom.startswith("healthy") and step.what not in ("end_session", "enter"):
            assert refusals or number in self._early, answers

    def _check_ref(self, rogue: Rogue, ref: str | None, answers: list[Heard]) -> None:
        """The answer to a start repeats its name, where that can be read."""
        told = [one for one in answers if one.name == "session_started"]
        told += [one for one in answers if one.refused == "start_session"]
        if not any(one.content.get("code") == ErrorCode.BAD_MESSAGE.value for one in told):
            assert told[-1].content.get("ref") == ref, answers
        for one in told:
            if ref is not None and one.name == "session_started" and one.content.get("ref") == ref:
                self._started.setdefault((rogue, ref), set()).add(one.content["sessionId"])

    async def _connect(self, socket: int) -> Rogue:
        raw = RawPeer(await trio.open_tcp_stream("127.0.0.1", self._port))
        rogue = self._rogues[socket] = Rogue(raw)
        await raw.upgrade()
        return rogue

    async def _ask(self, rogue: Rogue, *texts: str) -> list[Heard]:
        answers = await rogue.ask(*texts)
        for one in answers:
            if one.name == "session_started":
                self._known = one.content["sessionId"]
            if one.name == "webrtc_signal":
                assert one.content["fromUserId"].startswith(f"{self._number} ")
                self._arrive(one.content["signal"], one.content["sessionId"])
        if rogue.is_closed:
            self._has_lost = True
            codes = [one.content["code"] for one in answers if one.name == "error"]
            is_limited = codes == [ErrorCode.RATE_LIMITED.value]
            assert is_limited or rogue.was_probed or rogue.was_late
        return answers

    def _arrive(self, number: int, session_id: str) -> None:
        """What names a start comes in no session but one to which that has led."""
        if number in self._early:
            assert session_id in self._started[self._early[number]]
            EARLY_SIGNALS["arrived"] += 1
        else:
            self._arrived.add(number)

    def _text_of(self, step: Step, number: int) -> str:
        whom = step.whom if step.whom.startswith("healthy") else f"{self._number} {step.whom}"
        session: Any = {
            None: {},
            "known": {"sessionId": self._known},
            "made up": {"sessionId": f"{self._number} made up"},
        }.get(step.session, {"sessionId": step.session})
        ref = {} if step.ref is None else {"ref": step.ref}
        match step.what:
            case "register":
                features = ["early_offer"] if step.is_early else []
                return register(whom, step.role, features=features, state=step.door)
            case "enter":
                return event(step.what)
            case "start_session":
                return event(step.what, clientId=whom, **session, **ref)
            case "webrtc_signal":
                EARLY_SIGNALS["sent"] += step.ref is not None
                return event(step.what, targetUserId=whom, signal=number, **session, **ref)
            case _:
                return event(step.what, **session)

    async def _leave(self, raw: RawPeer, how: str) -> None:
        match how:
            case "reset":
                raw.reset()
            case "half a frame":
                await raw.send(frame(TEXT, b"hello")[:8])
                raw.reset()
            case "close":
                await raw.send(frame(CLOSE))
                await raw.read_rest()
            case _:
                await end(raw)
                await raw.read_rest()
        raw.stream.socket.close()


async def send_order(port: int, order: Order) -> None:
    await Run(port).perform(order)
