"""What may stand in a candidate; what is not understood is of no use, and no harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.core.handshake.sdp import Candidate, parse_candidate, quote_candidate
from tests.kit.descriptions import LAW

MDNS = "6a0d1f0e-9a4b-4c3d-8e2f-1a2b3c4d5e6f.local"
PLAIN = "1 1 udp 1 10.0.0.1 9 typ host"

USABLE = {
    "842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.5 rport 46154"
    " generation 0 ufrag Yq3L network-cost 999": (
        "842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx"
    ),
    f"1 1 UDP 2122252543 {MDNS} 51234 typ host": f"1 1 udp 2122252543 {MDNS} 51234 typ host",
    f"1 1 udp 1 {MDNS.upper()} 9 typ host": f"1 1 udp 1 {MDNS} 9 typ host",
    f"1 1 udp 1 {'x' * 63}.LOCAL 9 typ host": f"1 1 udp 1 {'x' * 63}.local 9 typ host",
    "a+/9 1 udp 1 2001:db8::1 1 typ host": "a+/9 1 udp 1 2001:db8::1 1 typ host",
    "1 1 udp 1 ::ffff:10.0.0.1 65535 typ host": "1 1 udp 1 10.0.0.1 65535 typ host",
    "1 1 udp 1 ::1 9 typ host": "1 1 udp 1 ::1 9 typ host",
    "1 1 udp 1 ::ffff:192.0.2.1 9 typ host": "1 1 udp 1 192.0.2.1 9 typ host",
    "1 1 udp 1 0:0::FFFF:c000:0201 9 typ srflx": "1 1 udp 1 192.0.2.1 9 typ srflx",
    "1 1 udp 1 ::192.0.2.1 9 typ host": "1 1 udp 1 ::192.0.2.1 9 typ host",
    "1 1 udp 1 169.254.0.1 9 typ host": "1 1 udp 1 169.254.0.1 9 typ host",
    # Beside those that are refused.
    **{
        f"1 1 udp 1 {address} 9 typ host": f"1 1 udp 1 {address} 9 typ host"
        for address in (
            *("1.0.0.0", "223.255.255.255", "240.0.0.1", "255.255.255.254", "2.24.0.1"),
            *("feff::1", "fe00::1", "ff::1", "fe8::1", "f02::1", "127.0.0.1", "::2"),
        )
    },
    "1 1 Udp 4294967295 10.0.0.1 9 typ relay raddr 0.0.0.0 rport 0": (
        "1 1 udp 4294967295 10.0.0.1 9 typ relay"
    ),
    # In small letters or not: the words of a grammar are the same word (RFC 5234, section 2.3).
    "1 1 UDP 1 10.0.0.1 9 TYP HOST": PLAIN,
    "1 1 udp 1 10.0.0.1 9 Typ Host": PLAIN,
    "1 1 udp 1 10.0.0.1 9 typ SrFlX": "1 1 udp 1 10.0.0.1 9 typ srflx",
    # Leading zeros, and more spaces than one.
    "1 001 udp 0000000001 10.0.0.1 00009 typ host": PLAIN,
    " 1  1 udp 1 10.0.0.1 9 typ   host ": PLAIN,
    # What a foundation looks like is for nobody to judge but whether it is the same as another.
    "candidate:1 1 udp 1 10.0.0.1 9 typ host": "candidate:1 1 udp 1 10.0.0.1 9 typ host",
    "- 1 udp 1 10.0.0.1 9 typ host": "- 1 udp 1 10.0.0.1 9 typ host",
    "{a=b;c} 1 udp 1 10.0.0.1 9 typ host": "{a=b;c} 1 udp 1 10.0.0.1 9 typ host",
    # Extensions, whatever they are.
    f"{PLAIN} odd-word !%&": PLAIN,
    f"{PLAIN} raddr": PLAIN,
    f"{PLAIN} a b c": PLAIN,
    f"{PLAIN} raddr peer.example rport 99999999": PLAIN,
    f"{PLAIN} rport x generation y tcptype z": PLAIN,
    f"{PLAIN} x {'y' * 60_000}": PLAIN,
    f"{PLAIN} x é\x00\x1b[31m": PLAIN,
}

OF_NO_USE = {
    "does not have the form": [
        *("", "x", "1 1 udp 1 10.0.0.1 9", "1 1 udp 1 10.0.0.1 9 typ", "udp 1 10.0.0.1 9 typ host"),
        *("1 1 udp 1 10.0.0.1 9 type host", "1 1 udp 1 10.0.0.1 9 host typ"),
        *("candidate 1 1 udp 1 10.0.0.1 9 typ host", "1\t1\tudp\t1\t10.0.0.1\t9\ttyp\thost"),
        *("1 1\tudp 1 10.0.0.1 9 typ host", "x" * 60_000, " " * 60_000),
    ],
    "its foundation is": [
        f"{word} 1 udp 1 10.0.0.1 9 typ host" for word in ("x" * 33, "é", "\x7f")
    ],
    "it is for another component": [
        f"1 {component} udp 1 10.0.0.1 9 typ host"
        for component in ("0", "2", "256", "257", "-1", "x", "1.0", "+1", "0001", "99999999999")
    ],
    "its transport is": [
        "1 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active generation 0",
        "1 1 TCP 1518280447 10.0.0.5 0 typ host tcptype active",
        "1 1 ssltcp 1 10.0.0.5 443 typ relay",
        "1 1 udp4 1 10.0.0.5 443 typ relay",
    ],
    "its priority is": [
        f"1 1 udp {priority} 10.0.0.1 9 typ host"
        for priority in ("-1", "4294967296", "x", "1e5", "0x1", "1.0", "٩", "9" * 6000)
    ],
    "its port is": [
        f"1 1 udp 1 10.0.0.1 {port} typ host"
        for port in (
            "0",
            "00000",
            "65536",
            "99999999999",
            "-1",
            "x",
            "+9",
            "9.0",
            "0x9",
            "1_0",
            "٩",
        )
    ],
    "its address is no IP": [
        f"1 1 udp 1 {address} 9 typ host"
        for address in (
            *("peer.lab.example.org", "localhost", "10.0.0", "10.0.0.256", "010.0.0.1", "0"),
            *("2130706433", "0x7f000001", "::g", "[::1]", "1::2::3", "10.0.0.1."),
            *("::ffff:0:0%1", "::ffff:10.0.0.1%eth0"),
            *(
                "10.0.0.1/8",
                "10.0.0.1%eth0",
                "fe80::1%eth0",
                "fe80::1%\x00",
            ),
            *(".local", "a.b.local", "a_b.local", "x" * 64 + ".local", "a.local.", "a.localx"),
            *(
                "[2001:db8::1]",
                "10.0.0.1:9",
                "::ffff:10.0.0.256",
                "12345::",
                "1:2:3:4:5:6:7:8:9",
                ":",
                "é.local",
            ),
        )
    ],
    "its address is not that": [
        f"1 1 udp 1 {address} 9 typ {kind}"
        for kind in ("host", "relay")
        for address in (
            *("0.0.0.0", "0.0.0.1", "0.255.255.255", "255.255.255.255", "::", "0::0"),
            *("224.0.0.0", "224.0.0.251", "232.1.2.3", "239.255.255.255"),
            *("ff00::", "ff02::1", "FF05::FB", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            *("::ffff:0.0.0.0", "::ffff:0:0", "::ffff:224.0.0.1", "0:0::FFFF:efff:ffff"),
            *("::ffff:255.255.255.255", "::FFFF:0.1.2.3"),
        )
    ],
    "its address means": [
        f"1 1 udp 1 {address} 9 typ host"
        for address in ("fe80::1", "FEBF::1", "fe80:0:0:0:0:0:0:1", "fe80::10.0.0.1")
    ],
    "its type is": [
        f"1 1 udp 1 10.0.0.1 9 typ {kind}"
        for kind in ("hos", "hosts", "prflx", "udp", "10.0.0.1", "host\r\na=setup", "h\x1cx", "é")
    ],
}


_TCP = "1 1 TCP 1518280447 10.0.0.5 9 typ host"
TCP = {
    f"{_TCP} tcptype passive generation 0": "passive",
    f"{_TCP} TcpType PASSIVE": "passive",
    f"{_TCP} raddr 0.0.0.0 rport 9 tcptype so x": "so",
    f"{_TCP} tcptype active": "",
    f"{_TCP} tcptype": "",
    f"{_TCP} x tcptype passive": "",
    f"{_TCP} tcptype active tcptype passive": "",
    _TCP: "",
    f"{_TCP.replace('TCP', 'ssltcp')} tcptype passive": "",
    f"{_TCP.replace(' 9 ', ' 0 ')} tcptype passive": "",
}
"""Of which kind a stack that opens TCP connections can use each."""


@pytest.mark.parametrize(("line", "kind"), TCP.items(), ids=lambda text: text[-30:])
def test_a_tcp_candidate_is_usable_where_a_connection_can_be_opened_to_it(
    line: str, kind: str
) -> None:
    assert not parse_candidate(line).usable
    found = parse_candidate(line, tcp=True)
    assert found.usable == bool(kind)
    if kind:
        assert found.line == f"1 1 tcp 1518280447 10.0.0.5 9 typ host tcptype {kind}"
        assert parse_candidate(found.line, tcp=True) == found


@pytest.mark.parametrize(("line", "kept"), USABLE.items(), ids=lambda text: text[:60])
def test_a_udp_candidate_is_usable_and_kept_as_libraries_have_it(line: str, kept: str) -> None:
    assert parse_candidate(line) == Candidate(kept)
    assert parse_candidate(kept) == Candidate(kept)


@pytest.mark.parametrize(
    ("problem", "line"),
    [(problem, line) for problem, lines in OF_NO_USE.items() for line in lines],
    ids=lambda text: text[:60],
)
def test_what_is_wrong_with_a_candidate_is_named(problem: str, line: str) -> None:
    candidate = parse_candidate(line)
    assert not candidate.usable
    assert problem in candidate.problem
    assert candidate.line == line


@st.composite
def odd_candidates(draw: st.DrawFn) -> str:
    """A good line with a few words dropped, doubled or replaced."""
    words = draw(st.sampled_from([*USABLE, *OF_NO_USE["its transport is"]])).split()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(words) - 1))
        word = st.text(max_size=6) | st.integers().map(str) | st.sampled_from(words)
        words[at : at + draw(st.integers(0, 1))] = draw(st.lists(word, max_size=2))
        words = words or ["1"]
    return draw(st.sampled_from([" ", " ", "  "])).join(words)


@given(line=odd_candidates() | st.text())
@settings(LAW, max_examples=500)
def test_any_text_is_a_candidate_of_use_or_of_none(line: str) -> None:
    candidate = parse_candidate(line)
    if candidate.usable:
        words = candidate.line.split(" ")
        assert (words[1], words[2], words[6], len(words)) == ("1", "udp", "typ", 8)
        assert 1 <= int(words[5]) <= 65535
        assert candidate.line.isascii()
        assert candidate.line.isprintable()
    else:
        quoted = quote_candidate(candidate)
        assert quoted.isprintable()  # it is written to logs
        assert len(quoted) < 1600
