"""The vocabulary of the data channel `image-data`, and who says what to whom.

JSON objects as text, and bytes of pictures as binary messages:

    evaluator │◀──── want {id, imageUrl, offset, sha256} ──│ client
              │── picture {id, offset, length, ...} ──────▶│    what follows
              │── chunk: id, offset, bytes ───────────────▶│
              │◀───────────────────── got {id, offset} ────│    for each chunk
              │◀───────────────────────── stop {id} ───────│    no more of it
              │── refused {id, reason, detail} ───────────▶│    also in the middle

One picture at a time, in the order in which they are asked for. An `id` is that of a want, on one
channel; what concerns one that is over is passed over.
"""

import struct
from typing import Annotated

import attrs

from imgsync.core.protocol.channel import Count, MediaType, Reason, Sha256
from imgsync.core.protocol.numbers import LARGE_CHUNK
from imgsync.core.protocol.signalling import Detail, Url
from imgsync.core.protocol.urls import public_url

WantId = Annotated[int, "want id"]
"""From 1 to 2^32 - 1; each want of a channel has a larger one than those before it."""

_HEADER = struct.Struct("!IQ")

CHUNK_HEADER = _HEADER.size
"""Bytes in front of those of the picture."""


@attrs.frozen
class Want:
    """Send this picture, from a byte of it on.

    :param sha256: of the picture whose first bytes are here, if any are.
    """

    TYPE = "want"
    id: WantId
    image_url: Url = attrs.field(repr=public_url)
    offset: int
    sha256: Sha256 | None = None


@attrs.frozen
class Got:
    """All bytes below this offset have come."""

    TYPE = "got"
    id: WantId
    offset: Count


@attrs.frozen
class Stop:
    """Send no more of it."""

    TYPE = "stop"
    id: WantId


@attrs.frozen
class Head:
    """What follows begins at this offset of a picture of so many bytes.

    :param offset: the one that was asked for, or 0 where what is here is of another picture.
    """

    TYPE = "picture"
    id: WantId
    offset: Count
    length: Count
    content_type: MediaType
    sha256: Sha256


@attrs.frozen
class Refused:
    """Nothing (more) of it is sent.

    :param reason: a short word for programs.
    :param detail: what else is known, for people.
    """

    TYPE = "refused"
    id: WantId
    reason: Reason
    detail: Detail = ""


@attrs.frozen
class Chunk:
    """Bytes of a picture, from this offset on."""

    id: int
    offset: int
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Unreadable:
    """What is none of these, and why.

    :param id: of a want that has one all the same.
    """

    why: str
    id: int | None = None


ToSender = Want | Got | Stop
ToReceiver = Head | Refused | Chunk


def pack_chunk(id: int, offset: int, data: bytes) -> bytes:
    """A binary message: `id` in 4 bytes and `offset` in 8, big-endian, and the bytes themselves."""
    return _HEADER.pack(id, offset) + data


def unpack_chunk(message: bytes) -> Chunk | Unreadable:
    """What a binary message holds."""
    size = len(message) - CHUNK_HEADER
    if not 0 < size <= LARGE_CHUNK:
        return Unreadable(f"a binary message of {len(message)} bytes is no chunk")
    id, offset = _HEADER.unpack_from(message)
    return Chunk(id, offset, message[CHUNK_HEADER:])
