"""What the environment says of the way out: proxies, which are tried, and certificates."""

import os
import time
from collections.abc import Sequence

import attrs

from imgsync.commands.doctor.findings import Finding, Result
from imgsync.core.network.proxies import Destination, Proxy, named_proxies, odd_exceptions
from imgsync.core.protocol.errors import ConnectError, InputError
from imgsync.environment import proxy_towards, trusted_context
from imgsync.net.connect import SOCKET_DEADLINE, open_proxy, parse_relay_url

_UNKNOWN = "host.invalid"
"""Stands for any host that NO_PROXY does not name; it is never asked."""

_USES = {
    "TURN by TCP": "turn",
    "TURN by TLS": "turns",
    "images by http": "http",
    "images by https": "https",
}


@attrs.frozen
class _Use:
    """What goes by one way.

    :param what: several in words.
    """

    what: str
    proxy: Proxy | None


@attrs.frozen
class WaysOut:
    """What was found, which is nothing where the environment names nothing.

    :param blocked: why the relay can't be asked; empty where it can.
    """

    findings: Sequence[Finding]
    blocked: str


async def check_ways_out(url: str) -> WaysOut:
    """Which proxy is for what, and whether it is there; and who is trusted.

    :param url: the relay's.
    """
    findings: list[Finding] = []
    blocked = ""
    if named_proxies(os.environ):
        findings.append(relay := await _check_relay(url))
        if relay.result is Result.FAILED:
            blocked = "not looked at, as the proxy on the way to the relay does not let us through"
        findings += [await _check_use(use) for use in _uses(findings)]
        findings += [
            Finding(
                "proxy", Result.WARNING, f"NO_PROXY has {entry!r}, which excepts nothing", _FORM
            )
            for entry in odd_exceptions(os.environ)
        ]
    try:
        trusted_context()
    except InputError as exc:
        findings.append(Finding("trust", Result.FAILED, str(exc)))
        if parse_relay_url(url).tls:
            blocked = blocked or "not looked at, as nobody is trusted here"
    return WaysOut(findings, blocked)


_FORM = "it takes names, addresses and networks, as example.org, 10.0.0.0/8, [fd00::1]:443"


async def _check_relay(url: str) -> Finding:
    target = parse_relay_url(url)
    before = time.perf_counter()
    try:
        proxy = proxy_towards(target.destination)
        if proxy is None:
            return Finding("proxy", Result.OK, "the relay is asked directly, without a proxy")
        async with open_proxy(proxy, target, SOCKET_DEADLINE):
            took = 1000 * (time.perf_counter() - before)
    except (ConnectError, InputError) as exc:
        return Finding("proxy", Result.FAILED, f"for the relay: {exc}")
    detail = f"the relay is asked through {proxy}, which lets us through in {took:.1f} ms"
    return Finding("proxy", Result.OK, detail)


def _uses(findings: list[Finding]) -> Sequence[_Use]:
    """What else goes out, by its way; adds what is wrong with a variable."""
    ways: dict[Proxy | None, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    for what, scheme in _USES.items():
        try:
            ways.setdefault(proxy_towards(Destination(scheme, _UNKNOWN, 443)), []).append(what)
        except InputError as exc:
            wrong.setdefault(str(exc), []).append(what)
    findings += [
        Finding("proxy", Result.FAILED, f"for {', '.join(those)}: {why}")
        for why, those in wrong.items()
    ]
    return [_Use(", ".join(those), proxy) for proxy, those in ways.items()]


async def _check_use(use: _Use) -> Finding:
    if use.proxy is None:
        return Finding("proxy", Result.OK, f"{use.what}: without a proxy")
    try:
        async with open_proxy(use.proxy, None, SOCKET_DEADLINE):
            pass
    except (ConnectError, InputError) as exc:
        return Finding("proxy", Result.FAILED, f"for {use.what}: {exc}")
    return Finding("proxy", Result.OK, f"{use.what}: through {use.proxy}, which is there")


def words_of_way(destination: Destination) -> str:
    """Through which proxy something was to go, to be added to what came of it."""
    try:
        proxy = proxy_towards(destination)
    except InputError as exc:
        return f", as {exc}"
    return "" if proxy is None else f", through the proxy {proxy}"
