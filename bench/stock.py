"""What bare peers share: stock aiortc, with a description each way and no candidates behind it."""

import asyncio
from collections.abc import Sequence

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription


def new_peer_connection() -> RTCPeerConnection:
    """One that asks no server."""
    # No list at all would mean Google's STUN server, not none.
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


class Line:
    """A connection to one client, and its channel."""

    def __init__(self) -> None:
        self.pc = new_peer_connection()
        self.channel: RTCDataChannel = self.pc.createDataChannel("image-sync")
        self._opened = asyncio.Event()
        self.channel.on("open", self._opened.set)

    async def offer(self) -> str:
        """An offer of it."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        sdp: str = self.pc.localDescription.sdp
        return sdp

    async def accept(self, sdp: str) -> None:
        """Take the answer, and wait for the channel."""
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await self._opened.wait()


async def accept_all(lines: Sequence[Line], answers: Sequence[str]) -> None:
    """Each its own."""
    pairs = zip(lines, answers, strict=True)
    await asyncio.gather(*(line.accept(sdp) for line, sdp in pairs))


async def answer_offer(pc: RTCPeerConnection, sdp: str) -> str:
    """The answer to an offer."""
    await pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    answer: str = pc.localDescription.sdp
    return answer
