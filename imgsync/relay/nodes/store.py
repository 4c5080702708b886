"""What the nodes of a relay share, kept by Redis 6.2 or later.

Each call is one script, answered within a second or not at all: then `StoreAway` is raised, and
whether it was carried out is unknown. Nothing is sent twice. A connection to another server than
that on which the epoch was taken means that this one has perhaps lost the last of what was written:
the epoch is lost, until `open` takes the new one.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from imgsync.core.protocol.errors import EpochLost, LeaseLost
from imgsync.core.protocol.signalling import UserId
from imgsync.core.relay.nodes.store import Answer, Boot, Entry, Hint, Key, Renewal, Transaction
from imgsync.relay.nodes import scripts
from imgsync.relay.nodes.address import read_address
from imgsync.relay.nodes.hearing import Hearing
from imgsync.relay.nodes.keys import Keys, check_prefix
from imgsync.relay.nodes.link import CALL_S, Link, Reply, UnknownScript, Word
from imgsync.relay.nodes.scripts import Script
from imgsync.relay.nodes.transactions import (
    after,
    ask,
    decode,
    encode,
    entry_of,
    hints_of,
    standings_of,
)
from imgsync.tasks import open_background

if TYPE_CHECKING:
    from imgsync.relay.nodes.connection import Connection

LEASE = 10.0
"""Seconds that a boot lives without renewing its lease."""

INBOX = 4096
"""Entries that may stand in one inbox."""

KEPT_MS = 3600 * 1000
"""For how long keys are kept that nobody renews; each node renews all that are shared."""

BLOCK_S = 5.0
"""Seconds that `read` waits for an entry."""

READ_ENTRIES = 64
"""As many at a time."""

MOST_TOLD = 100
"""Deadlines, and boots, that one renewal tells of."""

MOST_TRANSACTIONS = 256
MOST_PARTS = 2000
"""What one script carries out and says; nobody else is served meanwhile, and Lua takes only so many
arguments."""


class Store:
    """Made by `open_store`. One boot at a time: that of the last `open`."""

    def __init__(self, prefix: str, links: tuple[Link, Link, Link], lease: float, most: int):
        self._prefix = prefix
        self._keys = Keys(prefix)
        self._calls, self._reading, self._hearing = links
        self._lease = lease
        self._most = most
        self._boot = Boot("")
        self._epoch = ""
        #: On which the epoch was taken.
        self._server = ""

    # ── leases ──

    async def open(self, boot: Boot) -> bool:
        """A boot lives from now on, in the epoch that there is. Raises StoreAway.

        Returns whether that is another one than the last boot lived in.
        """
        end = trio.current_time() + CALL_S
        connection = await self._calls.connect()
        every = [self._keys.every]
        fresh = secrets.token_hex(8)
        begun: list[Word] = [fresh, connection.server, KEPT_MS]
        epoch = (await self._run(connection, scripts.BEGIN, every, begun, end)).decode()
        keys = Keys(self._prefix, epoch)
        opened: list[Word] = [epoch, encode(boot), self._lease, KEPT_MS]
        reply = await self._run(connection, scripts.OPEN, [keys.every, keys.boots], opened, end)
        _check(reply)
        is_another: bool = epoch != self._epoch
        self._keys, self._epoch, self._server, self._boot = keys, epoch, connection.server, boot
        return is_another

    async def renew(self, read: str) -> Renewal:
        """Renew the lease. Raises StoreAway, EpochLost and LeaseLost.

        :param read: the last entry of the inbox that was read; it and those before it go.
        """
        keys, boot = self._keys, self._boot
        kept = [keys.versions, keys.records, keys.standings, keys.held(boot)]
        standings, due, seconds, dead = await self._do(
            scripts.RENEW,
            [keys.deadlines, keys.inbox(boot), *kept],
            [encode(boot), self._lease, KEPT_MS, after(read), MOST_TOLD],
        )
        return Renewal(
            int(standings),
            [Key(decode(name)) for name in due],
            float(seconds) if seconds else None,
            sorted(Boot(decode(name)) for name in dead),
        )

    async def held_by(self, boot: Boot) -> list[Key]:
        """The records in which a boot has sockets. Raises StoreAway and EpochLost."""
        names = await self._do(scripts.HELD, [self._keys.held(boot)], [])
        return sorted(Key(decode(name)) for name in names)

    async def retire(self, boot: Boot) -> bool:
        """Keep nothing of a boot that is dead and has no sockets. Raises StoreAway and EpochLost.

        :returns: whether it was so.
        """
        return await self._retire(boot, "dead")

    async def leave(self) -> None:
        """Our boot ends; others see to the sockets that it has. Raises StoreAway and EpochLost."""
        await self._retire(self._boot, "leave")

    async def _retire(self, boot: Boot, how: str) -> bool:
        keys = [self._keys.held(boot), self._keys.inbox(boot)]
        return bool(await self._do(scripts.RETIRE, keys, [encode(boot), how]))

    # ── records ──

    async def commit(self, batch: Sequence[Transaction]) -> list[Answer]:
        """Carry out transactions. Raises StoreAway, EpochLost and LeaseLost.

        What is asked for at the same time is carried out in any order. Of very many, some may have
        been carried out when one of these is raised.
        """
        answers: list[Answer] = []
        for portion in _portions(batch):
            answers += await self._commit(portion)
        return answers

    async def _commit(self, batch: Sequence[Transaction]) -> list[Answer]:
        keys = self._keys
        asked = ask(batch, epoch=self._epoch, boot=self._boot, most=self._most, kept=KEPT_MS)
        shared = [keys.versions, keys.records, keys.deadlines, keys.standings]
        own = [*map(keys.inbox, asked.told), *map(keys.held, asked.held)]
        words: list[Word] = [asked.head, keys.hints, *asked.texts]
        head, *texts = await self._do(scripts.COMMIT, [*shared, *own], words, names_epoch=False)
        return asked.answers(head, texts)

    async def standings(self) -> tuple[int, dict[UserId, tuple[int, str]]]:
        """The version by which any client last came to stand elsewhere, and where they stand.

        Raises StoreAway and EpochLost.
        """
        version, pairs = await self._do(scripts.STANDINGS, [self._keys.standings], [])
        return int(version), standings_of(pairs)

    async def hints(self) -> AsyncGenerator[Hint | None, None]:
        """Where clients come to stand, of this epoch; at most one at a time asks for them.

        None comes first, and whenever some may have been missed: all standings have to be read.
        """
        hearing = Hearing(self._hearing, self._keys.hints)
        while True:
            payload = await hearing.next()
            for hint in [None] if payload is None else hints_of(payload, self._epoch):
                yield hint

    # ── the inbox ──

    async def read(self, last: str) -> list[Entry]:
        """The entries behind one, which are waited for; none where none has come. Raises StoreAway.

        :param last: its id; "0-0" for all of them.
        """
        connection = await self._reading.connect()
        how = (b"XREAD", b"COUNT", READ_ENTRIES, b"BLOCK", int(BLOCK_S * 1000), b"STREAMS")
        inbox = encode(self._keys.inbox(self._boot))
        seconds = BLOCK_S + CALL_S
        reply = await self._reading.ask(
            connection, *how, inbox, last, seconds=seconds, is_alone=True
        )
        return [entry_of(entry_id, fields) for entry_id, fields in (reply or {}).get(inbox, ())]

    def listen_anew(self) -> None:
        """What is read is read by another connection from now on."""
        self._reading.drop()

    async def probe(self) -> None:
        """Put an empty entry into our own inbox. Raises StoreAway, EpochLost and LeaseLost."""
        inbox = self._keys.inbox(self._boot)
        await self._do(scripts.PROBE, [inbox], [encode(self._boot), KEPT_MS])

    # ── scripts ──

    async def _do(
        self, script: Script, keys: Sequence[str], words: Sequence[Word], names_epoch: bool = True
    ) -> Reply:
        """Run a script in our epoch, and no other."""
        end = trio.current_time() + CALL_S
        connection = await self._calls.connect()
        if connection.server != self._server:
            raise EpochLost("Redis is another one than before, and may have lost some records")
        every = [self._keys.every, self._keys.boots, *keys]
        named = [self._epoch, *words] if names_epoch else words
        reply = await self._run(connection, script, every, named, end)
        _check(reply)
        return reply

    async def _run(
        self,
        connection: Connection,
        script: Script,
        keys: Sequence[str],
        words: Sequence[Word],
        end: float,
    ) -> Reply:
        """:param end: when it has to be answered, on Trio's clock."""
        arguments = (len(keys), *map(encode, keys), *words)
        for how in ((b"EVALSHA", script.digest), (b"EVAL", script.text)):
            seconds = end - trio.current_time()
            try:
                return await self._calls.ask(connection, *how, *arguments, seconds=seconds)
            except UnknownScript:
                continue
        raise AssertionError("a script is known when its text is sent")


def _check(reply: Reply) -> None:
    if reply == b"epoch":
        raise EpochLost("Redis was emptied, or has begun anew")
    if reply == b"lease":
        raise LeaseLost("this node was not heard of for so long that it is taken for dead")


def _portions(batch: Sequence[Transaction]) -> Iterator[Sequence[Transaction]]:
    """As few as can be; one that is empty where there is nothing."""
    portion: list[Transaction] = []
    parts = 0
    for one in batch:
        more = _count(one.posts.values()) + _count(one.pushes.values())
        if portion and (len(portion) == MOST_TRANSACTIONS or parts + more > MOST_PARTS):
            yield portion
            portion, parts = [], 0
        portion.append(one)
        parts += more
    yield portion


def _count(lists: Iterable[Sequence[object]]) -> int:
    return sum(map(len, lists))


@asynccontextmanager
async def open_store(
    url: str,
    *,
    prefix: str = "imgsync",
    password: str | None = None,
    lease: float = LEASE,
    inbox: int = INBOX,
) -> AsyncIterator[Store]:
    """Own the connections to Redis, which are made when they are needed: it need not be there.

    Raises InputError for the URL and the prefix, and MissingExtra.

    :param prefix: stands before all keys.
    :param password: that is not to stand in the URL.
    :param lease: seconds that a boot lives without renewing its lease.
    :param inbox: entries that may stand in one inbox.
    """
    check_prefix(prefix)
    address = read_address(url, password)
    links = Link(address), Link(address), Link(address)
    async with open_background() as nursery:
        for link in links:
            nursery.start_soon(link.keep)
        yield Store(prefix, links, lease, inbox)
