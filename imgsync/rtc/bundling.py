"""Acknowledgements of one SCTP association go along with what answers (RFC 9260, section 6.10).

With the rest of this room, the only place that touches what is private to aiortc; the canary tests
fail when one of these names goes. Stock aiortc has each chunk in a packet of its own, so that an
answer which is sent at once, as an ack is, costs both sides two packets; and it acknowledges each
packet by itself, which costs as much as the packet.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from aiortc import RTCSctpTransport
from aiortc.rtcsctptransport import SCTP_COMMON_HEADER_LENGTH, Chunk, DataChunk, SackChunk

from imgsync.core.handshake.packets import SMALLEST

_SACK_LENGTH = 16
"""Bytes of an acknowledgement without gaps (RFC 9260, section 3.3.4)."""

_ROOM = SMALLEST - SCTP_COMMON_HEADER_LENGTH - _SACK_LENGTH
"""Bytes of a chunk beside it, before anything is known of the path."""


class Bundle:
    """Several chunks in one packet, in the place of one: all that is asked of it."""

    def __init__(self, *chunks: Chunk) -> None:
        self._chunks = chunks

    def __bytes__(self) -> bytes:
        return b"".join(map(bytes, self._chunks))

    def __repr__(self) -> str:
        return f"Bundle{self._chunks!r}"


class Bundling:
    """An acknowledgement waits for a message to go along with, until the turn of the loop ends or
    another packet of data has been taken: two are acknowledged together where the second has come
    in already. That is as often as RFC 9260, section 6.2, has it, and at once nevertheless.

    One that tells of what is missing, or came twice, does not wait.

    :param has_more: whether another packet has come in.
    """

    def __init__(self, sctp: RTCSctpTransport, has_more: Callable[[], bool]) -> None:
        self._sctp = sctp
        self._has_more = has_more
        self._acknowledge, self._send = sctp._send_sack, sctp._send_chunk
        self._waits = False
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        sctp._send_sack = self._wait_or_acknowledge  # type: ignore[method-assign]
        sctp._send_chunk = self._send_with_it  # type: ignore[method-assign]

    async def _wait_or_acknowledge(self) -> None:
        sctp = self._sctp
        if self._waits or sctp._sack_misordered or sctp._sack_duplicates:
            self._waits = False
            await self._acknowledge()
            return
        self._waits = True
        if self._has_more():
            return  # behind which it is asked for again
        task = self._loop.create_task(self._acknowledge_late())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _acknowledge_late(self) -> None:
        if not self._waits:
            return
        self._waits = False
        with suppress(ConnectionError):  # it is told elsewhere
            await self._acknowledge()

    async def _send_with_it(self, chunk: Chunk) -> None:
        if self._waits and isinstance(chunk, DataChunk) and len(bytes(chunk)) <= _ROOM:
            self._waits = self._sctp._sack_needed = False
            chunk = cast("Chunk", Bundle(self._make_sack(), chunk))
        await self._send(chunk)

    def _make_sack(self) -> SackChunk:
        """While one waits, nothing is missing and nothing came twice."""
        sack = SackChunk()
        sack.cumulative_tsn = self._sctp._last_received_tsn
        sack.advertised_rwnd = max(0, self._sctp._advertised_rwnd)
        return sack
