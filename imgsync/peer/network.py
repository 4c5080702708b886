"""The real network: sockets of `imgsync.net`, connections of `imgsync.rtc`."""

import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.signalling import IceServer
from imgsync.net.connect import open_relay_socket
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.link import open_link
from imgsync.seams import Link, Network, Socket


class Internet:
    """See `imgsync.seams.Network`. Made by `open_internet`."""

    def __init__(
        self, bridge: Bridge, ice_addresses: Sequence[str], relay_only: bool, snap: bool
    ) -> None:
        self._bridge = bridge
        self._ice_addresses = ice_addresses
        self._relay_only = relay_only
        self._snap = snap

    def open_socket(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """See the protocol."""
        return open_relay_socket(url)

    def open_link(self, ice_servers: Sequence[IceServer]) -> AbstractAsyncContextManager[Link]:
        """See the protocol."""
        return open_link(
            self._bridge,
            ice_servers,
            self._ice_addresses,
            self._relay_only,
            snap=self._snap,
        )


@asynccontextmanager
async def open_internet(
    ice_addresses: Sequence[str] = (), *, relay_only: bool = False, snap: bool = True
) -> AsyncIterator[Network]:
    """Own the thread that WebRTC runs in. Raises InputError for what is no IP address.

    :param ice_addresses: the only local addresses to use for host candidates.
    :param relay_only: let everything go through a TURN server, and tell the other side of no
        address but its.
    :param snap: let SCTP be set up by the descriptions where the other side knows how.
    """
    check_addresses(ice_addresses)
    async with open_bridge() as bridge:
        yield Internet(bridge, ice_addresses, relay_only, snap)


def check_addresses(ice_addresses: Sequence[str]) -> None:
    """Raise InputError for what is no IP address, or one that the other side can't be told."""
    for address in ice_addresses:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            raise InputError(f"--ice-address {address!r} is not an IP address") from None
        if parsed.version == 6 and parsed.is_link_local:
            raise InputError(
                f"--ice-address {address!r} means something on one link of this machine alone; name"
                " another address of it, which the other side can be told"
            )
