"""The pictures of one session that go over its connections, from files that are our own.

What is sent when is decided in `core.transfer`. Here files are read, block by block and in threads:
who waits for a disk holds nobody up, and no picture is ever in memory as a whole.

    the channel's thread ── what comes ──▶ Sender ── what is to be sent ──▶ the channel
                                             │  ▲
                        what is to be read ──▼  └── what was read: Trio's thread

Chunks come and go in the thread of the channel alone, as a hop to Trio's for each is what would
take the time. So both threads ask the Sender, one at a time.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from threading import Lock
from typing import assert_never

import attrs
import trio

from imgsync.core.protocol.channel import Image, UpcomingImage
from imgsync.core.protocol.numbers import CHANGED, UNREADABLE
from imgsync.core.protocol.pictures import CHUNK_HEADER
from imgsync.core.transfer.budget import Budget
from imgsync.core.transfer.outputs import Done, Drop, NotSent, Read, SendChunk, SenderOutput, Tell
from imgsync.core.transfer.sender import Offered, Sender
from imgsync.evaluator.reports import Reports
from imgsync.images.own import OpenPicture, OwnPicture, PictureChanged, PictureUnreadable
from imgsync.images.ref import ImageRef
from imgsync.peer.session import PeerSession
from imgsync.seams import CarriedEvent, DataDrained, DataEvent, DataReceived, Shared, Unshared
from imgsync.tasks import Bell, Inbox
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

_DECIDING = Lock()
"""One for all sessions, as they share a budget; held while something is decided and sent."""

_WHY = {
    CHANGED: "the evaluator's file is another one by now",
    UNREADABLE: "the evaluator can't read its file any more",
}
"""For people, on both sides."""


@attrs.frozen
class PictureNotSent:
    """A picture of our own that could not be sent to the client, or not to the end.

    :param image: as it was shown or announced last.
    :param reason: "changed", where its file is another one by now, or "unreadable".
    :param detail: what else is known, for people.
    """

    image: ImageRef
    reason: str
    detail: str


class _File:
    """The one that is read, opened and closed in threads."""

    def __init__(self) -> None:
        #: For which transfer, and on which channel; None: there is none.
        self.of: tuple[Sender, int] | None = None
        self._block = ExitStack()
        self._picture: OpenPicture | None = None

    def read(self, picture: OwnPicture, sender: Sender, read: Read) -> bytes:
        """Waits. Raises PictureChanged and PictureUnreadable."""
        if self.of != (sender, read.id):
            self.close()
            self._picture = self._block.enter_context(picture.open())
            self.of = sender, read.id
        assert self._picture is not None
        return self._picture.read(read.offset, read.size)

    def close(self) -> None:
        """Waits."""
        self.of = self._picture = None
        self._block.close()


class Sharing:
    """Of one session. `run` has to run while it lasts.

    :param budget: of all sessions.
    """

    def __init__(self, peer: PeerSession, budget: Budget) -> None:
        self._peer = peer
        self._budget = budget
        #: What was shown or announced in this session, by `imageUrl`.
        self._images: dict[str, ImageRef] = {}
        self._offers: dict[str, Offered] = {}
        #: Of the channel of pictures, as long as there is one.
        self._sender: Sender | None = None
        #: What is not sent but done here, and for which channel.
        self._told = Inbox[tuple[Sender, Read | Done | NotSent]]()
        #: What is to be read next; a transfer that is over is followed by nothing or another one.
        self._read: Read | None = None
        #: Of which transfer, and on which channel.
        self._reading: tuple[Sender, int] | None = None
        self._work = Bell()
        #: Of pictures, on all channels; grows as the client takes them.
        self.bytes_sent = 0
        self.not_sent = Reports[PictureNotSent]("pictures that were not sent")

    def offer(self, images: Sequence[ImageRef]) -> None:
        """The client may ask for these from now on, where they are our own."""
        for image in images:
            if image.picture is not None:
                facts = image.picture.facts
                self._images[image.image_url] = image
                self._offers[image.image_url] = Offered(
                    facts.content_type, facts.bytes, facts.sha256
                )

    def serve(self, given: Iterable[Image | UpcomingImage]) -> None:
        """These go out; those of our own that do so with a URL have to be had from it."""
        for one in given:
            image = None if one.signed_url is None else self._images.get(one.image_url)
            if image is not None and image.picture is not None:
                image.picture.serve()

    def share(self) -> None:
        """Open the channel of pictures beside the open one."""
        self.closed()
        self._sender = Sender(self._offers, self._budget)
        self._peer.share()
        self._peer.carry(partial(self._hear, self._sender))

    def _hear(self, sender: Sender, event: CarriedEvent) -> None:
        """Something has happened on a channel, in its thread."""
        with _DECIDING:
            if sender is not self._sender:
                return
            match event:
                case DataReceived(message, at):
                    self._perform(sender, sender.receive(message, at / 1000))
                case DataDrained():
                    self._perform(sender, sender.drained(now_ms() / 1000))
                case _:
                    assert_never(event)

    def happened(self, event: DataEvent) -> None:
        """The channel is open, or closed."""
        match event:
            case Unshared():
                self.closed()
            case Shared():
                pass
            case _:
                assert_never(event)

    def closed(self) -> None:
        """There is no such channel any more; another one may follow."""
        with _DECIDING:
            if self._sender is not None:
                self._perform(self._sender, self._sender.closed())
                self._sender = None

    def end(self) -> None:
        """The session is over."""
        self.closed()
        self.not_sent.end()

    async def run(self) -> None:
        """Read what is to be sent until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read_files)
            while True:
                sender, told = await self._told.get()
                match told:
                    case Read(id):
                        self._read, self._reading = told, (sender, id)
                        self._work.ring()
                    case Done(id):
                        self._forget(sender, id)
                    case NotSent(image_url, reason, detail):
                        lost = PictureNotSent(self._images[image_url], reason, detail)
                        self._report(lost)
                    case _:
                        assert_never(told)

    async def _read_files(self) -> None:
        file = _File()
        try:
            while True:
                if file.of is not None and file.of != self._reading:
                    await trio.to_thread.run_sync(file.close)
                elif self._read is None or self._reading is None:
                    await self._work.wait()
                else:
                    read, self._read = self._read, None
                    await self._read_block(file, self._reading[0], read)
        finally:
            if file.of is not None:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(file.close)

    async def _read_block(self, file: _File, sender: Sender, read: Read) -> None:
        picture = self._images[read.image_url].picture
        assert picture is not None
        failure: PictureChanged | PictureUnreadable | None = None
        data = b""
        try:
            data = await trio.to_thread.run_sync(file.read, picture, sender, read)
        except (PictureChanged, PictureUnreadable) as exc:
            # Its path is for the log alone.
            log.info("session %s: %s", self._peer.route.session_id, exc)
            failure = exc
        now = now_ms() / 1000
        with _DECIDING:
            if sender is not self._sender:
                return
            if failure is None:
                outputs = sender.read(read.id, data, now)
            else:
                outputs = sender.failed(read.id, failure.reason, _WHY[failure.reason], now)
            self._perform(sender, outputs)

    def _perform(self, sender: Sender, outputs: Sequence[SenderOutput]) -> None:
        """In any thread, one at a time."""
        for output in outputs:
            match output:
                case Tell(text):
                    self._peer.send_data(text)
                case SendChunk(data):
                    self.bytes_sent += len(data) - CHUNK_HEADER
                    self._peer.send_data(data)
                case Read() | Done() | NotSent():
                    self._told.put((sender, output))
                case Drop(why):
                    session_id = self._peer.route.session_id
                    log.info("session %s: on the channel of pictures: %s", session_id, why)
                case _:
                    assert_never(output)

    def _forget(self, sender: Sender, id: int) -> None:
        if self._reading == (sender, id):
            self._reading = self._read = None
            self._work.ring()

    def _report(self, lost: PictureNotSent) -> None:
        session_id = self._peer.route.session_id
        what = "session %s: %r could not be sent (%s): %s"
        name = lost.image.name or lost.image.image_url
        log.warning(what, session_id, name, lost.reason, lost.detail)
        self.not_sent.tell(lost)
