"""The client's side of the channel of pictures: what is asked for, and what has come.

    want ── no channel, or another one before it ──▶ parked ── its turn ──▶ answered ──▶ finished
         └─ refused, or no answer for FETCH_STALL ──▶ failed
    closed ──▶ all parked        opened ──▶ all wanted anew, from where they are

It outlives channels; each has numbers of its own for what is wanted on it. Until something has come
on a channel, one picture alone is asked for, and again and again: a browser may lose what a page
says first, and a want that is passed by a later one is taken for a repetition. One more that waits
costs nothing, as they are sent one at a time.

A picture is taken byte for byte in order, and no other than the next byte of it. What has stood
still is for whoever numbers the tries to say, once it was answered. `now` is on a clock that only
goes forward, s.
"""

import math
from typing import assert_never

import attrs

from imgsync.core.codec.pictures import decode_heads, encode_data
from imgsync.core.protocol.numbers import (
    BAD_OFFSET,
    FETCH_STALL,
    MAX_DATA_TEXT,
    MAX_IMAGE,
    READY_AGAIN,
    SLEPT,
    TOO_MANY,
)
from imgsync.core.protocol.pictures import Chunk, Got, Head, Refused, Stop, Unreadable, Want
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


@attrs.define(eq=False)
class _Wanted:
    number: int
    image_url: str
    #: Bytes that are here, and of which picture.
    have: int
    sha256: str | None
    #: On this channel; 0: it was not asked for there.
    id: int = 0
    #: Of all of it, once that was answered there.
    length: int | None = None


class Receiver:
    """What is wanted in one session. Tries have numbers of their own, as `core.channel` gives."""

    def __init__(self) -> None:
        #: In the order in which they are wanted, by the number of the try.
        self._wanted: dict[int, _Wanted] = {}
        self._by_id: dict[int, _Wanted] = {}
        self._last_id = 0
        self._is_open = False
        #: Whether something has come on this channel.
        self._has_heard = False
        #: When the first want is said again, as long as nothing has come.
        self._again: list[float] = []
        #: Of the one whose turn it is, until it is answered.
        self._patience: tuple[int, float] | None = None

    @property
    def due(self) -> float:
        """When to call `tick`."""
        patience = math.inf if self._patience is None else self._patience[1]
        return min([patience, *self._again[:1]])

    # ── what is wanted ───────────────────────────────────────────────────────────────────────────

    def want(
        self, number: int, image_url: str, offset: int, sha256: str | None, now: float
    ) -> list[ReceiverOutput]:
        """A try begins to fetch a picture, from this offset on.

        :param sha256: of the picture whose first bytes are here, if any are.
        """
        parked = [Parked(number)] if self._wanted or not self._is_open else []
        self._wanted[number] = _Wanted(number, image_url, offset, sha256)
        return [*parked, *self._advance(now)]

    def stop(self, number: int, now: float) -> list[ReceiverOutput]:
        """A try is of no use any more."""
        wanted = self._wanted.get(number)
        return [] if wanted is None else [*self._drop(wanted), *self._advance(now)]

    def opened(self, now: float) -> list[ReceiverOutput]:
        """There is a channel, in the place of any before it."""
        closed = self.closed()
        self._is_open = True
        return [*closed, *self._advance(now)]

    def closed(self) -> list[ReceiverOutput]:
        """There is none any more; another one may follow."""
        if not self._is_open:
            return []
        self._is_open = self._has_heard = False
        self._last_id, self._again, self._patience = 0, [], None
        self._by_id.clear()
        for wanted in self._wanted.values():
            wanted.id, wanted.length = 0, None
        return [Parked(number) for number in self._wanted]

    def tick(self, now: float) -> list[ReceiverOutput]:
        """`due` has come."""
        outputs: list[ReceiverOutput] = []
        if self._again and now >= self._again[0]:
            self._again = [time for time in self._again if time > now]
            outputs += self._say(next(iter(self._by_id.values())))
        if self._patience is not None and now >= self._patience[1]:
            number, until = self._patience
            if now > until + SLEPT:
                self._patience = (number, now + FETCH_STALL)
            else:
                detail = f"no answer came for {FETCH_STALL:g} s"
                outputs += self._fail(self._wanted[number], "timeout", detail, tell=True)
        return [*outputs, *self._advance(now)]

    # ── what comes ───────────────────────────────────────────────────────────────────────────────

    def receive(self, message: str | bytes, now: float) -> list[ReceiverOutput]:
        """The evaluator says something."""
        if not self._is_open:
            return []  # of a channel that is given up, which tells nothing of the next one
        self._has_heard, self._again = True, []
        said = decode_heads(message)
        if isinstance(said, Unreadable):
            return [Drop(said.why), *self._advance(now)]
        wanted = self._by_id.get(said.id)
        if wanted is None:
            return self._advance(now)  # it was stopped
        match said:
            case Head():
                outputs = self._answered(wanted, said)
            case Chunk(_, offset, data):
                outputs = self._came(wanted, offset, data)
            case Refused(_, reason, detail):
                keeps = reason == TOO_MANY
                may_pass = keeps or reason == BAD_OFFSET
                outputs = self._fail(wanted, reason, detail, may_pass=may_pass, keeps=keeps)
            case _:
                assert_never(said)
        return [*outputs, *self._advance(now)]

    def _answered(self, wanted: _Wanted, head: Head) -> list[ReceiverOutput]:
        if wanted.length is not None:
            return [Drop("a second answer to one want")]
        goes_on = head.offset == wanted.have and wanted.sha256 in (None, head.sha256)
        if head.offset > head.length or not (head.offset == 0 or goes_on):
            detail = "the evaluator sent another part than was asked for"
            return self._fail(wanted, "bad_range", detail, may_pass=True, tell=True)
        if head.length > MAX_IMAGE:
            return self._fail(wanted, "too_large", tell=True)
        wanted.have, wanted.length, wanted.sha256 = head.offset, head.length, head.sha256
        kind = head.content_type
        answer = Answered(wanted.number, head.offset, head.length, kind, head.sha256)
        return [answer, *self._finish_if_whole(wanted)]

    def _came(self, wanted: _Wanted, offset: int, data: bytes) -> list[ReceiverOutput]:
        if wanted.length is None or offset != wanted.have or offset + len(data) > wanted.length:
            return [Drop("a chunk that does not go on from the one before")]
        wanted.have += len(data)
        got = Tell(encode_data(Got(wanted.id, wanted.have)))
        return [got, Came(wanted.number, data), *self._finish_if_whole(wanted)]

    def _finish_if_whole(self, wanted: _Wanted) -> list[ReceiverOutput]:
        if wanted.have != wanted.length:
            return []
        self._forget(wanted)
        return [Finished(wanted.number)]

    # ── what follows from it ─────────────────────────────────────────────────────────────────────

    def _advance(self, now: float) -> list[ReceiverOutput]:
        """Ask for what may be asked for now."""
        outputs: list[ReceiverOutput] = []
        if not self._is_open:
            return outputs
        for wanted in list(self._wanted.values()):
            if wanted.id == 0 and (self._has_heard or not self._by_id):
                outputs += self._ask(wanted, now)
        first = next(iter(self._wanted.values()), None)
        if first is None or first.length is not None:
            self._patience = None
        elif self._patience is None or self._patience[0] != first.number:
            self._patience = (first.number, now + FETCH_STALL)
        return outputs

    def _ask(self, wanted: _Wanted, now: float) -> list[ReceiverOutput]:
        self._last_id += 1
        wanted.id = self._last_id
        self._by_id[wanted.id] = wanted
        if not self._has_heard:
            self._again = [now + pause for pause in READY_AGAIN]
        return self._say(wanted)

    def _say(self, wanted: _Wanted) -> list[ReceiverOutput]:
        sha256 = wanted.sha256 if wanted.have > 0 else None
        text = encode_data(Want(wanted.id, wanted.image_url, wanted.have, sha256))
        if len(text) > MAX_DATA_TEXT:
            return self._fail(wanted, "bad_url", "its name is too long to be asked for")
        return [Tell(text)]

    def _fail(
        self,
        wanted: _Wanted,
        reason: str,
        detail: str = "",
        *,
        may_pass: bool = False,
        keeps: bool = False,
        tell: bool = False,
    ) -> list[ReceiverOutput]:
        """Nothing comes of it.

        :param tell: the evaluator, which may be sending it.
        """
        said = self._drop(wanted) if tell else []
        self._forget(wanted)
        return [*said, Failed(wanted.number, reason, may_pass, keeps, detail)]

    def _drop(self, wanted: _Wanted) -> list[ReceiverOutput]:
        """No more of it is to be sent."""
        was_said = wanted.id > 0
        self._forget(wanted)
        return [Tell(encode_data(Stop(wanted.id)))] if was_said else []

    def _forget(self, wanted: _Wanted) -> None:
        self._wanted.pop(wanted.number, None)
        self._by_id.pop(wanted.id, None)
        if not self._by_id:
            self._again = []
