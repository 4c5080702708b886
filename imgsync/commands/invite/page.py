"""Where the client's page is, by the relay's URL: it stands beside the relay's own WebSocket."""

import ipaddress
from importlib.resources import files
from pathlib import PurePosixPath

from imgsync.core.protocol.errors import InputError
from imgsync.net.connect import Target, parse_relay_url

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SOCKET = "ws"


def page_beside(relay_url: str) -> str:
    """The page's URL. Raises InputError."""
    target = parse_relay_url(relay_url)
    path, _, _ = target.resource.partition("?")
    folder, _, name = path.rpartition("/")
    if name != _SOCKET:
        raise InputError(
            f"the relay's URL {relay_url!r} does not end in /ws, beside which the page would be;"
            " give it as peers would have it"
        )
    scheme = "https" if target.tls else "http"
    # Names of other scripts are as browsers ask for them, so that every program finds a link's end.
    host = target.host_header.encode("idna" if not target.host.isascii() else "ascii").decode()
    return f"{scheme}://{host}{folder}/client"


def warnings_of(relay_url: str) -> list[str]:
    """What will be in the way of who opens the page, as sentences."""
    target = parse_relay_url(relay_url)
    address = _address_of(target)
    if address is not None and address.is_unspecified:
        return [
            f"{target.host} is where the relay listens, and no address to go to; give the name or"
            " address by which participants reach it"
        ]
    if _is_this_machine(target.host, address):
        return [
            "the link leads to this machine itself; on any other it opens nothing of this relay"
        ]
    if target.tls:
        return []
    return [
        "the link is not https: whoever is on the way can read it and what follows, and browsers"
        " give such a page no camera, no microphone and no screen that stays on; where"
        " the relay has TLS, give its wss:// URL"
    ]


def _address_of(target: Target) -> Address | None:
    """None for a name."""
    try:
        return ipaddress.ip_address(target.host.partition("%")[0])
    except ValueError:
        return None


def _is_this_machine(host: str, address: Address | None) -> bool:
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def languages() -> list[str]:
    """Tags of the languages that the pages speak."""
    folder = files("imgsync") / "web" / "js" / "languages"
    return sorted(PurePosixPath(file.name).stem for file in folder.iterdir())
