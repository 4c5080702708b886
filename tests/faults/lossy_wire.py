"""A wire between two network interfaces that can lose frames: python lossy_wire.py IF1 IF2.

Prints a line when it is there. Lines on stdin say what is lost from then on:

    lose SHARE    this share of all frames, whichever
    narrow SIZE   all datagrams of UDP whose IP packet is larger, without a word by ICMP; TCP
                  passes, as with a VPN that has it use smaller segments
    pass PORT...  all packets of IP but those of TCP from and to these ports, as at a firewall
    forget        all frames of the TCP connections that there were until now, as with a router that
                  was restarted, and says so to nobody; UDP and new connections pass
"""

from __future__ import annotations

import random
import select
import socket
import struct
import sys

_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_VNET_HDR = 263, 15
"""With it, a frame keeps what its sender has left for the network card to do (checksums, segments):
see packet(7) and linux/virtio_net.h."""
_VNET_HDR_SIZE = 10

_MAX_FRAME = 1 << 17

Flow = frozenset[tuple[bytes, int]]
"""Address and port of both ends."""


class Wire:
    """What is lost on it."""

    def __init__(self) -> None:
        self._share = 0.0
        self._mtu = _MAX_FRAME
        self._ports: frozenset[int] | None = None
        self._flows: set[Flow] = set()
        self._forgotten: set[Flow] = set()

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
            case words:
                raise ValueError(f"a wire can't {words}")

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        frame, (_, _, kind, *_) = source.recvfrom(_MAX_FRAME)
        if kind == socket.PACKET_OUTGOING or self._loses(frame):
            return
        try:
            target.send(frame)
        except OSError:  # that end is down: nothing arrives
            return

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
    end.bind((interface, 0))
    return end


def main() -> None:
    ends = [_open_end(name) for name in sys.argv[1:]]
    others = {end: other for end, other in zip(ends, reversed(ends), strict=True)}
    wire = Wire()
    print("up", flush=True)
    while True:
        ready, _, _ = select.select([*ends, sys.stdin], [], [])
        for end in ends:
            if end in ready:
                wire.carry(end, others[end])
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            wire.obey(line)


if __name__ == "__main__":
    main()
