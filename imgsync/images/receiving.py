"""Pictures that come over the connection, of one session: tries of a gallery, beside those by HTTP.

What is asked for when is decided in `core.transfer`; here it is carried out. It outlives channels:
a try that was under way when one was lost goes on with the next, without a word to the gallery.

Chunks come, and are acknowledged, in the thread of the channel; what they bring goes to Trio's,
many at a time. So both threads ask the Receiver, one at a time.
"""

import enum
import itertools
import logging
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import assert_never

import attrs
import trio

from imgsync.core.channel.downloads import Failure
from imgsync.core.protocol.lengths import cut
from imgsync.core.protocol.numbers import MAX_DETAIL
from imgsync.core.transfer.outputs import (
    Answered,
    Came,
    Drop,
    Failed,
    Finished,
    Parked,
    ReceiverOutput,
    Tell,
)
from imgsync.core.transfer.receiver import Receiver
from imgsync.images.fetch import Answer, FetchFailed, Mark
from imgsync.seams import CarriedEvent, DataDrained, DataEvent, DataReceived, Shared, Unshared
from imgsync.tasks import Bell, Inbox

log = logging.getLogger(__name__)

_Told = Parked | Answered | Came | Finished | Failed
"""What follows for a try."""


class _Note(enum.Enum):
    """What follows for all."""

    #: Something is due before what was due first.
    SOONER = enum.auto()
    OVER = enum.auto()


SESSION_OVER = Failure("session_over", may_pass=False)
"""Of what was under way at the end: no other connection follows."""


@attrs.define(eq=False)
class _Try:
    hear: Callable[[Answer | bytes], None]
    park: Callable[[], None]
    is_over: trio.Event = attrs.field(factory=trio.Event)
    failure: FetchFailed | None = None

    def end(self, failure: FetchFailed | None = None) -> None:
        if not self.is_over.is_set():
            self.failure = failure
            self.is_over.set()


class Receiving:
    """Of one session. `run` has to run for what comes to be passed on.

    :param send: on the channel of pictures, in any thread; on a closed one it goes nowhere.
    :param carry: has all that comes on it told, in its thread.
    """

    def __init__(
        self,
        send: Callable[[str], None],
        carry: Callable[[Callable[[CarriedEvent], None]], None],
    ) -> None:
        self._send = send
        self._carry = carry
        self._receiver = Receiver()
        #: Held while something is decided and said.
        self._deciding = Lock()
        #: Which of the channels that there were is the one of now.
        self._channels = 0
        #: What follows, in order.
        self._told = Inbox[_Told | _Note]()
        self._clock = trio.lowlevel.current_clock()
        self._numbers = itertools.count(1)
        self._tries: dict[int, _Try] = {}
        self._news = Bell()
        self._is_over = False

    async def transfer(
        self,
        image_url: str,
        offset: int,
        mark: Mark,
        hear: Callable[[Answer | bytes], None],
        park: Callable[[], None],
    ) -> None:
        """One try to get a picture, from an offset on. Raises FetchFailed, and that of `hear`.

        :param mark: of the answer that has brought what is here.
        :param hear: is told the answer, and then all bytes as they come; once more so after a
            repair.
        :param park: is told when no byte can come until there is another answer.
        """
        if self._is_over:
            raise FetchFailed(SESSION_OVER)
        number = next(self._numbers)
        one = self._tries[number] = _Try(hear, park)
        try:
            with self._deciding:
                now = trio.current_time()
                self._perform(self._receiver.want(number, image_url, offset, mark.sha256, now))
            self._news.ring()
            await one.is_over.wait()
        finally:
            del self._tries[number]
            with self._deciding:
                self._perform(self._receiver.stop(number, trio.current_time()))
        if one.failure is not None:
            raise one.failure

    def happened(self, event: DataEvent) -> None:
        """The channel of pictures is open, or closed."""
        match event:
            case Shared():
                with self._deciding:
                    self._channels += 1
                    self._perform(self._receiver.opened(trio.current_time()))
                self._carry(partial(self._hear, self._channels))
                self._news.ring()
            case Unshared():
                self.closed()
            case _:
                assert_never(event)

    def _hear(self, channel: int, event: CarriedEvent) -> None:
        """Something has happened on a channel, in its thread."""
        with self._deciding:
            if channel != self._channels:
                return
            match event:
                case DataReceived(message):
                    due = self._receiver.due
                    self._perform(self._receiver.receive(message, self._clock.current_time()))
                    if self._receiver.due < due:
                        self._told.put(_Note.SOONER)
                case DataDrained():
                    pass
                case _:
                    assert_never(event)

    def closed(self) -> None:
        """There is no such channel any more; another one may follow."""
        with self._deciding:
            self._channels += 1
            self._perform(self._receiver.closed())

    def end(self) -> None:
        """The session is over: what has come by now is passed on, and nothing more comes."""
        self._told.put(_Note.OVER)

    async def run(self) -> None:
        """Pass on what comes, say again what may be lost, and give up what is not answered."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_time)
            while True:
                match await self._told.get():
                    case _Note.SOONER:
                        pass
                    case _Note.OVER:
                        self._is_over = True
                        for one in self._tries.values():
                            one.end(FetchFailed(SESSION_OVER))
                    case told:
                        self._pass_on(told)
                self._news.ring()

    async def _keep_time(self) -> None:
        while True:
            with self._deciding:
                now = trio.current_time()
                if now >= self._receiver.due:
                    self._perform(self._receiver.tick(now))
                due = self._receiver.due
            with trio.move_on_at(due):
                await self._news.wait()

    def _perform(self, outputs: Sequence[ReceiverOutput]) -> None:
        """In any thread, one at a time."""
        for output in outputs:
            match output:
                case Tell(text):
                    self._send(text)
                case Drop(why):
                    log.info("on the channel of pictures: %s", why)
                case _:
                    self._told.put(output)

    def _pass_on(self, told: "_Told") -> None:
        one = self._tries.get(told.number)
        if one is None or one.is_over.is_set():
            return
        try:
            match told:
                case Parked():
                    one.park()
                case Answered(_, offset, length, _, sha256):
                    one.hear(Answer(offset, Mark(length, sha256=sha256), is_resumable=True))
                case Came(_, data):
                    one.hear(data)
                case Finished():
                    one.end()
                case Failed(_, reason, may_pass, keeps, detail):
                    one.end(FetchFailed(Failure(reason, may_pass, keeps, cut(detail, MAX_DETAIL))))
                case _:
                    assert_never(told)
        except FetchFailed as exc:
            one.end(exc)  # which stops it
