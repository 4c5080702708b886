"""Drives the state of a node: has carried out what it decides, and tells it what others did.

    NodeState ── transactions ──▶ one call at a time, all that there are by then ──▶ store
              ◀── answers ────────────────────────────────────────────────────────
              ◀── the inbox, entry by entry; hints of where clients stand
              ◀── a renewal of the lease every 3 s, or as soon as something is due

Where a call fails, the store is away: nothing is tried until a renewal is answered again.
"""

import logging
import math
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import NoReturn

import trio

from imgsync.core.protocol.errors import EpochLost, LeaseLost, StoreAway
from imgsync.core.relay.nodes.node import NodeState
from imgsync.core.relay.nodes.outputs import AskStandings, Commit, NodeOutput, Retire, Sweep
from imgsync.core.relay.nodes.store import After, Boot
from imgsync.relay.metrics import NodeMetrics
from imgsync.relay.nodes.reading import Reading
from imgsync.relay.nodes.store import Store
from imgsync.tasks import Bell, open_background

log = logging.getLogger(__name__)

RENEW_S = 3.0
"""Seconds between two renewals of a lease that is good for 10."""

RETRY_S = 0.5
"""Seconds between two attempts to reach a store that is away."""

TRIM = 512
"""Entries of the inbox that are read before they are taken out of it, at the next renewal."""

SOON_S = 0.01
"""Seconds between two renewals at least, however much is due."""

LEAVE_S = 0.8
"""Seconds that the others have to hear that the sockets of this node are gone."""

Perform = Callable[[Sequence[NodeOutput]], None]


class Backlog:
    """What a node has yet to have carried out, and when it has to look at what is due."""

    def __init__(self) -> None:
        self._commits: list[Commit] = []
        self._errands: deque[Sweep | Retire | AskStandings] = deque()
        self._more = Bell()
        #: On Trio's clock.
        self._due = math.inf
        self._sooner = Bell()
        #: Entries of the inbox, since the last renewal that was due.
        self._read = 0

    def take(self, output: Commit | Sweep | Retire | AskStandings) -> None:
        """One more."""
        if isinstance(output, Commit):
            self._commits.append(output)
            waits = output.transaction.deadlines.values()
            seconds = [one.seconds for one in waits if isinstance(one, After)]
            self.set_due(trio.current_time() + min(seconds, default=math.inf))
        else:
            self._errands.append(output)
        self._more.ring()

    def clear(self) -> None:
        """None of it is to be carried out any more."""
        self._commits.clear()
        self._errands.clear()

    async def commits(self) -> list[Commit]:
        """All that there are, once there is one."""
        while not self._commits:
            await self._more.wait()
        commits, self._commits = self._commits, []
        return commits

    async def errand(self) -> Sweep | Retire | AskStandings:
        """The next one."""
        while not self._errands:
            await self._more.wait()
        return self._errands.popleft()

    def set_due(self, time: float) -> None:
        """Something is due then, if nothing was before."""
        if time < self._due:
            self._due = time
            self._sooner.ring()

    def note_read(self, entries: int) -> None:
        """So many of the inbox, which go when the lease is renewed: before it is full of them."""
        self._read += entries
        if self._read >= TRIM:
            self.set_due(trio.current_time())

    async def until_due(self) -> None:
        """Wait until something is; once."""
        while trio.current_time() < self._due:
            with trio.move_on_at(self._due):
                await self._sooner.wait()
        self._due = math.inf
        self._read = 0


class Node:
    """See the module.

    :param make: makes the state, under its first boot.
    :param perform: does what the state asks for; `take` has what is asked of the store.
    :param send_away: closes all sockets.
    """

    def __init__(
        self,
        store: Store,
        make: Callable[[Boot], NodeState],
        perform: Perform,
        send_away: Callable[[], None],
        metrics: NodeMetrics,
    ) -> None:
        self._store = store
        self._perform = perform
        self._send_away = send_away
        self._metrics = metrics
        self._backlog = Backlog()
        self._carried_out = Bell()
        self._reading = Reading(store)
        self._boot = _new_boot()
        #: Whether it lives in another epoch than the one before it.
        self._is_another = False
        #: Whether the one before it has come to its end by a fault of ours.
        self._is_broken = False
        self.state = make(self._boot)
        # It has yet to come in.
        self.state.away(trio.current_time())
        metrics.sessions = lambda: self.state.sessions

    def take(self, output: Commit | Sweep | Retire | AskStandings) -> None:
        """Have it carried out, behind what was asked for before."""
        self._backlog.take(output)

    # ── boots ────────────────────────────────────────────────────────────────────────────────────

    async def run(self, *, task_status: trio.TaskStatus[None]) -> NoReturn:
        """Be one of the nodes, until cancelled; it has started after the first attempt."""
        if not await self._try_to_open():
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            await self._open_later()
        self._come_back()
        task_status.started()
        while True:
            await self._live()
            await self._begin_again()

    async def _try_to_open(self) -> bool:
        """Whether this boot lives now."""
        try:
            self._is_another = await self._store.open(self._boot)
        except StoreAway as exc:
            self._go_away(exc)
            return False
        return True

    async def _open_later(self) -> None:
        is_open = False
        while not is_open:
            await trio.sleep(RETRY_S)
            is_open = await self._try_to_open()

    async def _live(self) -> None:
        """Until this boot is lost."""
        async with open_background() as nursery:
            lost = trio.Event()
            for task in (self._commit, self._run_errands, self._renew, self._hear, self._listen):
                nursery.start_soon(self._until_lost, task, lost)
            await lost.wait()

    async def _until_lost(self, task: Callable[[], Awaitable[None]], lost: trio.Event) -> None:
        try:
            await task()
        except (LeaseLost, EpochLost) as exc:
            if not lost.is_set():
                log.error("this node begins again: %s", exc)
        except Exception:
            log.exception("this node begins again")
            self._is_broken = True
        lost.set()

    async def _begin_again(self) -> None:
        """Another boot lives, with all sockets of the one before."""
        self._metrics.times["began_again"] += 1
        self._backlog.clear()
        self._boot, self._reading = _new_boot(), Reading(self._store)
        was_broken, self._is_broken = self._is_broken, False
        if was_broken:
            # What it knows may be half done; its peers come back by themselves.
            self._send_away()
            self._perform(self.state.start_over(self._boot, trio.current_time()))
            await trio.sleep(RETRY_S)
        else:
            self._perform(self.state.away(trio.current_time()))
        if not await self._try_to_open():
            await self._open_later()
        if not was_broken:
            now = trio.current_time()
            self._perform(self.state.begin_again(self._boot, now, is_lost=self._is_another))
        self._come_back()

    def _go_away(self, why: StoreAway) -> None:
        if not self.state.is_away:
            log.error("what is shared with other nodes is out of reach: %s", why)
            self._metrics.times["away"] += 1
        self._metrics.is_away = True
        self._backlog.clear()
        now = trio.current_time()
        self._backlog.set_due(now + RETRY_S)
        self._perform(self.state.away(now))

    def _come_back(self) -> None:
        log.info("this node shares what it knows with others, as %s", self._boot)
        self._metrics.is_away = False
        self._perform([*self.state.back(trio.current_time()), AskStandings()])

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────

    async def _commit(self) -> NoReturn:
        while True:
            batch = await self._backlog.commits()
            self.state.taken()
            try:
                answers = await self._store.commit([one.transaction for one in batch])
            except StoreAway as exc:
                self._go_away(exc)
                continue
            now = trio.current_time()
            for one, answer in zip(batch, answers, strict=True):
                self._perform(self.state.answered(one.ticket, answer, now))
            self._carried_out.ring()

    async def _run_errands(self) -> NoReturn:
        while True:
            try:
                match await self._backlog.errand():
                    case Sweep(boot):
                        keys = await self._store.held_by(boot)
                        self._perform(self.state.swept(boot, keys, trio.current_time()))
                    case Retire(boot):
                        await self._store.retire(boot)
                    case AskStandings():
                        version, standings = await self._store.standings()
                        now = trio.current_time()
                        self._perform(self.state.placed(version, standings, now))
            except StoreAway as exc:
                self._go_away(exc)

    async def _renew(self) -> NoReturn:
        while True:
            with trio.move_on_after(RENEW_S):
                await self._backlog.until_due()
            try:
                renewal = await self._store.renew(self._reading.last)
            except StoreAway as exc:
                self._go_away(exc)
                continue
            if self.state.is_away:
                self._come_back()
            now = trio.current_time()
            if renewal.next_due is not None:
                self._backlog.set_due(now + max(renewal.next_due, SOON_S))
            self._perform(self.state.renewed(renewal, now))

    async def _hear(self) -> NoReturn:
        while True:
            entries = await self._reading.next()
            if not entries:
                self._metrics.times["deaf"] += 1
                self.take(AskStandings())
            self._backlog.note_read(len(entries))
            for entry in entries:
                self._reading.last = entry.id
                self._perform(self.state.heard(entry, trio.current_time()))
            self._carried_out.ring()

    async def _listen(self) -> None:
        async with aclosing(self._store.hints()) as hints:
            async for hint in hints:
                if hint is None:
                    self.take(AskStandings())
                else:
                    self._perform(self.state.hinted(hint, trio.current_time()))

    async def leave(self) -> None:
        """Others are told that the sockets of this node are gone, and that it is."""
        with trio.move_on_after(LEAVE_S):
            while not self.state.is_at_rest:
                await self._carried_out.wait()
        try:
            await self._store.leave()
        except (StoreAway, EpochLost) as exc:
            log.warning("the other nodes have to find out that this one is gone: %s", exc)


def _new_boot() -> Boot:
    return Boot(secrets.token_hex(6))
