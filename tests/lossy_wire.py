"""A wire between two network interfaces that can lose frames: python lossy_wire.py IF1 IF2.

Prints a line when it is there. A line on stdin is the share of frames that is lost from then on.
"""

from __future__ import annotations

import random
import select
import socket
import sys

_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_VNET_HDR = 263, 15
"""With it, a frame keeps what its sender has left for the network card to do (checksums, segments):
see packet(7) and linux/virtio_net.h."""

_MAX_FRAME = 1 << 17


def _open_end(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    end.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    end.bind((interface, 0))
    return end


def _carry(source: socket.socket, target: socket.socket, loss: float) -> None:
    frame, (_, _, kind, *_) = source.recvfrom(_MAX_FRAME)
    if kind == socket.PACKET_OUTGOING or random.random() < loss:
        return
    try:
        target.send(frame)
    except OSError:  # that end is down: nothing arrives
        return


def main() -> None:
    ends = [_open_end(name) for name in sys.argv[1:]]
    others = {end: other for end, other in zip(ends, reversed(ends), strict=True)}
    loss = 0.0
    print("up", flush=True)
    while True:
        ready, _, _ = select.select([*ends, sys.stdin], [], [])
        for end in ends:
            if end in ready:
                _carry(end, others[end], loss)
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            loss = float(line)


if __name__ == "__main__":
    main()
