"""All checks in order, each reported as soon as it is done."""

from collections.abc import Callable, Sequence
from pathlib import Path

from imgsync.commands.doctor.findings import Finding, Result
from imgsync.commands.doctor.ice import Checked, check_servers, findings_on_left_out
from imgsync.commands.doctor.images import check_images
from imgsync.commands.doctor.paths import DIRECT, Way, check_way, reflexive, relayed
from imgsync.commands.doctor.relay import (
    Account,
    check_clock,
    check_origin,
    check_relay,
    check_token,
    check_websocket,
)
from imgsync.commands.doctor.ways_out import check_ways_out
from imgsync.core.protocol.ice import choose_ice
from imgsync.core.protocol.signalling import IceServer
from imgsync.net.connect import parse_relay_url
from imgsync.peer.network import check_addresses, open_internet
from imgsync.rtc.bridge import open_bridge

_NEEDS_RELAY = "not looked at, as the relay can't be reached"
_NEEDS_WEBSOCKET = "not looked at, as there is no WebSocket to register on"
_NEEDS_TOKEN = "the relay names its servers, STUN and TURN, to whom it has registered"


async def examine(
    url: str,
    account: Account,
    source: Path,
    addresses: Sequence[str],
    report: Callable[[Finding], None],
) -> None:
    """Check everything. Raises InputError for what can't be meant.

    :param url: the relay's.
    :param source: folder or manifest of images.
    :param addresses: the only local addresses to use for WebRTC.
    """
    parse_relay_url(url)
    check_addresses(addresses)
    ways_out = await check_ways_out(url)
    for finding in ways_out.findings:
        report(finding)
    servers: Sequence[IceServer] = ()
    if ways_out.blocked:
        for check in ("relay", "websocket", "token", "clock"):
            report(Finding(check, Result.SKIPPED, ways_out.blocked))
    else:
        servers = await _examine_relay(url, account, report)
    async with open_bridge() as bridge:
        choice = choose_ice(servers)
        checked = await check_servers(bridge, choice, addresses)
        for finding in [*(server.finding for server in checked), *findings_on_left_out(choice)]:
            report(finding)
        for way in _ways(checked):
            report(await check_way(bridge, way, addresses))
    for finding in await check_images(url, source):
        report(finding)


async def _examine_relay(
    url: str, account: Account, report: Callable[[Finding], None]
) -> Sequence[IceServer]:
    """Returns the ICE servers that it names."""
    relay = await check_relay(url)
    report(relay)
    if relay.result is Result.FAILED:
        for check in ("websocket", "token", "clock"):
            report(Finding(check, Result.SKIPPED, _NEEDS_RELAY))
        return ()
    websocket = await check_websocket(url)
    report(websocket)
    servers: Sequence[IceServer] | None = None
    if websocket.result is Result.FAILED:
        report(Finding("token", Result.SKIPPED, _NEEDS_WEBSOCKET))
    else:
        refused = await check_origin(url)
        if refused is not None:
            report(refused)
        async with open_internet() as network:
            token, servers = await check_token(network, url, account)
        report(token)
    report(await check_clock(url))
    if servers is None:
        report(Finding("stun", Result.SKIPPED, _NEEDS_TOKEN))
    return servers or ()


def _ways(checked: Sequence[Checked]) -> list[Way]:
    """Directly, and by what the servers gave."""
    usable = [server for server in checked if server.candidate is not None]
    stun = [server.server for server in usable if server.finding.check == "stun"]
    turn = [server.server for server in usable if server.finding.check == "turn"]
    return [DIRECT, *([reflexive(stun)] if stun else []), *map(relayed, turn)]
