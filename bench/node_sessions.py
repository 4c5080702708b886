"""Sessions across several nodes in which signals go both ways all the time, and what becomes of
them, and of the sockets of their peers, while something happens to the nodes or to their Redis."""

from __future__ import annotations

import itertools
import math
import os
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

import attrs
import trio

from imgsync.tasks import open_background
from tests.kit.forks import open_relay
from tests.kit.node_relays import Node, Pair, User, get, open_nodes, start_pair
from tests.kit.processes import JSON

SESSIONS = 20

EVERY_S = 0.2
"""Seconds between two signals of one peer."""

SILENCE_S = 1.0
"""Seconds without a signal that are more than a loaded machine."""

STEADY_S = 2.0
"""Seconds without such a silence, after which signals pass again."""

SETTLE_S = 16.0
"""Seconds that are looked at behind what happens: a lease, two renewals."""

AWAY_S = 60.0
"""Seconds in which whoever is away has to be back."""


class Wrong(Exception):
    """Something was lost, doubled, or not told, that should not be."""


# ── one session ──────────────────────────────────────────────────────────────────────────────────


@attrs.define(eq=False)
class Watched:
    """One user, and when it heard what.

    :ivar heard: each event with its time, on Trio's clock.
    :ivar aways: seconds from the loss of a socket to the next that is registered.
    """

    user: User
    heard: list[tuple[float, str, JSON]] = attrs.field()
    aways: list[float] = attrs.field(factory=list)

    @heard.default
    def _before(self) -> list[tuple[float, str, JSON]]:
        """What it has heard by now is of now."""
        return [(trio.current_time(), *one) for one in self.user.events]

    async def listen(self) -> NoReturn:
        user = self.user
        while True:
            await user.until(lambda: len(user.events) > len(self.heard), math.inf)
            now = trio.current_time()
            self.heard += [(now, *one) for one in user.events[len(self.heard) :]]

    async def time_aways(self) -> NoReturn:
        user = self.user
        while True:
            await user.until(lambda: user.url is None, math.inf)
            left = trio.current_time()
            await user.until(lambda: user.url is not None, math.inf)
            self.aways.append(trio.current_time() - left)

    def silences(self, begin: float, end: float) -> list[tuple[float, float]]:
        """How long it heard no signal, and until when, each time, between two times."""
        there = [time for time, name, _ in self.heard if name == "webrtc_signal"]
        times = [begin, *(time for time in there if begin < time < end), end]
        return [(after - before, after) for before, after in itertools.pairwise(times)]

    def told(self, since: float) -> list[str]:
        """What it was told but signals, in words that can be counted."""
        return [
            in_words(name, content)
            for time, name, content in self.heard
            if time >= since and name != "webrtc_signal"
        ]


@attrs.define(eq=False)
class Session:
    """Two users, of whom each says something all the time."""

    pair: Pair
    sides: tuple[Watched, Watched]

    async def run(self) -> NoReturn:
        async with trio.open_nursery() as nursery:
            for side in self.sides:
                nursery.start_soon(side.listen)
                nursery.start_soon(side.time_aways)
            evaluator, client = self.pair.users
            nursery.start_soon(self._talk, evaluator, client)
            nursery.start_soon(self._talk, client, evaluator)
        raise AssertionError("they talk for ever")

    async def _talk(self, sender: User, receiver: User) -> NoReturn:
        for number in itertools.count():
            session_id = self.pair.evaluator.session_id
            content = {"targetUserId": receiver.id, "signal": number, "sessionId": session_id}
            sender.say("webrtc_signal", **content)
            await trio.sleep(EVERY_S)
        raise AssertionError("numbers have an end")

    def silences(self, begin: float, end: float) -> list[tuple[float, float]]:
        return [one for side in self.sides for one in side.silences(begin, end)]

    def find_wrong(self, end: float) -> list[str]:
        """What is wrong with it, a moment before the end that was looked at."""
        who = " and ".join(user.id for user in self.pair.users)
        wrong: list[str] = []
        if not self.pair.has_gone_on:
            told = [
                (name, one)
                for user in self.pair.users
                for name in _OF_IT
                for one in user.told(name)
            ]
            wrong.append(f"the session of {who} has not gone on: {told}")
        wrong += [
            f"{user.id}, which has registered, was told that it has not"
            for user in self.pair.users
            if any(one["code"] == "not_registered" for one in user.told("error"))
        ]
        if any(silence > 2 * SILENCE_S for silence, at in self.silences(0.0, end) if at == end):
            wrong.append(f"in the session of {who} no signal passes any more")
        return wrong


_OF_IT = ("session_started", "session_ended")


# ── all of them ──────────────────────────────────────────────────────────────────────────────────


@attrs.define(eq=False)
class Crowd:
    """Sessions at some nodes.

    :param nodes: those that are to live.
    :param control: a session at a relay to which nothing happens: what it is without signals, the
        machine is to blame for.
    """

    nodes: list[Node]
    _nursery: trio.Nursery
    _control: Session
    sessions: list[Session] = attrs.field(factory=list)

    async def add(self, evaluator_at: int, client_at: int) -> None:
        """One more session, of users that are at the nodes of these numbers, and talk."""
        urls = [node.url for node in self.nodes]
        ways = [[*urls[at:], *urls[:at]] for at in (evaluator_at, client_at)]
        number = f"{len(self.sessions)}"
        self.sessions.append(await start_session(self._nursery, ways[0], ways[1], number))

    def users_at(self, node: Node) -> list[User]:
        return [user for one in self.sessions for user in one.pair.users if user.url == node.url]

    @asynccontextmanager
    async def watch(
        self, what: str, may_lose: Collection[User] = (), settle: float = SETTLE_S
    ) -> AsyncIterator[None]:
        """Look at all of it while something happens, which is over at the end of the block.

        :param may_lose: whose sockets may be lost by it.
        :param settle: seconds that are looked at behind it.
        :raises Wrong: after it has been told what was seen.
        """
        await trio.sleep(SILENCE_S)  # what has been before is heard by then
        begin = trio.current_time()
        lost = {user: user.lost for one in self.sessions for user in one.pair.users}
        yield
        over = trio.current_time()
        await trio.sleep(settle)
        seen = Seen(self.sessions, self._control, begin, over, trio.current_time())
        losers = [user for user, before in lost.items() if user.lost > before]
        print(f"{what}; {len(self.sessions)} sessions on {len(self.nodes)} nodes:")
        seen.show(may_lose)
        show(f"sockets lost: {sum(user.lost - lost[user] for user in losers)}")
        show(f"nodes: {count_words(await read_troubles(self.nodes)) or 'without troubles'}")
        show(f"load {os.getloadavg()[0]:.1f}")
        wrong = [line for one in self.sessions for line in one.find_wrong(seen.end)]
        wrong += [f"{user.id} has lost its socket" for user in losers if user not in may_lose]
        wrong += [*await self._find_wrong()]
        if wrong:
            raise Wrong("\n".join([what, *wrong]))

    async def _find_wrong(self) -> list[str]:
        """What the nodes say of themselves that is not so."""
        count = 0.0
        for node in self.nodes:
            count += sum((await read_figures(node, "imgsync_sessions")).values())
        wrong = [] if count == len(self.sessions) else [f"the nodes count {count:g} sessions"]
        for node in self.nodes:
            errors = node.child.read_errors()
            wrong += [f"{node.url} says\n{errors}"] if "Traceback" in errors else []
        return wrong


@attrs.frozen
class Seen:
    """What came of something that has happened.

    :param begin: of it, on Trio's clock.
    :param over: when it had happened.
    :param end: of what was looked at.
    """

    sessions: Sequence[Session]
    control: Session
    begin: float
    over: float
    end: float

    def show(self, hit: Collection[User]) -> None:
        """:param hit: whom it has concerned first of all, if not everybody."""
        again = [self._again(one) for one in self.sessions]
        show(f"it lasted {self.over - self.begin:.1f} s")
        show(f"signals pass again in each session after: {in_seconds(again)}")
        concerned = [one for one in self.sessions if not hit or {*one.pair.users} & {*hit}]
        others = [one for one in self.sessions if one not in concerned]
        for sessions, which in ((concerned, "in a session"), (others, "in those of others")):
            if sessions:
                silences = [self._silence(one) for one in sessions]
                show(f"longest without a signal {which}: {in_seconds(silences)}")
        show(f"... at a relay to which nothing happens: {self._silence(self.control):.1f} s")
        told = Counter(
            word for one in self.sessions for side in one.sides for word in side.told(self.begin)
        )
        show(f"told: {count_words(told) or 'nothing'}")

    def _silence(self, session: Session) -> float:
        """The longest."""
        return max(silence for silence, _ in session.silences(self.begin, self.end))

    def _again(self, session: Session) -> float:
        """Seconds from the end of it until signals pass both ways, for a while at least."""
        silences = session.silences(self.begin, self.end)
        again = self.over
        for silence, at in sorted(silences, key=lambda one: one[1]):
            if silence > SILENCE_S and at - silence < again + STEADY_S:
                again = max(again, at)
        return again - self.over


async def start_session(
    nursery: trio.Nursery, evaluator_urls: Sequence[str], client_urls: Sequence[str], name: str
) -> Session:
    """One in which both talk."""
    pair = await start_pair(nursery, evaluator_urls, client_urls, name)
    await pair.exchange(AWAY_S)
    session = Session(pair, (Watched(pair.evaluator), Watched(pair.client)))
    nursery.start_soon(session.run)
    return session


@asynccontextmanager
async def open_crowd(nodes: list[Node], count: int = SESSIONS) -> AsyncIterator[Crowd]:
    """So many sessions, of which each second has both of its users at one node."""
    async with open_relay() as url, open_background() as nursery:
        control = await start_session(nursery, [url], [url], "-control")
        crowd = Crowd(nodes, nursery, control)
        for number in range(count):
            at = number % len(nodes)
            await crowd.add(at, at if number % 2 else (at + 1) % len(nodes))
        yield crowd


@asynccontextmanager
async def open_crowd_at(*redis_urls: str) -> AsyncIterator[Crowd]:
    """... at as many nodes, of which each reaches Redis at one of these."""
    async with open_all(redis_urls) as nodes, open_crowd(nodes) as crowd:
        yield crowd


@asynccontextmanager
async def open_all(redis_urls: Sequence[str]) -> AsyncIterator[list[Node]]:
    """A node for each of these."""
    if not redis_urls:
        yield []
        return
    async with (
        open_nodes(1, redis_urls[0], pace=None) as first,
        open_all(redis_urls[1:]) as others,
    ):
        yield [*first, *others]


# ── words ────────────────────────────────────────────────────────────────────────────────────────


async def read_troubles(nodes: Sequence[Node]) -> Counter[str]:
    """What these say that they had, and how often."""
    found: Counter[str] = Counter()
    for node in nodes:
        found += Counter(await read_figures(node, "imgsync_node_troubles_total"))
    return found


async def read_figures(node: Node, metric: str) -> dict[str, float]:
    """What is not 0 of it, by its label."""
    _, text = await get(node.port, "/metrics")
    lines = [line.split(" ") for line in text.splitlines() if line.startswith(metric)]
    named = {name.removeprefix(metric): float(value) for name, value in lines}
    return {
        name.partition('"')[2].rstrip('"}'): value
        for name, value in named.items()
        if value and name[:1] in ("", "{")
    }


def in_words(name: str, content: JSON) -> str:
    """An event, as it can be counted."""
    match name:
        case "error":
            return f"error {content['code']} of {content['event']}"
        case "presence":
            return f"presence {content['state']}"
        case _:
            return name


def show(line: str) -> None:
    print(f"    {line}", flush=True)


def count_words(counted: Counter[str]) -> str:
    return ", ".join(f"{word} {count:g}" for word, count in sorted(counted.items()))


def in_seconds(times: Sequence[float]) -> str:
    return f"median {statistics.median(times):.1f} s, at most {max(times):.1f} s"
