"""The evaluator's side of one channel of pictures: what of them goes out, and when.

    want ── offered ──▶ waiting ── its turn ──▶ head, and chunks as the window has room ──▶ got
         └─ not offered, no such byte, too many ──▶ refused
    stop ──▶ forgotten        read, failed ◀── what comes of Read

Wants are served one at a time, in the order in which they came. The next chunk goes out when the
link says that nothing waits in it, and what is in flight leaves room in the window. One chunk of a
picture is always allowed: on its acknowledgement everything is counted anew, as the channel is
ordered. So a client that stops what it wants, over and over, need not answer what it has no use
for.

Nothing is read but what was offered. What a client can make us keep is bounded: it can have
MAX_WANTS unfinished, and while more than MAX_UNSENT of text waits to be sent, wants are dropped.
"""

from collections import deque
from collections.abc import Mapping
from typing import assert_never

import attrs

from imgsync.core.codec.pictures import decode_wants, encode_data
from imgsync.core.protocol.lengths import cut
from imgsync.core.protocol.numbers import (
    BAD_MESSAGE,
    BAD_OFFSET,
    CHANGED,
    MAX_DETAIL,
    MAX_UNSENT,
    MAX_WANTS,
    NOT_OFFERED,
    TOO_MANY,
)
from imgsync.core.protocol.pictures import Got, Head, Refused, Stop, Unreadable, Want, pack_chunk
from imgsync.core.transfer.budget import Budget
from imgsync.core.transfer.outputs import Done, Drop, NotSent, Read, SendChunk, SenderOutput, Tell
from imgsync.core.transfer.window import Window, chunk_size


@attrs.frozen
class Offered:
    """A picture that a client may ask for."""

    content_type: str
    length: int
    sha256: str


@attrs.define(eq=False)
class _Transfer:
    id: int
    image_url: str
    offered: Offered
    #: Where it begins, and what the window had sent by then.
    start: int
    base: int = 0
    #: The next bytes to be sent, to be read, and to be acknowledged.
    at: int = attrs.field(init=False)
    read_to: int = attrs.field(init=False)
    got: int = attrs.field(init=False)
    #: What was read; the first `at - read_from` bytes of it are sent.
    block: bytes = attrs.field(default=b"", repr=False)
    read_from: int = attrs.field(init=False)
    #: Bytes that were asked for and are not here.
    reading: int = 0

    def __attrs_post_init__(self) -> None:
        self.at = self.read_to = self.got = self.read_from = self.start

    @property
    def is_sent(self) -> bool:
        return self.at == self.offered.length

    def next_read(self, block: int) -> list[Read]:
        """The next block of so many bytes, where it is time for it."""
        size = min(block, self.offered.length - self.read_to)
        if self.reading > 0 or size == 0 or self.read_to - self.at > block // 4:
            return []
        self.reading = size
        return [Read(self.id, self.image_url, self.read_to, size)]

    def take(self, data: bytes) -> bool:
        """What was read; whether that can be."""
        most, self.reading = self.reading, 0
        if not 0 < len(data) <= most:
            return False
        self.block = self.block[self.at - self.read_from :] + data
        self.read_from = self.at
        self.read_to += len(data)
        return True

    def cut(self, size: int) -> bytes:
        """The next chunk; empty while nothing is read."""
        begin = self.at - self.read_from
        data = self.block[begin : begin + size]
        self.at += len(data)
        return data


class Sender:
    """What is sent on one channel.

    :param offers: what the client may ask for, by `imageUrl`, as it is at any time.
    :param budget: that of the process.
    """

    def __init__(self, offers: Mapping[str, Offered], budget: Budget) -> None:
        self._offers = offers
        self._budget = budget
        self._window = Window()
        self._waiting: deque[_Transfer] = deque()
        self._current: _Transfer | None = None
        #: Those that were sent to the end and are not acknowledged to it.
        self._sent: dict[int, _Transfer] = {}
        self._last_id = 0
        self._has_joined = False
        #: Whether nothing that we gave to the link waits in it.
        self._is_drained = True
        #: Bytes of text that were given to it since that was so.
        self._unsent = 0

    def receive(self, message: str | bytes, now: float) -> list[SenderOutput]:
        """The client says something."""
        match decode_wants(message):
            case Got() as got:
                outputs = self._got(got, now)
            case Stop(id):
                outputs = self._stop(id)
            case (Want() | Unreadable()) as want:
                outputs = self._asked(want)
            case other:
                assert_never(other)
        return [*outputs, *self._advance(now)]

    def drained(self, now: float) -> list[SenderOutput]:
        """The link has passed on all that it was given."""
        self._is_drained, self._unsent = True, 0
        return self._advance(now)

    def read(self, id: int, data: bytes, now: float) -> list[SenderOutput]:
        """What was to be read is here."""
        current = self._current
        if current is None or current.id != id:
            return []
        if not current.take(data):
            return self.failed(id, CHANGED, "its file has become shorter", now)
        return self._advance(now)

    def failed(self, id: int, reason: str, detail: str, now: float) -> list[SenderOutput]:
        """It could not be read."""
        current = self._current
        if current is None or current.id != id:
            return []
        self._current = None
        not_sent = NotSent(current.image_url, reason, detail)
        return [*self._refuse(id, reason, detail), not_sent, Done(id), *self._advance(now)]

    def closed(self) -> list[Done]:
        """The channel is no more, and of no use is what was asked for on it."""
        done = [] if self._current is None else [Done(self._current.id)]
        self._current = None
        self._waiting.clear()
        self._leave_if_idle()
        return done

    # ── what the client says ─────────────────────────────────────────────────────────────────────

    def _asked(self, want: Want | Unreadable) -> list[SenderOutput]:
        id = want.id
        if id is None:
            assert isinstance(want, Unreadable)
            return [Drop(want.why)]
        if id <= self._last_id:
            return []  # it is said again until something comes
        if self._unsent > MAX_UNSENT:
            return [Drop("a want, as too much text waits to be sent")]
        self._last_id = id
        if isinstance(want, Unreadable):
            return self._refuse(id, BAD_MESSAGE, want.why)
        return self._want(want)

    def _want(self, want: Want) -> list[SenderOutput]:
        id, offered = want.id, self._offers.get(want.image_url)
        if offered is None:
            return self._refuse(id, NOT_OFFERED, "no picture of this name was shown to you")
        is_same = want.sha256 in (None, offered.sha256)
        start = want.offset if is_same else 0
        if not 0 <= start <= offered.length:
            return self._refuse(id, BAD_OFFSET, f"it has {offered.length} bytes")
        if len(self._waiting) + len(self._sent) + (self._current is not None) >= MAX_WANTS:
            detail = f"{MAX_WANTS} pictures may be asked for and not acknowledged"
            return self._refuse(id, TOO_MANY, detail)
        self._waiting.append(_Transfer(id, want.image_url, offered, start))
        return []

    def _got(self, got: Got, now: float) -> list[SenderOutput]:
        transfer = self._sent.get(got.id)
        if self._current is not None and self._current.id == got.id:
            transfer = self._current
        if transfer is None:
            return []  # it was stopped
        if not transfer.got < got.offset <= transfer.at:
            return [Drop("a got of bytes that are not on their way")]
        transfer.got = got.offset
        position = transfer.base + got.offset - transfer.start
        self._window.acked(position, self._budget.share, now)
        if got.offset == transfer.offered.length:
            self._sent.pop(got.id, None)
        return []

    def _stop(self, id: int) -> list[SenderOutput]:
        self._sent.pop(id, None)
        if self._current is not None and self._current.id == id:
            self._current = None
            return [Done(id)]
        for transfer in self._waiting:
            if transfer.id == id:
                self._waiting.remove(transfer)
                break
        return []

    # ── what goes out ────────────────────────────────────────────────────────────────────────────

    def _refuse(self, id: int, reason: str, detail: str) -> list[SenderOutput]:
        return [self._tell(Refused(id, reason, cut(detail, MAX_DETAIL)))]

    def _tell(self, message: Head | Refused) -> Tell:
        text = encode_data(message)
        self._unsent += len(text)
        self._is_drained = False
        return Tell(text)

    def _advance(self, now: float) -> list[SenderOutput]:
        """Send what may be sent now, and read what is to be sent next."""
        outputs: list[SenderOutput] = []
        while self._current is not None or self._waiting:
            current = self._current
            if current is None:
                current = self._current = self._waiting.popleft()
                outputs.append(self._begin(current))
            outputs += self._send(current, now)
            if not current.is_sent:
                outputs += current.next_read(self._budget.block)
                break
            outputs.append(self._finish(current))
        self._leave_if_idle()
        return outputs

    def _begin(self, transfer: _Transfer) -> Tell:
        """Its turn has come."""
        transfer.base = self._window.sent
        if not self._has_joined:
            self._has_joined = True
            self._budget.join()
        offered = transfer.offered
        kind, sha256 = offered.content_type, offered.sha256
        return self._tell(Head(transfer.id, transfer.start, offered.length, kind, sha256))

    def _send(self, current: _Transfer, now: float) -> list[SendChunk]:
        share = self._budget.share
        room = min(self._window.size, share)
        size = chunk_size(room, share)
        has_room = current.at == current.got or self._window.in_flight + size <= room
        offset = current.at
        data = current.cut(size) if self._is_drained and has_room else b""
        if not data:
            return []
        self._window.send(len(data), now)
        self._is_drained = False
        return [SendChunk(pack_chunk(current.id, offset, data))]

    def _finish(self, current: _Transfer) -> Done:
        """All of it is sent."""
        self._current = None
        current.block = b""
        if current.got < current.offered.length:
            self._sent[current.id] = current
        return Done(current.id)

    def _leave_if_idle(self) -> None:
        if self._has_joined and self._current is None and not self._waiting:
            self._has_joined = False
            self._budget.leave()
