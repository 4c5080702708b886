"""How a picture is read while its bytes come in: each format is a generator that asks for the next
step, and goes on with what came of it. Nothing is kept but what a format asks to have.

A format that returns has seen the end of a whole picture; what follows is of no consequence. It
raises Malformed for what no browser would decode.
"""

import re
from collections.abc import Generator
from typing import Any
from zlib import crc32


class Malformed(Exception):
    """It is not built as its format has it."""


class NoPicture(Malformed):
    """It is something else."""


class Step:
    """What a format asks for."""

    is_done = False
    may_end = False
    """Whether it is whole if nothing more comes."""
    answer: Any = None
    """What the format goes on with, once it is done."""

    def eat(self, data: bytes, at: int) -> int:
        """Take of these bytes, from `at` on, what is needed. Returns where the rest begins."""
        raise NotImplementedError


Format = Generator[Step, Any, None]


class Take(Step):
    """So many bytes, to have; a few."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.answer = b""
        self.is_done = count == 0

    def eat(self, data: bytes, at: int) -> int:
        part = data[at : at + self._left]
        self.answer += part
        self._left -= len(part)
        self.is_done = self._left == 0
        return at + len(part)


class Found(Take):
    """Nothing: what it is is certain from here on, where its first bytes did not tell."""

    def __init__(self) -> None:
        super().__init__(0)


class Sized(Take):
    """Nothing: how large it is as it is shown, in pixels. The last one counts."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(0)
        self.size = (width, height)


class Skip(Step):
    """So many bytes, whatever they are."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.is_done = count == 0

    def eat(self, data: bytes, at: int) -> int:
        taken = min(self._left, len(data) - at)
        self._left -= taken
        self.is_done = self._left == 0
        return at + taken


class Sum(Skip):
    """So many bytes, and the CRC-32 of them and of what was before."""

    def __init__(self, count: int, crc: int) -> None:
        super().__init__(count)
        self.answer = crc

    def eat(self, data: bytes, at: int) -> int:
        end = super().eat(data, at)
        self.answer = crc32(data[at:end], self.answer)
        return end


class Until(Step):
    """All up to a byte that fits: a few of the bytes before it, and that one."""

    def __init__(self, fits: "re.Pattern[bytes]", keep: int = 0) -> None:
        self._fits = fits
        self._keep = keep
        self.answer = b""

    def eat(self, data: bytes, at: int) -> int:
        found = self._fits.search(data, at)
        end = len(data) if found is None else found.start()
        if self._keep:
            self.answer += data[at : min(end, at + self._keep - len(self.answer))]
        if found is None:
            return end
        self.is_done = True
        self.answer += found[0]
        return found.end()


class Rest(Until):
    """The same of what may follow, or not."""

    may_end = True


class Past(Step):
    """All up to the end of a text."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._tail = b""

    def eat(self, data: bytes, at: int) -> int:
        before = len(self._tail)
        # It may begin at the end of what came before.
        joined = self._tail + data[at:]
        found = joined.find(self._text)
        if found < 0:
            self._tail = joined[max(0, len(joined) - len(self._text) + 1) :]
            return len(data)
        self.is_done = True
        return at + found + len(self._text) - before


class Marker(Step):
    """All up to the next marker of a JPEG and with it; its number. Restarts are passed over."""

    # ITU T.81, B.1.1.2 to B.1.1.5: any number of fill bytes, and what stands for a byte 255.
    _FITS = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")

    def __init__(self) -> None:
        self._is_begun = False

    def eat(self, data: bytes, at: int) -> int:
        if self._is_begun and data[at] != 0xFF:
            self._is_begun = False
            if data[at] != 0 and not 0xD0 <= data[at] <= 0xD7:
                self.is_done = True
                self.answer = data[at]
                return at + 1
        found = self._FITS.search(data, at)
        if found is None:
            self._is_begun = data.endswith(b"\xff")
            return len(data)
        self.is_done = True
        self.answer = found[1][0]
        return found.end()


class Reader:
    """Takes a format through the bytes as they come."""

    def __init__(self, steps: Format) -> None:
        self._steps = steps
        self._is_over = False
        self.is_found = False
        self.size: tuple[int, int] | None = None
        self.failure: Malformed | None = None
        self._advance(None)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.failure is None and (self._is_over or self._step.may_end)

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        at = 0
        while at < len(data) and not self._is_over and self.failure is None:
            at = self._step.eat(data, at)
            if self._step.is_done:
                self._advance(self._step.answer)

    def _advance(self, answer: object) -> None:
        try:
            self._step = self._steps.send(answer)
            while self._step.is_done:  # nothing was asked for
                self.is_found = self.is_found or isinstance(self._step, Found)
                if isinstance(self._step, Sized) and min(self._step.size) > 0:
                    self.size = self._step.size
                self._step = self._steps.send(self._step.answer)
        except StopIteration:
            self._is_over = True
        except Malformed as exc:
            self.failure = exc
