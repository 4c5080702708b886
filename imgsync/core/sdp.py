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

from imgsync.core.errors import NegotiationError

MAX_SDP = 32 * 1024
"""Characters; a data-channel description with a hundred candidates has about 12,000."""

_MAX_CANDIDATE = 512
_MDNS_NAME = re.compile(r"[0-9A-Za-z-]{1,64}\.local")
_FOUNDATION = re.compile(r"[0-9A-Za-z+/]{1,32}")
_UFRAG = re.compile(r"[0-9A-Za-z+/]{4,256}")
_PASSWORD = re.compile(r"[0-9A-Za-z+/]{22,256}")
_DATA_CHANNEL = re.compile(r"m=application \d{1,5} (UDP|TCP)/DTLS/SCTP webrtc-datachannel")
_FINGERPRINT = re.compile(r"sha-(256|384|512) ([0-9A-F]{2}:)+[0-9A-F]{2}", re.IGNORECASE)
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
    if len(line) > _MAX_CANDIDATE or not line.isascii() or len(words) < 8 or words[6] != "typ":
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
    if any(not re.match(r"[a-z]=", line) for line in lines):
        raise refuse("its SDP has a line that is not of the form x=value")
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1 or not media[0].startswith("m=application "):
        raise refuse("it does not have one data-channel section and nothing else")
    if not _DATA_CHANNEL.fullmatch(media[0]):
        raise refuse("its media section is not UDP/DTLS/SCTP webrtc-datachannel")
    if media[0].split()[1] == "0" and kind == "answer":
        raise refuse("it declines the data channel")

    attributes = _attributes(lines)
    for name, pattern in (
        ("ice-ufrag", _UFRAG),
        ("ice-pwd", _PASSWORD),
        ("fingerprint", _FINGERPRINT),
        ("setup", re.compile("active|passive|actpass")),
        ("mid", re.compile(r"[!-~]{1,64}")),
    ):
        if not pattern.fullmatch(attributes.get(name, "")):
            raise refuse(f"its a={name} is {'malformed' if name in attributes else 'missing'}")
    if kind == "answer" and attributes["setup"] == "actpass":
        raise refuse("its a=setup leaves open who begins")
    if not _is_port(attributes.get("sctp-port", "")):
        raise refuse("its a=sctp-port is missing or out of range")
    if not re.fullmatch(r"\d{1,10}", attributes.get("max-message-size", "0")):
        raise refuse("its a=max-message-size is no number")

    found = [line.removeprefix("a=candidate:") for line in lines if line.startswith("a=candidate:")]
    kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    return Description(
        kind=kind,
        sdp="\r\n".join(kept) + "\r\n",
        ufrag=attributes["ice-ufrag"],
        mid=attributes["mid"],
        candidates=tuple(parse_candidate(line) for line in found),
        complete="a=end-of-candidates" in lines,
    )


def _attributes(lines: list[str]) -> dict[str, str]:
    """`a=` lines; what stands in the media section comes later and overrides the session's."""
    pairs = (line[2:].partition(":") for line in lines if line.startswith("a="))
    return {name: value.strip() for name, _, value in pairs}


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535
