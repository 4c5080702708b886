"""What opening an evaluator and opening a client have in common."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal, get_args

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import (
    FEATURE_EARLY_OFFER,
    FEATURE_ICE_SERVERS,
    FEATURE_PRESENCES,
    FEATURE_WAITING,
    FEATURES,
    PACKAGE,
)
from imgsync.core.protocol.signalling import Features, Register, Role
from imgsync.peer.network import open_internet
from imgsync.peer.record import open_record
from imgsync.peer.session_journal import Write
from imgsync.peer.signalling import Signalling, open_signalling
from imgsync.peer.token_source import TokenSource
from imgsync.seams import Network

IcePolicy = Literal["all", "relay"]
"""By which ways a connection may go: all that there are, or through a TURN server alone."""


@asynccontextmanager
async def join_relay(
    url: str,
    role: Role,
    *,
    user_id: str,
    name: str | None,
    token: TokenSource,
    ice_addresses: Sequence[str],
    ice_policy: IcePolicy,
    snap: bool,
    log_file: str | os.PathLike[str] | None,
    network: Network | None,
    features: Features = (),
) -> AsyncIterator[tuple[Signalling, Network, Write]]:
    """Register, and stay registered, over the real network or the one that is given.

    Yields what writes down what happens in the sessions, besides.

    Raises ConnectError, RelayError, SocketClosed and InputError.

    :param features: what a client speaks beside what all speak.
    """
    if ice_policy not in get_args(IcePolicy):  # taken for "all", it would give addresses away
        raise InputError(f'the ICE policy is "all" or "relay", and not {ice_policy!r}')
    # What there is to be spoken on the channel is the client's to speak.
    of_client = (*FEATURES, *features, FEATURE_EARLY_OFFER)
    spoken = of_client if role is Role.CLIENT else (FEATURE_PRESENCES, FEATURE_WAITING)
    register = Register(user_id, role, PACKAGE, name, features=(*spoken, FEATURE_ICE_SERVERS))
    async with AsyncExitStack() as stack:
        write = await stack.enter_async_context(open_record(log_file, role, user_id))
        if network is None:
            opening_network = open_internet(
                ice_addresses, relay_only=ice_policy == "relay", snap=snap
            )
            network = await stack.enter_async_context(opening_network)
        opening = open_signalling(network, url, register, token)
        yield await stack.enter_async_context(opening), network, write
