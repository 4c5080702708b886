"""What of an SDP and of an ICE candidate concerns us, read strictly before any library sees it.

aiortc answers a malformed description with any of five exceptions, and takes some in silence that
can never connect; a candidate with an impossible port closes the local socket. So of a description
the data channel's section is picked, which has to have all that a connection needs, and a candidate
that is not understood is of no use, and no harm (RFC 8839, section 5.1). Other sections are
declined, each with port 0 in its place in the answer (RFC 9429, section 5.3.1). Candidates that
stand inside a description are taken out of it, to go the one way that candidates go: a name to be
resolved among them must not hold up the description.

Grammar: RFC 8839 (candidate, ice-ufrag, ice-pwd), RFC 8841 (sctp-port, max-message-size), RFC 8122
(fingerprint), RFC 9143 (BUNDLE), draft-hancke-tsvwg-snap (sctp-init).
"""

import base64
import ipaddress
import re
import struct
from collections.abc import Iterable

import attrs

from imgsync.core.protocol.addresses import is_of_one_host
from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.numbers import MAX_SDP

_FOUNDATION = re.compile("[!-~]{1,32}")
_COMPONENT = re.compile("0{0,2}1")
_PRIORITY = re.compile("[0-9]{1,10}")
_PORT = re.compile("0{0,4}[1-9][0-9]{0,4}")
_MDNS_NAME = re.compile(r"[0-9A-Za-z-]{1,63}\.local", re.IGNORECASE)
_TYPES = frozenset({"host", "srflx", "relay"})
_TCP_TYPES = frozenset({"passive", "so"})
"""To which a TCP connection can be opened; RFC 6544, section 4.5."""
_QUOTED = 120
"""Characters of a candidate that is told of in a log."""

_MEDIA = re.compile("m=([!-~]+) [!-~]+((?: [!-~]+){2,})")
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
_MAY_BE_SHARED = ("ice-ufrag", "ice-pwd", "fingerprint", "setup")
_SIZE = "a=max-message-size:"
_MAX_SIZE = 2**31 - 1
"""No library can read more, and no more is ever sent."""

_INIT = "a=sctp-init:"
_BASE64 = re.compile("([0-9A-Za-z+/]{4})*([0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?")
_MAX_INIT = 512
"""Characters; those of today's stacks have 40 to 60."""
_INIT_HEADER = struct.Struct("!BxHLLHHL")
_INIT_TYPE = 1
_LEAST_WINDOW = 1500
"""RFC 9260, section 3.3.2; so are the other rules for an INIT."""


@attrs.frozen
class Candidate:
    """One ICE candidate.

    :param line: its text without the leading `candidate:` and without extensions but `tcptype`, in
        the spelling that libraries know; of one that is of no use, as it came.
    :param problem: why a data channel can't use it; empty where it can.
    """

    line: str
    problem: str = ""

    @property
    def usable(self) -> bool:
        """Whether a data channel can use it."""
        return not self.problem


@attrs.frozen
class Description:
    """An offer's or answer's data-channel section, with the candidates taken out.

    :param kind: "offer" or "answer".
    :param sdp: the whole text, without the other sections.
    :param ufrag: the ICE user name fragment, which tells attempts apart.
    :param mid: the media section's identification, which candidates repeat.
    :param candidates: those that stood inside, in order.
    :param complete: whether it said that no more will come.
    :param index: which section it is, from 0.
    :param before: how an answer declines the sections before it.
    :param after: the same of those behind it.
    :param bundled: whether it is in a BUNDLE group, as it then is in the answer.
    :param sctp_init: the INIT of SCTP, where it brings one along; else empty.
    """

    kind: str
    sdp: str = attrs.field(repr=False)
    ufrag: str
    mid: str
    candidates: tuple[Candidate, ...]
    complete: bool
    index: int = 0
    before: str = ""
    after: str = ""
    bundled: bool = False
    sctp_init: bytes = attrs.field(default=b"", repr=False)

    def frame(self, answer: str) -> str:
        """The answer to this offer, from one to its data-channel section alone."""
        session, begin, section = answer.partition("m=")
        if not self.bundled:
            session = re.sub("a=group:.*\r\n", "", session)
        return session + self.before + begin + section + self.after


# ── candidates ───────────────────────────────────────────────────────────────────────────────────


def parse_candidate(line: str, *, tcp: bool = False) -> Candidate:
    """Read one candidate, given without the leading `candidate:`.

    :param tcp: whether our stack can open TCP connections to a candidate; aioice can't.
    """
    words = [word for word in line.split(" ") if word]
    if len(words) < 8 or words[6].lower() != "typ":
        return Candidate(line, "it does not have the form of RFC 8839")
    foundation, component, _, priority, address, port = words[:6]
    address = _plain(address)
    transport, kind = words[2].lower(), words[7].lower()
    tcp_type = _tcp_type(words[8:])
    problems = {
        "its foundation is not 1 to 32 visible characters": _FOUNDATION.fullmatch(foundation),
        "it is for another component": _COMPONENT.fullmatch(component),
        "its transport is not one that we can use": transport in ("udp", "tcp" if tcp else "udp"),
        "no TCP connection can be opened to it": transport == "udp" or tcp_type in _TCP_TYPES,
        "its priority is out of range": _PRIORITY.fullmatch(priority) and int(priority) < 2**32,
        "its address is no IP address and no mDNS name": _is_address(address),
        "its address is not that of one host": _is_of_one_host(address),
        "its address means something on one link alone": not _is_of_one_link(address),
        "its port is not between 1 and 65535": _PORT.fullmatch(port) and int(port) < 2**16,
        "its type is not known": kind in _TYPES,
    }
    for problem, is_absent in problems.items():
        if not is_absent:
            return Candidate(line, problem)
    if _MDNS_NAME.fullmatch(address):
        address = address.lower()
    extension = f" tcptype {tcp_type}" if transport == "tcp" else ""
    core = f"{foundation} 1 {transport} {int(priority)} {address} {int(port)} typ {kind}"
    return Candidate(f"{core}{extension}")


def _tcp_type(extensions: list[str]) -> str:
    pairs = zip(extensions[::2], extensions[1::2], strict=False)
    return next((value.lower() for name, value in pairs if name.lower() == "tcptype"), "")


def quote_candidate(candidate: Candidate) -> str:
    """For a log."""
    return f"{candidate.line[:_QUOTED]!r}: {candidate.problem}"


def _is_address(text: str) -> bool:
    if _MDNS_NAME.fullmatch(text):
        return True
    if "%" in text:  # a zone is one of the other side's machine
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_of_one_host(text: str) -> bool:
    """Of what is no address, there is nothing to be said here."""
    try:
        return is_of_one_host(text)
    except ValueError:
        return True


def _is_of_one_link(text: str) -> bool:
    """Whether it is link-local of IPv6, which needs a zone to be reached: the name of a link."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return False
    return parsed.version == 6 and parsed.is_link_local


def _plain(text: str) -> str:
    """An address of IPv4 that is written as one of IPv6 as what it is."""
    try:
        mapped = ipaddress.IPv6Address(text).ipv4_mapped
    except ValueError:
        return text
    return text if mapped is None or "%" in text else str(mapped)


# ── descriptions ─────────────────────────────────────────────────────────────────────────────────


class _Section:
    """The lines of one media section, or of what stands before the first."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self._values: dict[str, list[str]] = {}
        for line in lines:
            if line.startswith("a="):
                name, _, value = line[2:].partition(":")
                self._values.setdefault(name, []).append(value)

    def of(self, name: str) -> list[str]:
        """The values of an attribute, each copy of it; empty for one without a value."""
        return self._values.get(name, [])

    @property
    def is_open(self) -> bool:
        """Port 0 declines a section, but for one that goes over another's transport."""
        return self.lines[0].split()[1] != "0" or bool(self.of("bundle-only"))

    def decline(self) -> str:
        """What an answer says of this section."""
        media = _MEDIA.fullmatch(self.lines[0])
        if media is None:
            raise ValueError("one of its media sections is malformed")
        mids = [f"a=mid:{mid}" for mid in self.of("mid")]
        lines = [f"m={media[1]} 0{media[2]}", "c=IN IP4 0.0.0.0", "a=inactive", *mids]
        return "".join(f"{line}\r\n" for line in lines)


def parse_description(kind: str, sdp: str) -> Description:
    """Check an offer's or answer's SDP. Raises NegotiationError that names what is wrong."""
    try:
        return _parse_description(kind, sdp)
    except ValueError as exc:
        problem = f"the other side sent an {kind} that can't be used: {exc}"
        raise NegotiationError(problem) from None


def _parse_description(kind: str, sdp: str) -> Description:
    session, *sections = _split(sdp)
    data = _find_data_channel(sections)
    if kind == "answer" and not data.is_open:
        raise ValueError("it declines the data channel")
    index = sections.index(data)
    group = _find_group(session, data)
    tagged = [one for one in sections if group and group[0] in one.of("mid")][:1]
    own = {name: data.of(name) for name in _REQUIRED}
    borrowed: list[str] = []
    for name in _MAY_BE_SHARED:
        own[name] = own[name] or session.of(name)
        if not own[name] and tagged:
            own[name] = tagged[0].of(name)
            borrowed += (f"a={name}:{value}" for value in own[name])
    _check(kind, own, data.of("max-message-size"))
    ufrag = own["ice-ufrag"][-1]
    same = [one for one in sections if (one.of("ice-ufrag") or [ufrag])[-1] == ufrag]
    return Description(
        kind=kind,
        sdp=_write([*_regroup(session.lines, own["mid"][-1], group), *data.lines, *borrowed]),
        ufrag=ufrag,
        mid=own["mid"][-1],
        candidates=tuple(parse_candidate(line) for one in same for line in one.of("candidate")),
        complete=any(one.of("end-of-candidates") for one in (session, *same)),
        index=index,
        before="".join(one.decline() for one in sections[:index]),
        after="".join(one.decline() for one in sections[index + 1 :]),
        bundled=bool(group),
        sctp_init=next(filter(None, map(read_init, data.of("sctp-init"))), b""),
    )


def _split(sdp: str) -> list[_Section]:
    """The session's part, and each media section."""
    if len(sdp) > MAX_SDP:
        raise ValueError(f"its SDP has more than {MAX_SDP} characters")
    lines = sdp.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0] != "v=0":
        raise ValueError("its SDP does not begin with v=0")
    # Other line breaks, those of Unicode among them, would make lines of their own further on.
    if any(not re.match(r"[a-z]=", line) or line.splitlines() != [line] for line in lines):
        raise ValueError("its SDP has a line that is not of the form x=value")
    begins = [number for number, line in enumerate(lines) if line.startswith("m=")]
    bounds = zip([0, *begins], [*begins, len(lines)], strict=True)
    return [_Section(lines[begin:end]) for begin, end in bounds]


def _find_data_channel(sections: list[_Section]) -> _Section:
    found = [one for one in sections if _DATA_CHANNEL.fullmatch(one.lines[0])]
    if found:
        return next((one for one in found if one.is_open), found[0])
    if any(one.lines[0].startswith("m=application ") for one in sections):
        raise ValueError("its media section is not UDP/DTLS/SCTP webrtc-datachannel")
    raise ValueError("it has no data-channel section")


def _find_group(session: _Section, data: _Section) -> list[str]:
    """The sections of the BUNDLE group that the data channel is in; the first is the tagged one."""
    for value in session.of("group"):
        semantics, *mids = value.split() or [""]
        if semantics == "BUNDLE" and not {*mids}.isdisjoint(data.of("mid")):
            return mids
    return []


def _regroup(lines: Iterable[str], mid: str, group: list[str]) -> list[str]:
    """The session's part for the data channel alone."""
    kept = []
    for line in lines:
        if not re.match("a=group(:|$)", line):
            kept.append(line)
        elif group and line.split()[1:] == group:
            kept.append(f"a=group:BUNDLE {mid}")
    return kept


def _write(lines: Iterable[str]) -> str:
    """Without candidates, and with no number and no INIT that a library can't read."""
    kept = []
    for line in lines:
        if line.startswith(_SIZE):
            digits = line.removeprefix(_SIZE).lstrip("0") or "0"
            is_too_long = len(digits) > len(str(_MAX_SIZE)) or int(digits) > _MAX_SIZE
            kept.append(f"{_SIZE}{_MAX_SIZE if is_too_long else digits}")
        elif line.startswith(_INIT):
            kept += [line] if read_init(line.removeprefix(_INIT)) else []
        elif not line.startswith(("a=candidate:", "a=end-of-candidates")):
            kept.append(line)
    return "".join(f"{line}\r\n" for line in kept)


def read_init(text: str) -> bytes:
    """The INIT chunk of SCTP in such a line, without padding; empty for what is none.

    It skips the handshake in which it would be told, and so is held to the same rules.
    """
    if len(text) > _MAX_INIT or not _BASE64.fullmatch(text):
        return b""
    chunk = base64.b64decode(text)
    if len(chunk) < _INIT_HEADER.size:
        return b""
    kind, length, tag, window, outbound, inbound, _ = _INIT_HEADER.unpack_from(chunk)
    is_whole = kind == _INIT_TYPE and length <= len(chunk) < length + 4
    at = _INIT_HEADER.size
    while is_whole and at < length:
        size = int.from_bytes(chunk[at + 2 : at + 4], "big") if at + 4 <= length else 0
        is_whole = size >= 4 and at + size <= length
        at += size + -size % 4
    is_valid = is_whole and min(tag, outbound, inbound) > 0 and window >= _LEAST_WINDOW
    return chunk[:length] if is_valid else b""


def _check(kind: str, attributes: dict[str, list[str]], sizes: list[str]) -> None:
    for name, pattern in _REQUIRED.items():
        values = attributes[name]
        if not values:
            raise ValueError(f"its a={name} is missing")
        if not all(pattern.fullmatch(value) for value in values):
            raise ValueError(f"its a={name} is malformed")
    if not any(_STRONG_HASH.match(value) for value in attributes["fingerprint"]):
        raise ValueError("its a=fingerprint is of none of the hashes sha-256, sha-384 and sha-512")
    if kind == "answer" and "actpass" in attributes["setup"]:
        raise ValueError("its a=setup leaves open who begins")
    if not all(1 <= int(port) <= 65535 for port in attributes["sctp-port"]):
        raise ValueError("its a=sctp-port is out of range")
    if not all(re.fullmatch("[0-9]+", size) for size in sizes):
        raise ValueError("its a=max-message-size is no number")
