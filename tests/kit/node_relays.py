"""Relays as processes that are nodes of one, and users that come back at any of them."""

from __future__ import annotations

import itertools
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Self

import attrs
import trio

from imgsync.core.protocol.errors import ConnectError, SocketClosed
from imgsync.net.connect import open_relay_socket
from imgsync.tasks import Bell
from tests.kit.forks import can_fork, open_fork
from tests.kit.processes import (
    JSON,
    LISTENING,
    LOOK_AGAIN_S,
    START_S,
    STRICT,
    Child,
    open_child,
)
from tests.kit.relays import event, register

CONNECT_S = 1.0
"""Seconds that a user gives a node to answer: one that is frozen takes connections, and no more."""

AGAIN_S = 0.05
"""Seconds after which a user tries the next node, or says once more what was refused."""

ANSWER_S = 0.3
"""Seconds after which a signal is said once more that has come to nothing."""

WITHIN_S = 20.0
"""Seconds for anything to come about on a loaded machine."""


@attrs.frozen
class Pace:
    """How soon a node does what it does.

    :param lease: seconds that it lives without renewing its lease.
    :param silence: seconds of silence after which it asks whether it hears.
    :param inbox: entries that may stand in its inbox.
    :param probes: whether it asks at all.
    :param call: seconds in which Redis has to answer.
    """

    lease: float = 10.0
    silence: float = 5.0
    inbox: int = 4096
    probes: bool = True
    call: float = 1.0


USUAL = Pace()

PATIENT = Pace(call=5.0)
"""For tests that count on a Redis that answers, on a loaded machine."""

HASTY = Pace(lease=2.0, silence=0.3)
"""For tests that wait for a lease to run out: it is renewed every 0.6 s."""


@attrs.frozen
class Node:
    """One that runs."""

    child: Child
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].removesuffix("/ws"))

    def send(self, number: signal.Signals) -> None:
        self.child.process.send_signal(number)

    def freeze(self) -> None:
        """Have it do nothing any more, with all of its connections open."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.child.wait_exit()

    async def end(self, seconds: float) -> None:
        """As its operator does."""
        self.send(signal.SIGTERM)
        assert await self.child.wait_exit(seconds) == 0
        assert "Traceback" not in self.child.read_errors()


@asynccontextmanager
async def open_node(
    redis_url: str,
    *options: str,
    pace: Pace | None = USUAL,
    prefix: str = "imgsync",
    env: Mapping[str, str] = STRICT,
) -> AsyncIterator[Node]:
    """One more, which has come in. It is ended also where it is frozen.

    :param pace: none for that of people's relays, to the letter.
    """
    program = ["imgsync.relay"]
    if pace is not None:
        program = ["tests.kit.paced_node", json.dumps(attrs.asdict(pace))]
    command = (sys.executable, "-m", *program)
    shared = ("--redis", redis_url, "--redis-prefix", prefix)
    usual = ("--port", "0", "--stun", "none", "--connect-rate", "0")
    opened = open_fork if env is STRICT else open_child
    assert can_fork(env)
    async with opened("node", *command, *usual, *shared, *options, env=env) as child:
        line = await child.wait_line(START_S)
        assert line.startswith(LISTENING)
        node = Node(child, line.removeprefix(LISTENING))
        try:
            await wait_health(node, 200, "ok")
            yield node
        finally:
            node.thaw()


@asynccontextmanager
async def open_nodes(
    count: int, redis_url: str, *options: str, pace: Pace | None = USUAL, prefix: str = "imgsync"
) -> AsyncIterator[list[Node]]:
    """As many."""
    async with AsyncExitStack() as stack:
        opened = [open_node(redis_url, *options, pace=pace, prefix=prefix) for _ in range(count)]
        yield [await stack.enter_async_context(one) for one in opened]


async def get(port: int, path: str) -> tuple[int, str]:
    """Status and body."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        await stream.send_all(head.encode())
        answer = b""
        while some := await stream.receive_some():
            answer += some
    start, _, body = answer.decode().partition("\r\n\r\n")
    return int(start.split(" ")[1]), body


async def wait_health(node: Node, status: int, word: str, seconds: float = WITHIN_S) -> None:
    """Until it says that of itself."""
    with trio.fail_after(seconds):
        while await get(node.port, "/health") != (status, f"{word}\n"):  # noqa: ASYNC110
            await trio.sleep(LOOK_AGAIN_S)


# ── users that come back ─────────────────────────────────────────────────────────────────────────


class User:
    """Is always at one of the nodes: where its socket is lost, it registers at the next.

    An evaluator names its session then, as one has to that does not know whether it lives.

    :param client_id: with whom an evaluator wants to be in a session.
    """

    def __init__(self, user_id: str, urls: Sequence[str], client_id: str | None = None) -> None:
        self.id = user_id
        self.client_id = client_id
        self.session_id: str | None = None
        self.events: list[tuple[str, JSON]] = []
        #: At which node it is registered.
        self.url: str | None = None
        #: How often its socket was lost.
        self.lost = 0
        self._urls = itertools.cycle(urls)
        self._post: Callable[[str], None] | None = None
        self._more = Bell()

    def say(self, name: str, /, **content: object) -> None:
        if self._post is not None:
            self._post(event(name, **content))

    async def run(self) -> None:
        """Until cancelled."""
        for url in self._urls:
            with suppress(ConnectError, SocketClosed):
                async with open_relay_socket(url, connect_deadline=CONNECT_S) as socket:
                    role = "client" if self.client_id is None else "evaluator"
                    socket.post(register(self.id, role))
                    self._post = socket.post
                    try:
                        while True:
                            self._hear(json.loads(await socket.receive()), url)
                            if self._wants_session():
                                await trio.sleep(AGAIN_S)
                                self._start()
                    finally:
                        self._post, self.url = None, None
                        self.lost += 1
                        self._more.ring()
            await trio.sleep(AGAIN_S)

    def _hear(self, message: JSON, url: str) -> None:
        name, content = message["event"], message["data"]
        self.events.append((name, content))
        if name == "registered":
            self.url = url
            if self.client_id is not None:
                self._start()
        if name == "session_started":
            self.session_id = content["sessionId"]
        self._more.ring()

    def _wants_session(self) -> bool:
        """Whether it was refused the last time that it asked for it."""
        name, content = self.events[-1]
        return name == "error" and content.get("event") == "start_session"

    def _start(self) -> None:
        named = {} if self.session_id is None else {"sessionId": self.session_id}
        self.say("start_session", clientId=self.client_id, **named)

    async def until(self, is_so: Callable[[], bool], seconds: float = WITHIN_S) -> None:
        """Something is so after one of its events."""
        with trio.fail_after(seconds):
            while not is_so():
                await self._more.wait()

    def has_heard(self, signal: object) -> bool:
        return any(
            name == "webrtc_signal" and content["signal"] == signal for name, content in self.events
        )

    def told(self, name: str) -> list[JSON]:
        return [content for one, content in self.events if one == name]


@attrs.frozen
class Pair:
    """Two users in a session."""

    evaluator: User
    client: User
    numbers: itertools.count[int] = attrs.field(factory=itertools.count)

    @property
    def users(self) -> tuple[User, User]:
        return self.evaluator, self.client

    async def exchange(self, seconds: float = WITHIN_S) -> None:
        """A signal each way, said again while somebody is away."""
        with trio.fail_after(seconds):
            await self._pass(self.evaluator, self.client)
            await self._pass(self.client, self.evaluator)

    async def _pass(self, sender: User, receiver: User) -> None:
        value = f"{sender.id} {next(self.numbers)}"
        while not receiver.has_heard(value):
            session_id = self.evaluator.session_id
            sender.say(
                "webrtc_signal", targetUserId=receiver.id, signal=value, sessionId=session_id
            )
            with suppress(trio.TooSlowError):
                await receiver.until(lambda: receiver.has_heard(value), ANSWER_S)

    @property
    def has_gone_on(self) -> bool:
        """Whether both have had one session all the time."""
        told = [*self.evaluator.told("session_started"), *self.client.told("session_started")]
        ended = [*self.evaluator.told("session_ended"), *self.client.told("session_ended")]
        return len({content["sessionId"] for content in told}) == 1 and not ended


async def start_pair(
    nursery: trio.Nursery,
    evaluator_urls: Sequence[str],
    client_urls: Sequence[str],
    name: str = "",
) -> Pair:
    """Both are at the first of their nodes, and have been told of their session."""
    evaluator, client = User(f"e{name}", evaluator_urls, f"c{name}"), User(f"c{name}", client_urls)
    nursery.start_soon(client.run)
    await client.until(lambda: client.url is not None)
    nursery.start_soon(evaluator.run)
    for user in (evaluator, client):
        await user.until(lambda user=user: user.session_id is not None)  # type: ignore[misc]
    return Pair(evaluator, client)


class Pairs(AsyncExitStack):
    """A pair whose users are at two nodes, and one with both at the first of these.

    :ivar all: both.
    """

    def __init__(self, a: Node, b: Node) -> None:
        super().__init__()
        self._urls = a.url, b.url
        self.all: list[Pair] = []

    async def __aenter__(self) -> Self:
        a, b = self._urls
        for opened in (open_pair([a, b], [b, a], "-apart"), open_pair([a], [a], "-together")):
            self.all.append(await self.enter_async_context(opened))
        return self

    async def go_on(self) -> None:
        """Each in the session that it has had all the time."""
        for pair in self.all:
            await pair.exchange()
            assert pair.has_gone_on, [user.events for user in pair.users]

    @property
    def lost(self) -> int:
        """How many sockets were."""
        return sum(user.lost for pair in self.all for user in pair.users)


@asynccontextmanager
async def open_pair(
    evaluator_urls: Sequence[str], client_urls: Sequence[str], name: str = ""
) -> AsyncIterator[Pair]:
    """... and have exchanged signals."""
    async with trio.open_nursery() as nursery:
        pair = await start_pair(nursery, evaluator_urls, client_urls, name)
        await pair.exchange()
        yield pair
        nursery.cancel_scope.cancel()
