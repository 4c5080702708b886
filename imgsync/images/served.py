"""Files that are sent by HTTP, block by block: none is ever in memory as a whole.

A file is opened once for an answer, and what is told of it (size, kind, tag) is of the very version
that was opened, by device, inode, size and time. Its bytes are read once for that, and not for each
answer. A version that changes while it is sent is not sent to its end, so that whoever fetches it
knows: no bytes are made up, and none are of another picture.

Files are read in a few threads of their own: a disk that stands still holds up nobody else.
"""

import errno
import hashlib
import io
import os
import stat
from functools import partial
from pathlib import Path
from typing import TypeVar

import attrs
import trio

from imgsync.images.kinds import CONTENT_TYPES, SNIFF_SIZE, sniff_image
from imgsync.images.own import OwnPicture, Stamp, open_at_once
from imgsync.net.http import BodyCut

_T = TypeVar("_T")

BLOCK = 64 * 1024
"""Bytes that are read and sent at a time; who reads slowly costs the memory of one."""

_PART = 256 * 1024
"""The same where a file is only read, for its tag."""

READERS = 4
"""Threads that read the files of one host."""


@attrs.frozen
class Version:
    """What is told of one version of a file.

    :param content_type: by its bytes, and not by its name.
    :param tag: of its bytes, too, so that parts of two answers are of one picture.
    """

    stamp: Stamp
    content_type: str
    tag: str

    @classmethod
    def of(cls, picture: OwnPicture) -> "Version":
        """That of a picture whose bytes have been read already."""
        return cls(picture.stamp, picture.facts.content_type, _tag_of(picture.facts.sha256))


class ServedFile:
    """One file, and what is known of the version that it was last.

    :param readers: of its host.
    """

    def __init__(self, path: Path, known: Version | None, readers: trio.CapacityLimiter) -> None:
        self._path = path
        self._known = known
        self._readers = readers
        # So that many who ask at once for what is not known have it read once.
        self._inspecting = trio.Lock()

    async def open(self) -> "OpenFile":
        """The file as it is now; whoever has it closes it. Raises OSError."""
        stream = await self._run(partial(_open_regular, self._path))
        try:
            version = await self._inspect(stream)
        except BaseException:
            stream.close()
            raise
        return OpenFile(stream, version, self._readers)

    async def _inspect(self, stream: io.FileIO) -> Version:
        async with self._inspecting:
            found = Stamp.of(os.fstat(stream.fileno()))
            if self._known is None or self._known.stamp != found:
                self._known = await self._run(partial(_read_version, stream))
            return self._known

    async def _run(self, work: "partial[_T]") -> _T:
        return await trio.to_thread.run_sync(work, limiter=self._readers)


class OpenFile:
    """A version of a file, from an offset on; the body of a response. Made by `ServedFile.open`."""

    def __init__(self, stream: io.FileIO, version: Version, readers: trio.CapacityLimiter) -> None:
        self.version = version
        self._stream = stream
        self._readers = readers
        self._offset = 0

    @property
    def size(self) -> int:
        """Bytes from the offset on."""
        return self.version.stamp.size - self._offset

    def seek(self, offset: int) -> None:
        """Begin here."""
        self._offset = offset

    async def read(self) -> bytes:
        """The next block; empty at the end. Raises BodyCut."""
        if self.size == 0:
            return b""
        data = await trio.to_thread.run_sync(self._read, limiter=self._readers)
        self._offset += len(data)
        return data

    def _read(self) -> bytes:
        try:
            self._stream.seek(self._offset)
            data = self._stream.read(min(BLOCK, self.size))
            # Behind the read: what is written meanwhile is seen.
            found = Stamp.of(os.fstat(self._stream.fileno()))
        except OSError as exc:
            raise BodyCut(f"can't be read any more: {exc.strerror}") from exc
        if not data or found != self.version.stamp:
            raise BodyCut("was changed while it was sent")
        return data

    def close(self) -> None:
        """Any number of times."""
        self._stream.close()


def _tag_of(sha256: str) -> str:
    return f'"{sha256[:32]}"'


def _open_regular(path: Path) -> io.FileIO:
    """Raises OSError."""
    stream = open_at_once(path)
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "it is no regular file")
    return stream


def _read_version(stream: io.FileIO) -> Version:
    """Raises OSError."""
    stamp = Stamp.of(os.fstat(stream.fileno()))
    stream.seek(0)
    hashed, head, left = hashlib.sha256(), b"", stamp.size
    while left > 0 and (part := stream.read(min(_PART, left))):
        head = head or part[:SNIFF_SIZE]
        hashed.update(part)
        left -= len(part)
    if left or Stamp.of(os.fstat(stream.fileno())) != stamp:
        raise OSError(errno.EAGAIN, "it is being written")
    kind = sniff_image(head)
    content_type = CONTENT_TYPES.get(kind or "", "application/octet-stream")
    return Version(stamp, content_type, _tag_of(hashed.hexdigest()))
