"""A wire between network interfaces that can lose and delay frames: lossy_wire.py IF1 IF2 [IF3...].

What comes in at one leaves at that where its target was seen, as with a switch, and before that at
all others. Prints a line when it is there. Lines on stdin say what is so from then on:

    lose SHARE       this share of all frames is lost, whichever
    narrow SIZE      so are all datagrams of UDP whose IP packet is larger, without a word by ICMP;
                     TCP passes, as with a VPN that has it use smaller segments
    pass PORT...     so are all packets of IP but those of TCP from and to these ports, as at a
                     firewall
    forget           so are all frames of the TCP connections that there were until now, as with a
                     router that was restarted, and says so to nobody; UDP and new connections pass
    delay SECONDS    all frames come so much later, either way
    limit RATE SIZE  either way between two ends lets so many bytes pass in a second, and so many
                     wait for that, as a router does; what finds no room there is lost

`count` is answered with a line: for each end, how many frames and bytes have left there by then.
"""

from __future__ import annotations

import math
import os
import random
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Sequence
from itertools import permutations

import attrs

_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 263, 15, 23
"""With the first, a frame keeps what its sender has left for the network card to do (checksums,
segments): see packet(7) and linux/virtio_net.h."""
_VNET_HDR_SIZE = 10

_MAX_FRAME = 1 << 17

_SO_RCVBUFFORCE = 33
"""See socket(7). What it is set to is more than any sender has on its way."""
_ROOM = 8 << 20

_AT_ONCE = 64
"""Frames that are taken from one end before the other has its turn."""

Flow = frozenset[tuple[bytes, int]]
"""Address and port of both ends."""


@attrs.define(eq=False)
class _Way:
    """From one end to another.

    :ivar frames: that have left it.
    :ivar sent: bytes of all of these.
    """

    target: socket.socket
    delay: float = 0.0
    rate: float = math.inf
    room: float = math.inf
    frames: int = 0
    sent: int = 0
    #: When the last of what waits will have passed.
    _free_at: float = 0.0
    #: What is on its way, and when it will be there.
    _waiting: deque[tuple[float, bytes]] = attrs.field(factory=deque)

    @property
    def due(self) -> float:
        """When to call `deliver`."""
        return self._waiting[0][0] if self._waiting else math.inf

    def put(self, frame: bytes, now: float) -> None:
        self._free_at = max(self._free_at, now)
        if (self._free_at - now) * self.rate > self.room:
            return
        self._free_at += (len(frame) - _VNET_HDR_SIZE) / self.rate
        self._waiting.append((self._free_at + self.delay, frame))

    def deliver(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, frame = self._waiting.popleft()
            try:
                self.target.send(frame)
            except OSError:  # that end is down: nothing arrives
                continue
            self.frames += 1
            self.sent += len(frame) - _VNET_HDR_SIZE


class Wire:
    """What is lost on it."""

    def __init__(self, ends: Sequence[socket.socket]) -> None:
        self._ends = ends
        self._ways = {(one, other): _Way(other) for one, other in permutations(ends, 2)}
        #: Behind which end an address of Ethernet was seen.
        self._places: dict[bytes, socket.socket] = {}
        self._share = 0.0
        self._mtu = _MAX_FRAME
        self._ports: frozenset[int] | None = None
        self._flows: set[Flow] = set()
        self._forgotten: set[Flow] = set()

    @property
    def due(self) -> float:
        """When something is to be delivered."""
        return min(way.due for way in self._ways.values())

    def obey(self, line: str) -> None:
        match line.split():
            case ["lose", share]:
                self._share = float(share)
            case ["narrow", size]:
                self._mtu = int(size)
            case ["pass", *ports]:
                self._ports = frozenset(map(int, ports))
            case ["forget"]:
                self._forgotten |= self._flows
                self._flows.clear()
            case ["delay", seconds]:
                for way in self._ways.values():
                    way.delay = float(seconds)
            case ["limit", rate, room]:
                for way in self._ways.values():
                    way.rate, way.room = float(rate), float(room)
            case ["count"]:
                print(*(self._count_at(end) for end in self._ends), flush=True)
            case words:
                raise ValueError(f"a wire can't {words}")

    def carry(self, source: socket.socket) -> None:
        """Take what has come in at this end."""
        for _ in range(_AT_ONCE):
            try:
                frame = source.recv(_MAX_FRAME)
            except OSError:  # there is no more, or this end is down
                return
            if not self._loses(frame):
                for way in self._ways_of(source, frame[_VNET_HDR_SIZE:]):
                    way.put(frame, time.monotonic())

    def deliver(self) -> None:
        """Hand on what is due."""
        now = time.monotonic()
        for way in self._ways.values():
            way.deliver(now)

    def _ways_of(self, source: socket.socket, frame: bytes) -> list[_Way]:
        """Those that a frame takes that comes in here."""
        self._places[frame[6:12]] = source
        known = self._places.get(frame[:6])
        targets = self._ends if known is None else [known]
        return [self._ways[source, target] for target in targets if target is not source]

    def _count_at(self, end: socket.socket) -> str:
        ways = [way for way in self._ways.values() if way.target is end]
        return f"{sum(way.frames for way in ways)} {sum(way.sent for way in ways)}"

    def _loses(self, frame: bytes) -> bool:
        flow = _tcp_flow_of(frame[_VNET_HDR_SIZE:])
        if flow in self._forgotten:
            return True
        if flow is not None:
            self._flows.add(flow)
        if self._ports is not None and _is_ip(frame[_VNET_HDR_SIZE:]):
            ports = {port for _, port in flow or ()}
            if ports.isdisjoint(self._ports):
                return True
        if _udp_size_of(frame[_VNET_HDR_SIZE:]) > self._mtu:
            return True
        return random.random() < self._share


def _tcp_flow_of(frame: bytes) -> Flow | None:
    """None where it is not of TCP on IPv4. Offsets by Ethernet II and RFC 791."""
    if frame[12:14] != b"\x08\x00" or frame[14 + 9] != socket.IPPROTO_TCP:
        return None
    header = 14 + 4 * (frame[14] & 0x0F)
    source_port, target_port = struct.unpack_from("!HH", frame, header)
    return frozenset([(frame[26:30], source_port), (frame[30:34], target_port)])


def _is_ip(frame: bytes) -> bool:
    return frame[12:14] in (b"\x08\x00", b"\x86\xdd")


def _udp_size_of(frame: bytes) -> int:
    """Bytes of the IP packet, where it is one of UDP without extension headers or fragments."""
    packet = frame[14:]
    is_udp = {
        b"\x08\x00": packet[9:10] == bytes([socket.IPPROTO_UDP]),
        b"\x86\xdd": packet[6:7] == bytes([socket.IPPROTO_UDP]),
    }
    return len(packet) if is_udp.get(frame[12:14]) else 0


def _open_end(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    end.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
    end.bind((interface, 0))
    end.setblocking(False)
    return end


def main() -> None:
    # A wire waits for no processor, however many want one.
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    ends = [_open_end(name) for name in sys.argv[1:]]
    wire = Wire(ends)
    unread = b""
    print("up", flush=True)
    while True:
        pause = wire.due - time.monotonic()
        timeout = None if pause == math.inf else max(0.0, pause)
        ready, _, _ = select.select([*ends, sys.stdin], [], [], timeout)
        for end in ends:
            if end in ready:
                wire.carry(end)
        wire.deliver()
        if sys.stdin in ready:
            said = os.read(sys.stdin.fileno(), 4096)
            if not said:
                return
            *lines, unread = (unread + said).split(b"\n")
            for line in lines:
                wire.obey(line.decode())


if __name__ == "__main__":
    main()
