"""Pictures that come over the connection, of one session: tries of a gallery, beside those by HTTP.

What is asked for when is decided in `core.transfer`; here it is carried out. It outlives channels:
a try that was under way when one was lost goes on with the next, without a word to the gallery.
"""

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import assert_never

import attrs
import trio

from imgsync.core.channel.downloads import Failure
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
from imgsync.seams import DataDrained, DataEvent, DataReceived, Shared, Unshared
from imgsync.tasks import Bell

log = logging.getLogger(__name__)

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
    """Of one session. Its times are kept by `keep_time`.

    :param send: on the channel of pictures; on a closed one it goes nowhere.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._receiver = Receiver()
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
            now = trio.current_time()
            self._perform(self._receiver.want(number, image_url, offset, mark.sha256, now))
            await one.is_over.wait()
        finally:
            del self._tries[number]
            self._perform(self._receiver.stop(number, trio.current_time()))
        if one.failure is not None:
            raise one.failure

    def happened(self, event: DataEvent) -> None:
        """Something has happened to the channel of pictures."""
        match event:
            case DataReceived(message):
                self._perform(self._receiver.receive(message, trio.current_time()))
            case Shared():
                self._perform(self._receiver.opened(trio.current_time()))
            case Unshared():
                self.closed()
            case DataDrained():
                pass
            case _:
                assert_never(event)

    def closed(self) -> None:
        """There is no such channel any more; another one may follow."""
        self._perform(self._receiver.closed())

    def end(self) -> None:
        """The session is over, and nothing more comes."""
        self._is_over = True
        for one in self._tries.values():
            one.end(FetchFailed(SESSION_OVER))

    async def keep_time(self) -> None:
        """Say again what may be lost, and give up what is not answered, for ever."""
        while True:
            with trio.move_on_at(self._receiver.due):
                await self._news.wait()
            now = trio.current_time()
            if now >= self._receiver.due:
                self._perform(self._receiver.tick(now))

    def _perform(self, outputs: Sequence[ReceiverOutput]) -> None:
        for output in outputs:
            match output:
                case Tell(text):
                    self._send(text)
                case Parked(number):
                    if (one := self._tries.get(number)) is not None:
                        one.park()
                case Answered(number, offset, length, _, sha256):
                    mark = Mark(length, sha256=sha256)
                    self._pass_on(number, Answer(offset, mark, is_resumable=True))
                case Came(number, data):
                    self._pass_on(number, data)
                case Finished(number):
                    self._end(number)
                case Failed(number, reason, may_pass, keeps, detail):
                    failure = Failure(reason, may_pass, keeps, detail[:MAX_DETAIL])
                    self._end(number, FetchFailed(failure))
                case Drop(why):
                    log.info("on the channel of pictures: %s", why)
                case _:
                    assert_never(output)
        self._news.ring()

    def _pass_on(self, number: int, news: Answer | bytes) -> None:
        one = self._tries.get(number)
        if one is None or one.is_over.is_set():
            return
        try:
            one.hear(news)
        except FetchFailed as exc:
            one.end(exc)  # which stops it

    def _end(self, number: int, failure: FetchFailed | None = None) -> None:
        if (one := self._tries.get(number)) is not None:
            one.end(failure)
