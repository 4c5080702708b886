"""ICE as sessions need it: trickled, woken at once, on the addresses that were asked for.

Everything private to aiortc 1.16 and aioice 0.13 that we touch is touched in this file; its canary
test fails when one of these names goes. `Connection` takes the place of aioice's class of that name
in aiortc, and changes three things:

- gathering ends with the host candidates, in milliseconds; what a STUN server says later is
  reported as it comes. A server-reflexive candidate has no socket of its own in aioice, so it only
  has to be told to the other side, and a server that never answers costs nothing;
- `connect` keeps the 20 ms between checks, but returns when a pair is nominated and not at the end
  of a tick, and starts on a new candidate when it comes. It never gives up by itself: the other
  side's checks may still arrive (RFC 8863), and each attempt has a deadline anyway;
- addresses can be chosen, and loopback is used where the machine has nothing else.

Other users of aiortc in the same process keep the stock class.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any

import aiortc.rtcicetransport
import attrs
from aioice import ice
from aiortc.rtcicetransport import candidate_from_aioice
from aiortc.sdp import candidate_to_sdp

log = logging.getLogger(__name__)

GATHERING_DEADLINE = 5.0
"""Seconds that a STUN server has; meanwhile everything else goes on."""

CHECK_INTERVAL = 0.02
"""Seconds between checks, as stock aioice; RFC 8445, section 14.2, asks for at least 5 ms."""

_KNOWN = {"aiortc": "1.16", "aioice": "0.13"}
_UNCHECKED = (ice.CandidatePair.State.WAITING, ice.CandidatePair.State.FROZEN)


@attrs.frozen
class IceSettings:
    """How one peer connection gathers.

    :param addresses: the only local addresses to use; empty for all but loopback.
    :param on_candidate: told each candidate after the host ones, then None; on the loop thread.
    """

    addresses: Sequence[str]
    on_candidate: Callable[[str | None], None]


_settings: ContextVar[IceSettings | None] = ContextVar("ice_settings", default=None)


@contextlib.contextmanager
def trickling(settings: IceSettings) -> Iterator[None]:
    """Transports that aiortc makes inside this block, in this task, trickle."""
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


class Connection(ice.Connection):
    """An ICE connection that trickles and does not dawdle."""

    def __init__(self, settings: IceSettings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings
        self._trickle_task: asyncio.Task[None] | None = None
        #: Set when there may be something new to check.
        self._news = asyncio.Event()

    async def gather_candidates(self) -> None:
        """Gather host candidates; the rest goes on in the background and is reported."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        stun_server, self.stun_server = self.stun_server, None
        addresses = list(self._settings.addresses) or _host_addresses()
        for address in addresses:
            # One by one: what aioice has opened for a call that is cancelled, it does not close.
            self._local_candidates += await self.get_component_candidates(1, [address])
        self._local_candidates_end = True
        self._trickle_task = asyncio.create_task(self._trickle(stun_server))

    async def _trickle(self, stun_server: tuple[str, int] | None) -> None:
        """Report server-reflexive candidates as they come, then the end of candidates."""
        if stun_server is not None:
            try:
                async with asyncio.timeout(GATHERING_DEADLINE):
                    await self._query_stun(stun_server)
            except (TimeoutError, OSError) as exc:
                log.info("the STUN server %s:%d gave no answer: %r", *stun_server, exc)
        self._settings.on_candidate(None)

    async def _query_stun(self, server: tuple[str, int]) -> None:
        address = await _resolve(server[0])
        queries = [
            asyncio.create_task(ice.server_reflexive_candidate(protocol, (address, server[1])))
            for protocol in self._protocols
            if ipaddress.ip_address(protocol.local_candidate.host).version == 4
        ]
        try:
            for query in asyncio.as_completed(queries):
                try:
                    candidate, _ = await query
                except Exception as exc:  # what a server may answer is not ours to foresee
                    log.info("the STUN server %s:%d gave no candidate: %r", *server, exc)
                else:
                    self._local_candidates.append(candidate)
                    line = candidate_to_sdp(candidate_from_aioice(candidate))
                    self._settings.on_candidate(line)
        finally:
            for task in queries:
                task.cancel()

    async def connect(self) -> None:
        """Check pairs until one is nominated. Raises ConnectionError when closed before."""
        for candidate in self._remote_candidates:
            self._pair_remote_candidate(candidate)
        self.sort_check_list()
        self._unfreeze_initial()
        for check in self._early_checks:
            self.check_incoming(*check)
        self._early_checks.clear()
        self._early_checks_done = True

        pacing = asyncio.create_task(self._pace_checks())
        try:
            result = await self._check_list_state.get()
        finally:
            pacing.cancel()
        for pair in self._check_list:
            if pair.task is not None:
                pair.task.cancel()
        # It can be closed in the moment between its completion and our turn.
        if result != ice.ICE_COMPLETED or self._closing:
            raise ConnectionError("closed before a pair of candidates worked")
        self._query_consent_task = asyncio.create_task(self.query_consent())

    async def _pace_checks(self) -> None:
        """Start one check after the other, the interval apart; look at new pairs as they come."""
        while True:
            self._news.clear()
            starts_one = any(pair.state in _UNCHECKED for pair in self._check_list)
            self._check_periodic()
            if starts_one:
                await asyncio.sleep(CHECK_INTERVAL)
            else:
                await self._news.wait()

    def sort_check_list(self) -> None:
        """Called whenever pairs were added."""
        super().sort_check_list()
        self._news.set()

    def _check_list_maybe_fail(self) -> None:
        """Go on waiting for checks of the other side (RFC 8863)."""

    def _prune_components(self) -> None:
        """Keep the one component: stock drops it where no candidate came before their end."""

    async def close(self) -> None:
        """Close it; what still gathers is cancelled."""
        if self._trickle_task is not None:
            self._trickle_task.cancel()
        await super().close()


def _make_connection(**options: Any) -> ice.Connection:
    settings = _settings.get()
    return ice.Connection(**options) if settings is None else Connection(settings, **options)


def _host_addresses() -> list[str]:
    return ice.get_host_addresses(use_ipv4=True, use_ipv6=True) or ["127.0.0.1"]


async def _resolve(host: str) -> str:
    """The IPv4 address of a name, asked for in a thread that nobody waits for at the end.

    The loop's own executor is waited for when the loop closes, and a look-up can take long.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def finish(address: str | None) -> None:
        if not answer.done():
            if address is None:
                answer.set_exception(OSError("no such name"))
            else:
                answer.set_result(address)

    def look_up() -> None:
        try:
            address = socket.gethostbyname(host)
        except (OSError, UnicodeError):
            address = None
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(finish, address)

    threading.Thread(target=look_up, daemon=True, name="imgsync-resolve").start()
    return await answer


def _install() -> None:
    """Take the place of aioice's class in aiortc. Raises ImportError for versions unknown."""
    for name, known in _KNOWN.items():
        found = version(name)
        if not found.startswith(f"{known}."):
            raise ImportError(
                f"imgsync works with {name} {known}, and {found} is installed;"
                f" run: pip install '{name}=={known}.*'"
            )
    aiortc.rtcicetransport.Connection = _make_connection  # type: ignore[attr-defined,assignment]


_install()
