"""In words: what answers in place of a WebSocket to a relay, and what to do about it."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from imgsync.core.protocol.errors import UpgradeRefused
from imgsync.core.protocol.obstacles import Obstacle, obstacle_of

MAX_ADDRESS = 200
"""Characters of where a redirection leads."""

WORDS = {
    Obstacle.MOVED: (
        "that leads elsewhere",
        "give the address that it leads to, or sign in first, if that is a page of this network",
    ),
    Obstacle.PORTAL: (
        "some other server answers with a page",
        "this network may want somebody to sign in to it first, in a browser; if not, is the path"
        " right, and does the proxy in front of the relay pass on Upgrade and Connection?",
    ),
    Obstacle.MALFORMED: (
        "it can't make sense of the request",
        "is it a relay, and is it ws or wss? A port with TLS wants wss; and a proxy in front of the"
        " relay has to pass on Upgrade and Connection",
    ),
    Obstacle.SIGN_IN: (
        "a server in front of the relay wants a password",
        "have it let the relay's paths through: peers show the relay a token, and nothing else",
    ),
    Obstacle.BARRED: (
        "a proxy or a firewall forbids it",
        "ask those who run it to let WebSockets to this address through; the relay itself refuses"
        " pages alone, by their origin",
    ),
    Obstacle.NOT_FOUND: ("", "is it a relay, and is the path right?"),
    Obstacle.PROXY_SIGN_IN: (
        "the proxy of this network wants a password",
        "ask those who run the network to let this address through without one",
    ),
    Obstacle.TOO_LARGE: (
        "a proxy in front of the relay finds the request too large",
        "give it more room for heads of requests",
    ),
    Obstacle.TOO_MANY: (
        "there are too many connections from here",
        "wait a moment, or raise the limit of the proxy in front of the relay",
    ),
    Obstacle.UPGRADE: (
        "it got no header Upgrade",
        "the proxy in front of the relay has to pass on Upgrade and Connection",
    ),
    Obstacle.NO_RELAY: (
        "a proxy is there, and no relay answers it",
        "is the relay running, and does the proxy look for it at the right port?",
    ),
    Obstacle.UNAVAILABLE: (
        "the relay is full or shutting down, or a proxy has no relay behind it",
        "try again in a moment",
    ),
    Obstacle.TOO_LATE: (
        "a proxy waits for the relay in vain",
        "is the relay running, and does the proxy look for it at the right address?",
    ),
    Obstacle.BROKEN: (
        "a server in front of the relay, or in its place, is broken",
        "its log says more; try again in a moment",
    ),
    Obstacle.OTHER: ("", "is it a relay, or does something in between not like WebSockets?"),
}
"""What is the case, and what to do. What is over by itself has `Obstacle.may_pass`."""


def refused_upgrade(url: str, status: int, headers: Mapping[str, str]) -> UpgradeRefused:
    """The error for a status that came in place of a WebSocket.

    :param headers: names in lower case.
    """
    obstacle = obstacle_of(status)
    what, advice = describe(url, obstacle, headers)
    told = ": ".join(filter(None, [f"HTTP status {status}", what]))
    return UpgradeRefused(
        f"{url} refused the WebSocket with {told}; {advice}",
        obstacle=obstacle,
        retry_after=_pause_of(headers.get("retry-after", "")),
    )


def describe(url: str, obstacle: Obstacle, headers: Mapping[str, str]) -> tuple[str, str]:
    """What is the case, and what to do."""
    what, advice = WORDS[obstacle]
    if obstacle is Obstacle.MOVED and (address := _address_in(url, headers.get("location", ""))):
        what = f"that leads to {address}"
        if urlsplit(address).hostname == urlsplit(url).hostname:
            advice = f"give that address: {address.replace('http', 'ws', 1)}"
    return what, advice


def _address_in(url: str, location: str) -> str | None:
    """Where it leads, without a query, which may hold a secret."""
    try:
        parts = urlsplit(urljoin(url.replace("ws", "http", 1), location))
        is_sound = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        return None
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return address[:MAX_ADDRESS] if location and is_sound and address.isprintable() else None


def _pause_of(retry_after: str) -> float:
    """Seconds that it asks to wait for, as a number or a date; 0 for none."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
