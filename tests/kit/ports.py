"""Ports for servers that can't choose one by themselves."""

import secrets
import socket
from contextlib import closing

_NOT_GIVEN_OUT = range(10_000, 32_000)
"""Ports that Linux gives to nobody who asks for any."""


def find_free_port() -> int:
    """A port that nobody uses, with UDP or TCP, and nobody is given by the system meanwhile."""
    while True:
        port = secrets.choice(_NOT_GIVEN_OUT)
        with socket.socket(type=socket.SOCK_DGRAM) as udp, closing(socket.socket()) as tcp:
            try:
                udp.bind(("", port))
                tcp.bind(("", port))
            except OSError:
                continue
            return port
