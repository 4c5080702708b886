"""What stands in the way of a connection, as this side finds out: for the detail of an end."""

import enum

from imgsync.core.protocol.numbers import REFUSED_AGAIN


class Cause(enum.Enum):
    """Each in words that follow on whose it is."""

    TURN_UNAUTHORIZED = "TURN server refused the credentials (401)"
    TURN_UNTRUSTED = "TURN server has a certificate that is not trusted"
    TURN_SILENT = "TURN server did not answer"
    TURN_FAILED = "TURN server gave no address"
    STUN_SILENT = "STUN server did not answer"
    STUN_FAILED = "STUN server gave no address"
    DTLS_REFUSED = "DTLS handshake was refused"
    PATH_MTU = "large packets seem to be lost on the way (path MTU)"


def asks_anew(cause: Cause, age: float) -> bool:
    """Whether to register again for new ICE servers, because of what one of them has said.

    Credentials are told once to whoever does not hear of new ones, and may have expired since.

    :param age: seconds since the relay has named the servers.
    """
    return cause is Cause.TURN_UNAUTHORIZED and age >= REFUSED_AGAIN


class Causes:
    """Those that were found since the session began, or was interrupted."""

    def __init__(self) -> None:
        #: In the order in which they were found, each once.
        self._found: dict[Cause, None] = {}
        self._gathered = ""

    def add(self, cause: Cause) -> None:
        """Something is in the way."""
        self._found[cause] = None

    def gather(self, line: str | None) -> None:
        """A candidate of ours was found: the server behind it is not in the way."""
        for kind in ("srflx", "relay"):
            if f" typ {kind}" in (line or ""):
                self._gathered += kind

    @property
    def of_path(self) -> "Causes":
        """What of it stays: the next connection goes the same way as the one that is lost."""
        stays = Causes()
        if Cause.PATH_MTU in self._found:
            stays.add(Cause.PATH_MTU)
        return stays

    @property
    def known(self) -> list[Cause]:
        """What may be why there is no connection."""
        served = {"TURN": "relay" in self._gathered, "STUN": "srflx" in self._gathered}
        return [cause for cause in self._found if not served.get(cause.value[:4])]

    def explain(self, detail: str) -> str:
        """The detail of an end, and what this side knows beside it."""
        return "; ".join(filter(None, [detail, *(f"this side's {c.value}" for c in self.known)]))
