"""Drives RelayState over real sockets: frames in, outputs onto outboxes.

A socket's reader never awaits anything slow: RelayState is synchronous, and posting to an outbox
never waits. One peer can neither stop the relay nor slow another.
"""

import itertools
import logging
import secrets
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import asynccontextmanager
from functools import partial

import trio

from imgsync.core.codec import encode_event
from imgsync.core.errors import SocketClosed
from imgsync.core.messages import CloseCode, IceServer
from imgsync.core.relay import Output, RelayState
from imgsync.net.http import Request, Response, refuse
from imgsync.net.server import Listeners, Site, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.nursery import open_background

log = logging.getLogger(__name__)

REGISTER_DEADLINE = 10.0
"""Seconds, as the protocol says."""

DRAIN_DEADLINE = 4.0
"""Seconds for every peer to take its close frame; the whole drain has to stay under 5 s."""

_GOODBYE = (CloseCode.GOING_AWAY, "the relay is shutting down")


class Relay:
    """One relay: its state and the sockets that it talks to. Made by `open_relay`."""

    def __init__(self, ice_servers: Iterable[IceServer]) -> None:
        self._state = RelayState(new_id=partial(secrets.token_urlsafe, 12), ice_servers=ice_servers)
        self._sockets: dict[Hashable, WebSocket] = {}
        self._ids = itertools.count(1)
        self._all_gone = trio.Event()
        self._draining = False

    @property
    def site(self) -> Site:
        """What the relay's port offers."""
        return Site(http=self._answer, sockets={"/ws": self._serve_peer})

    async def drain(self) -> None:
        """Tell every peer that the relay goes away; returns when all have gone, or after 4 s."""
        self._draining = True
        log.info("draining: %d peers are told that the relay goes away", len(self._sockets))
        for socket in self._sockets.values():
            socket.close(*_GOODBYE)
        with trio.move_on_after(DRAIN_DEADLINE):
            while self._sockets:
                self._all_gone = trio.Event()
                await self._all_gone.wait()

    async def _answer(self, request: Request) -> Response:
        if request.path == "/health":
            return Response(200, b"ok\n")
        return refuse(404, "This is an imgsync relay; peers connect to /ws.")

    async def _serve_peer(self, socket: WebSocket) -> None:
        if self._draining:
            socket.close(*_GOODBYE)
            return
        id = next(self._ids)
        self._sockets[id] = socket
        try:
            with trio.move_on_after(REGISTER_DEADLINE) as registering:
                while not self._state.is_registered(id):
                    self._perform(self._state.receive(id, await socket.receive()))
            if registering.cancelled_caught:
                socket.close(CloseCode.REGISTER_TIMEOUT, f"no register in {REGISTER_DEADLINE:g} s")
                return
            while True:
                self._perform(self._state.receive(id, await socket.receive()))
        except SocketClosed as exc:
            log.info("socket %d: %s", id, exc)
        finally:
            del self._sockets[id]
            self._perform(self._state.lost(id))
            if not self._sockets:
                self._all_gone.set()

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            self._sockets[output.socket].post(encode_event(output.message))


@asynccontextmanager
async def open_relay(
    listeners: Listeners, ice_servers: Iterable[IceServer] = ()
) -> AsyncIterator[Relay]:
    """Own a relay that serves on these listeners; leaving the block drains it."""
    relay = Relay(ice_servers)
    async with open_background() as nursery:
        await nursery.start(serve_site, relay.site, listeners)
        try:
            yield relay
        finally:
            with trio.CancelScope(shield=True):
                await relay.drain()
