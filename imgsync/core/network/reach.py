"""Whether a client can fetch from a host of images, as far as that can be known before it tries.

Who fetches, and from which network, nobody knows before a session. But where the relay is says
much: the client's page was loaded from there, in a network from which it is reached.

- A page that came by https may fetch nothing by http: mixed content. Only loopback is excepted.
- A private address is no good to who is elsewhere. And where the page came from a public address,
  browsers keep it from private ones, or ask the person (Local Network Access).
- A loopback address is good on this machine alone.

Where the relay itself is on loopback, so are its clients, and nothing is in their way.
"""

import enum

import attrs

from imgsync.core.network.proxies import as_address, is_loopback


class Obstacle(enum.Enum):
    """What is in the way of clients, as a program reads it."""

    LOOPBACK = "loopback"
    PRIVATE = "private_address"
    MIXED = "mixed_content"

    def in_words(self, host: str) -> str:
        """A clause about a host."""
        match self:
            case Obstacle.LOOPBACK:
                return f"{host} can be reached from this machine alone"
            case Obstacle.PRIVATE:
                return (
                    f"{host} is an address of a private network: clients elsewhere can't reach it,"
                    " and browsers may keep pages that came from a public address from it"
                )
            case Obstacle.MIXED:
                return (
                    f"{host} serves by http: a page that came by https, as this relay's do, is let"
                    " fetch nothing from it"
                )


ADVICE = "show a manifest of URLs on a host that clients reach by https"


@attrs.frozen
class RelayPlace:
    """Where a relay is, as seen from here.

    :param tls: whether it is reached by wss, and so its pages are by https.
    :param host: as its URL has it.
    :param address: which that is; None for a name that the proxy on the way has to look up.
    """

    tls: bool
    host: str
    address: str | None


def find_obstacles(relay: RelayPlace, scheme: str, host: str) -> list[Obstacle]:
    """What is in the way of the relay's clients to a host of images.

    :param scheme: http or https.
    :param host: a name, or an address with brackets or without; of a name nothing is known.
    """
    if is_loopback(relay.host) or is_loopback(relay.address or ""):
        return []
    if is_loopback(host):
        return [Obstacle.LOOPBACK]
    found = []
    if _is_private(host) and not _is_private(relay.address or ""):
        found.append(Obstacle.PRIVATE)
    if relay.tls and scheme == "http":
        found.append(Obstacle.MIXED)
    return found


def _is_private(host: str) -> bool:
    address = as_address(host)
    return address is not None and not address.is_global
