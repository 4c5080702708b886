"""What opening an evaluator and opening a client have in common."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from imgsync.core.messages import Register, Role
from imgsync.peer.network import open_internet
from imgsync.peer.signalling import Signalling, open_signalling
from imgsync.peer.token_source import TokenSource
from imgsync.seams import Network


@asynccontextmanager
async def join_relay(
    url: str,
    role: Role,
    *,
    user_id: str,
    name: str | None,
    token: TokenSource,
    ice_addresses: Sequence[str],
    network: Network | None,
) -> AsyncIterator[tuple[Signalling, Network]]:
    """Register, and stay registered, over the real network or the one that is given.

    Raises ConnectError, RelayError, SocketClosed and InputError.
    """
    register = Register(user_id, role, "webrtc", name)
    async with AsyncExitStack() as stack:
        if network is None:
            network = await stack.enter_async_context(open_internet(ice_addresses))
        opening = open_signalling(network, url, register, token)
        yield await stack.enter_async_context(opening), network
