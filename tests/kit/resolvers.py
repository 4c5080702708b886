"""Names that have the addresses that a test gives them."""

import socket
from typing import Any

import trio


class Addresses(trio.abc.HostnameResolver):
    """Every name has these, in this order."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def getaddrinfo(
        self,
        host: object,
        port: object,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """One entry for each."""
        found: list[Any] = []
        for address in self._addresses:
            own = socket.AF_INET6 if ":" in address else socket.AF_INET
            found.append((own, type, proto, "", (address, port)))
        return found

    async def getnameinfo(self, sockaddr: object, flags: int) -> tuple[str, str]:
        """Nobody asks."""
        raise NotImplementedError
