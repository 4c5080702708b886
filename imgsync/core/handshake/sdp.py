"""What of an SDP and of an ICE candidate concerns us, read strictly before any library sees it.

aiortc answers a malformed description with any of five exceptions, and takes some in silence that
can never connect; a candidate with an impossible port closes the local socket. So a description
has to be one data-channel section with all that a connection needs, and a candidate has to be
whole. Candidates that stand inside a description are taken out of it, to go the one way that
candidates go: a name to be resolved among them must not hold up the description.

Grammar: RFC 8839 (candidate, ice-ufrag, ice-pwd), RFC 8841 (sctp-port), RFC 8122 (fingerprint).
"""

import ipaddress
import re

import attrs

from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.numbers import MAX_SDP

_MAX_CANDIDATE = 512
_MDNS_NAME = re.compile(r"[0-9A-Za-z-]{1,64}\.local")
_FOUNDATION = re.compile(r"[0-9A-Za-z+/]{1,32}")
_DATA_CHANNEL = re.compile(r"m=application [0-9]{1,5} (UDP|TCP)/DTLS/SCTP webrtc-datachannel")
_STRONG_HASH = re.compile("sha-(256|384|512) ", re.IGNORECASE)
_REQUIRED = {
    "ice-ufrag": re.compile("[0-9A-Za-z+/]{4,256}"),
    "ice-pwd": re.compile("[0-9A-Za-z+/]{22,256}"),
    "fingerprint": re.compile("[0-9A-Za-z-]+ ([0-9A-F]{2}:)+[0-9A-F]{2}", re.IGNORECASE),
    "setup": re.compile("active|passive|actpass"),
    "mid": re.compile("[!-~]{1,64}"),
    "sctp-port": re.compile("[0-9]{1,5}"),
}
_MAY_BE_SHARED = frozenset({"ice-ufrag", "ice-pwd", "fingerprint", "setup"})
_TYPES = frozenset({"host", "srflx", "prflx", "relay"})


@attrs.frozen
class Candidate:
    """One ICE candidate, whole and in range.

    :param line: its text without the leading `candidate:`.
    :param usable: whether a UDP data channel can use it. TCP candidates and those of another
        component are well-formed, and of no use to us.
    """

    line: str
    usable: bool


@attrs.frozen
class Description:
    """An offer's or answer's SDP, with the candidates taken out.

    :param kind: "offer" or "answer".
    :param ufrag: the ICE user name fragment, which tells attempts apart.
    :param mid: the media section's identification, which candidates repeat.
    :param candidates: those that stood inside, in order.
    :param complete: whether it said that no more will come.
    """

    kind: str
    sdp: str = attrs.field(repr=False)
    ufrag: str
    mid: str
    candidates: tuple[Candidate, ...]
    complete: bool


def parse_candidate(line: str) -> Candidate:
    """Check one candidate, given without the leading `candidate:`. Raises NegotiationError."""
    words = line.split()
    is_plain = line.isascii() and line.isprintable() and len(line) <= _MAX_CANDIDATE
    if not is_plain or len(words) < 8 or words[6] != "typ":
        raise _bad_candidate(line, "it does not have the form of RFC 8839")
    foundation, component, transport, priority, address, port = words[:6]
    if not _FOUNDATION.fullmatch(foundation):
        raise _bad_candidate(line, "its foundation is not 1 to 32 letters or digits")
    _check_range(line, "component", component, 1, 256)
    _check_range(line, "priority", priority, 0, 2**32 - 1)
    _check_range(line, "port", port, 0 if transport.lower() == "tcp" else 1, 65535)
    _check_address(line, address)
    if words[7] not in _TYPES:
        raise _bad_candidate(line, f"its type is none of {', '.join(sorted(_TYPES))}")
    _check_extensions(line, words[8:])
    usable = transport.lower() == "udp" and component == "1" and words[7] != "prflx"
    return Candidate(line, usable)


def _check_range(line: str, name: str, text: str, low: int, high: int) -> None:
    if not (text.isdecimal() and len(text) <= 10 and low <= int(text) <= high):
        raise _bad_candidate(line, f"its {name} is not between {low} and {high}")


def _check_address(line: str, address: str) -> None:
    if _MDNS_NAME.fullmatch(address):
        return
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise _bad_candidate(line, "its address is no IP address and no mDNS name") from None


def _check_extensions(line: str, words: list[str]) -> None:
    if len(words) % 2:
        raise _bad_candidate(line, "an attribute at its end has no value")
    for name, value in zip(words[::2], words[1::2], strict=True):
        if name == "rport":
            _check_range(line, "related port", value, 0, 65535)


def _bad_candidate(line: str, why: str) -> NegotiationError:
    return NegotiationError(f"the other side sent the candidate {line[:120]!r}: {why}")


def parse_description(kind: str, sdp: str) -> Description:
    """Check an offer's or answer's SDP. Raises NegotiationError that names what is wrong."""

    def refuse(why: str) -> NegotiationError:
        return NegotiationError(f"the other side sent an {kind} that can't be used: {why}")

    if len(sdp) > MAX_SDP:
        raise refuse(f"its SDP has more than {MAX_SDP} characters")
    lines = sdp.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0] != "v=0":
        raise refuse("its SDP does not begin with v=0")
    # Other line breaks, those of Unicode among them, would make lines of their own further on.
    if any(not re.match(r"[a-z]=", line) or line.splitlines() != [line] for line in lines):
        raise refuse("its SDP has a line that is not of the form x=value")
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1 or not media[0].startswith("m=application "):
        raise refuse("it does not have one data-channel section and nothing else")
    if not _DATA_CHANNEL.fullmatch(media[0]):
        raise refuse("its media section is not UDP/DTLS/SCTP webrtc-datachannel")
    if media[0].split()[1] == "0" and kind == "answer":
        raise refuse("it declines the data channel")

    attributes = _Attributes(lines, lines.index(media[0]))
    for name, pattern in _REQUIRED.items():
        values = attributes.of(name)
        if not values:
            raise refuse(f"its a={name} is missing")
        if not all(pattern.fullmatch(value) for value in values):
            raise refuse(f"its a={name} is malformed")
    if not any(_STRONG_HASH.match(value) for value in attributes.of("fingerprint")):
        raise refuse("its a=fingerprint is of none of the hashes sha-256, sha-384 and sha-512")
    if kind == "answer" and "actpass" in attributes.of("setup"):
        raise refuse("its a=setup leaves open who begins")
    if not all(_is_port(port) for port in attributes.of("sctp-port")):
        raise refuse("its a=sctp-port is out of range")
    if not all(re.fullmatch("[0-9]{1,10}", size) for size in attributes.of("max-message-size")):
        raise refuse("its a=max-message-size is no number")

    found = [line.removeprefix("a=candidate:") for line in lines if line.startswith("a=candidate:")]
    kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    return Description(
        kind=kind,
        sdp="\r\n".join(kept) + "\r\n",
        ufrag=attributes.of("ice-ufrag")[-1],
        mid=attributes.of("mid")[-1],
        candidates=tuple(parse_candidate(line) for line in found),
        complete="a=end-of-candidates" in lines,
    )


class _Attributes:
    """The values of `a=` lines by name, each copy of them."""

    def __init__(self, lines: list[str], media_begin: int) -> None:
        self._session = self._read(lines[:media_begin])
        self._media = self._read(lines[media_begin:])

    @staticmethod
    def _read(lines: list[str]) -> dict[str, list[str]]:
        values: dict[str, list[str]] = {}
        for line in lines:
            if line.startswith("a="):
                name, _, value = line[2:].partition(":")
                values.setdefault(name, []).append(value)
        return values

    def of(self, name: str) -> list[str]:
        """Those of the media section; some may stand in the session's part instead."""
        values = self._media.get(name, [])
        return values or (self._session.get(name, []) if name in _MAY_BE_SHARED else [])


def _is_port(text: str) -> bool:
    return 1 <= int(text) <= 65535
