"""The pictures of one session that go over its connections, from files that are our own.

What is sent when is decided in `core.transfer`. Here files are read, block by block and in threads:
who waits for a disk holds nobody up, and no picture is ever in memory as a whole.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import assert_never

import attrs
import trio

from imgsync.core.protocol.channel import Image, UpcomingImage
from imgsync.core.protocol.numbers import CHANGED, UNREADABLE
from imgsync.core.transfer.budget import Budget
from imgsync.core.transfer.outputs import Done, Drop, NotSent, Read, SendChunk, SenderOutput, Tell
from imgsync.core.transfer.sender import Offered, Sender
from imgsync.evaluator.reports import Reports
from imgsync.images.own import OpenPicture, OwnPicture, PictureChanged, PictureUnreadable
from imgsync.images.ref import ImageRef
from imgsync.peer.session import PeerSession
from imgsync.seams import DataDrained, DataEvent, DataReceived, Shared, Unshared
from imgsync.tasks import Bell
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

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
        #: Which it is: ids of transfers begin anew with each channel. None: there is none.
        self.picture: OwnPicture | None = None
        self._block = ExitStack()
        self._opened: OpenPicture | None = None

    def read(self, picture: OwnPicture, read: Read) -> bytes:
        """Waits. Raises PictureChanged and PictureUnreadable."""
        if self.picture is not picture:
            self.close()
            self._opened = self._block.enter_context(picture.open())
            self.picture = picture
        assert self._opened is not None
        return self._opened.read(read.offset, read.size)

    def close(self) -> None:
        """Waits."""
        self.picture = self._opened = None
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
        #: What is to be read next; a transfer that is over is followed by nothing or another one.
        self._read: Read | None = None
        self._reading_id: int | None = None
        #: What is read in that transfer.
        self._reading: OwnPicture | None = None
        self._work = Bell()
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

    def happened(self, event: DataEvent) -> None:
        """Something has happened to that channel."""
        sender = self._sender
        if sender is None:
            return
        match event:
            case DataReceived(message, at):
                self._perform(sender.receive(message, at / 1000))
            case DataDrained():
                self._perform(sender.drained(now_ms() / 1000))
            case Unshared():
                self.closed()
            case Shared():
                pass
            case _:
                assert_never(event)

    def closed(self) -> None:
        """There is no such channel any more; another one may follow."""
        if self._sender is not None:
            self._perform(self._sender.closed())
            self._sender = None

    def end(self) -> None:
        """The session is over."""
        self.closed()
        self.not_sent.end()

    async def run(self) -> None:
        """Read what is to be sent until cancelled."""
        file = _File()
        try:
            while True:
                if file.picture is not None and file.picture is not self._reading:
                    await trio.to_thread.run_sync(file.close)
                elif self._read is None:
                    await self._work.wait()
                else:
                    read, self._read = self._read, None
                    await self._read_block(file, read)
        finally:
            if file.picture is not None:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(file.close)

    async def _read_block(self, file: _File, read: Read) -> None:
        sender, picture = self._sender, self._reading
        assert picture is not None
        assert sender is not None
        try:
            data = await trio.to_thread.run_sync(file.read, picture, read)
        except (PictureChanged, PictureUnreadable) as exc:
            # Its path is for the log alone.
            log.warning("session %s: %s", self._peer.route.session_id, exc)
            outputs = sender.failed(read.id, exc.reason, _WHY[exc.reason], now_ms() / 1000)
        else:
            outputs = sender.read(read.id, data, now_ms() / 1000)
        if sender is self._sender:
            self._perform(outputs)

    def _perform(self, outputs: Sequence[SenderOutput]) -> None:
        for output in outputs:
            match output:
                case Tell(text):
                    self._peer.send_data(text)
                case SendChunk(data):
                    self._peer.send_data(data)
                case Read(id, image_url):
                    self._read, self._reading_id = output, id
                    self._reading = self._images[image_url].picture
                    self._work.ring()
                case Done(id):
                    self._forget(id)
                case NotSent(image_url, reason, detail):
                    self._report(PictureNotSent(self._images[image_url], reason, detail))
                case Drop(why):
                    session_id = self._peer.route.session_id
                    log.info("session %s: on the channel of pictures: %s", session_id, why)
                case _:
                    assert_never(output)

    def _forget(self, id: int) -> None:
        if self._reading_id == id:
            self._reading_id = self._reading = self._read = None
            self._work.ring()

    def _report(self, lost: PictureNotSent) -> None:
        session_id = self._peer.route.session_id
        what = "session %s: %r could not be sent (%s): %s"
        name = lost.image.name or lost.image.image_url
        log.warning(what, session_id, name, lost.reason, lost.detail)
        self.not_sent.tell(lost)
