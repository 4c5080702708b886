"""A data channel from this machine to itself, by one kind of way at a time."""

import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from statistics import median

import attrs
import trio

from imgsync.commands.doctor.findings import Finding, Result
from imgsync.core.handshake.inputs import Gathered, LinkLost, Opened
from imgsync.core.handshake.packets import WRAPPED, PathMeasured
from imgsync.core.handshake.sdp import Candidate, parse_candidate, parse_description
from imgsync.core.protocol.errors import ImgsyncError, NegotiationError
from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc.bridge import Bridge
from imgsync.rtc.link import RtcLink, open_link
from imgsync.seams import LinkEvent, Received
from imgsync.tasks import Inbox, open_background

PATH_DEADLINE = 8.0
"""Seconds. A session waits for longer, as people may have to; here all is within reach."""

ECHOES = 5

LARGE = 2000
"""Characters of a message that is larger than any packet, as those with two long URLs are."""

_NARROW = (
    "somewhere on the way, often in a VPN or a tunnel, larger packets are dropped without a word;"
    " Python peers send smaller ones, browsers can't: have ICMP pass there (fragmentation needed,"
    " packet too big), or the MTU be at least 1280"
)


@attrs.frozen
class Way:
    """One way for a connection to go.

    :param name: one word.
    :param kind: of the only candidates that the two ends let each other know.
    """

    name: str
    kind: str
    servers: Sequence[IceServer] = ()
    advice: str = ""
    result: Result = Result.FAILED

    @property
    def is_relayed(self) -> bool:
        """Whether nothing may go past the TURN server."""
        return self.kind == "relay"


DIRECT = Way(
    name="direct",
    kind="host",
    advice="a firewall on this machine blocks UDP, or --ice-address names what is not its own",
)


def reflexive(servers: Sequence[IceServer]) -> Way:
    """By the address that a STUN server sees us at."""
    advice = "many NATs don't lead back to themselves; that says nothing of a peer elsewhere"
    return Way(
        name="reflexive", kind="srflx", servers=servers, advice=advice, result=Result.WARNING
    )


def relayed(server: IceServer) -> Way:
    """Through a TURN server."""
    advice = (
        "its relayed ports have to be open for UDP (coturn: min-port to max-port), and its own"
        " address not among its denied-peer-ip"
    )
    return Way(name=f"through {server.urls}", kind="relay", servers=[server], advice=advice)


async def check_way(bridge: Bridge, way: Way, addresses: Sequence[str]) -> Finding:
    """Open a channel, send messages to and fro, and close it.

    :param addresses: the only local addresses to use.
    """
    open_end = partial(open_link, bridge, way.servers, addresses, relay_only=way.is_relayed)
    try:
        async with open_end() as near, open_end() as far:
            with trio.move_on_after(PATH_DEADLINE):
                measured = await _measure(near, far, way)
                detail = (
                    f"{way.name}: a data channel to ourselves was open after"
                    f" {measured.opening:.0f} ms,"
                    f" a message there and back takes {measured.echo:.1f} ms,"
                    f" one of {LARGE // 1000} kB {measured.large:.1f} ms"
                )
                if measured.lost:
                    detail += (
                        f"; packets of {measured.largest + WRAPPED} bytes get through, and"
                        f" of {measured.lost + WRAPPED} no more (path MTU)"
                    )
                    return Finding("path", Result.WARNING, detail, _NARROW)
                return Finding("path", Result.OK, detail)
        why = f"no data channel to ourselves within {PATH_DEADLINE:g} s"
    except ImgsyncError as exc:
        why = str(exc)
    return Finding("path", way.result, f"{way.name}: {why}", way.advice)


@attrs.frozen
class _Measured:
    """Milliseconds until the channel is open, and for a message there and back (median).

    :param large: the same for one that is larger than any packet.
    :param largest: bytes of the packets that get through.
    :param lost: of those that do not; 0 where all do.
    """

    opening: float
    echo: float
    large: float
    largest: int
    lost: int


async def _measure(near: RtcLink, far: RtcLink, way: Way) -> _Measured:
    near_events, far_events = Inbox[LinkEvent](), Inbox[LinkEvent]()
    near.listen(near_events.put)
    far.listen(far_events.put)
    before = time.perf_counter()
    offer = parse_description("offer", await near.make_offer())
    answer = parse_description("answer", await far.make_answer(offer))
    await near.apply_answer(answer)
    for candidate in offer.candidates:
        _add_if_allowed(far, candidate, way)
    for candidate in answer.candidates:
        _add_if_allowed(near, candidate, way)
    async with open_background() as nursery:
        nursery.start_soon(_echo, far, far_events, near, way)
        times, path = await _ask(near, near_events, far, way)
    *trips, large = (1000 * (after - sent) for sent, after in pairwise(times))
    opening = 1000 * (times[0] - before)
    return _Measured(opening, median(trips), large, path.largest, path.lost)


async def _ask(
    link: RtcLink, events: Inbox[LinkEvent], far: RtcLink, way: Way
) -> tuple[list[float], PathMeasured]:
    """Send whenever the channel opens and an answer comes, at last what is large.

    Returns when that was, and how large the packets are that get through.
    """
    times: list[float] = []
    path: PathMeasured | None = None
    while path is None or len(times) <= ECHOES + 1:
        match await events.get():
            case Gathered(str(line)):
                _add_if_allowed(far, parse_candidate(line), way)
            case PathMeasured() as path:
                pass
            case Opened() | Received():
                times.append(time.perf_counter())
                if len(times) <= ECHOES + 1:
                    link.send("is anybody there?" if len(times) <= ECHOES else "x" * LARGE)
            case LinkLost(why):
                raise NegotiationError(why)
    return times, path


async def _echo(link: RtcLink, events: Inbox[LinkEvent], far: RtcLink, way: Way) -> None:
    while True:
        match await events.get():
            case Gathered(str(line)):
                _add_if_allowed(far, parse_candidate(line), way)
            case Received(str(text)):
                link.send(text)


def _add_if_allowed(link: RtcLink, candidate: Candidate, way: Way) -> None:
    if f" typ {way.kind} " in f"{candidate.line} ":
        link.add_candidate(candidate)
