"""Pictures whose bytes are here: files of a folder, as they were when it was opened.

A file that is another one by now is never taken for the one that was offered: its size, time and
inode are looked at before each read. What gets round that is caught where it is received, by hash.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs

from imgsync.core.pictures.facts import Facts
from imgsync.core.protocol.errors import ImgsyncError


class PictureChanged(ImgsyncError):
    """The file is another one than when its folder was opened."""

    reason = "changed"


class PictureUnreadable(ImgsyncError):
    """The file is gone, or can't be read."""

    reason = "unreadable"


@attrs.frozen
class Stamp:
    """What tells one version of a file from another."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, found: os.stat_result) -> "Stamp":
        """By what the system says of it."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)


def _serve_nothing() -> None:
    pass


def open_at_once(path: Path) -> io.FileIO:
    """For reading. Raises OSError.

    Who opens a pipe that lies where a file was waits for its writer, and for ever if need be.
    """

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

    return io.FileIO(path, opener=opener)


@attrs.frozen
class OwnPicture:
    """A picture on this disk.

    :param stamp: of the file that the facts are of.
    :param serve: to be called, on Trio's thread, before a URL of it goes to a client: its host
        begins to serve then. Any number of times.
    """

    facts: Facts
    path: Path = attrs.field(repr=False)
    stamp: Stamp = attrs.field(repr=False)
    serve: Callable[[], None] = attrs.field(default=_serve_nothing, repr=False, eq=False)

    @contextmanager
    def open(self) -> "Iterator[OpenPicture]":
        """Its bytes, while the block lasts. Raises PictureChanged and PictureUnreadable.

        It reads from a disk, and is for a thread.
        """
        with _unreadable(self.path):
            stream = open_at_once(self.path)
        with stream:
            yield OpenPicture(self.path, self.stamp, stream)


class OpenPicture:
    """A picture that is being read. Made by `OwnPicture.open`."""

    def __init__(self, path: Path, stamp: Stamp, stream: BinaryIO) -> None:
        self._path = path
        self._stamp = stamp
        self._stream = stream
        self._check()

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from there on, or those that are left.

        Raises PictureChanged and PictureUnreadable.
        """
        wanted = min(size, self._stamp.size - offset)
        with _unreadable(self._path):
            self._stream.seek(offset)
            parts = []
            while wanted > 0 and (part := self._stream.read(wanted)):
                parts.append(part)
                wanted -= len(part)
        # Behind the read: what is written meanwhile is seen.
        self._check()
        return b"".join(parts)

    def _check(self) -> None:
        with _unreadable(self._path):
            # By its name as well: editors put a new file in the place of the old one.
            found = {Stamp.of(os.fstat(self._stream.fileno())), Stamp.of(self._path.stat())}
        if found != {self._stamp}:
            raise PictureChanged(f"{str(self._path)!r} is another file than when it was opened")


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise PictureUnreadable(f"can't read {str(path)!r}: {exc.strerror}") from exc
