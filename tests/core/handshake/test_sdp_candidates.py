"""What may stand in a candidate, and what is refused before it does harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.core.handshake.sdp import Candidate, parse_candidate
from imgsync.core.protocol.errors import NegotiationError
from tests.kit.descriptions import LAW

USABLE = [
    "842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.5 rport 46154"
    " generation 0 ufrag Yq3L network-cost 999",
    "1 1 UDP 2122252543 6a0d1f0e-9a4b-4c3d-8e2f-1a2b3c4d5e6f.local 51234 typ host",
    "2395300328 1 udp 2113937151 9b36eaac-bb2e-49bb-bb78-21c41c499900.local 56789 typ host"
    " generation 0 ufrag 7c0f network-cost 999",
    "f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 43196 typ host",
    "a+/9 1 udp 1 2001:db8::1 1 typ host",
    "1 1 udp 1 ::ffff:10.0.0.1 65535 typ host",
    "1 1 udp 0 fe80::1%eth0 9 typ host",
    "1 1 Udp 4294967295 10.0.0.1 9 typ relay raddr 0.0.0.0 rport 0",
    "1 1 udp 1 10.0.0.1 9 typ host odd-word !%&",
]
OF_NO_USE = [
    "1 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active generation 0",
    "1 1 TCP 1518280447 10.0.0.5 0 typ host tcptype active",
    "1 1 ssltcp 1 10.0.0.5 443 typ relay",
    "1 2 udp 1 10.0.0.5 9 typ host",
    "1 256 udp 1 10.0.0.5 9 typ host",
    "1 1 udp 1 10.0.0.5 9 typ prflx raddr 10.0.0.1 rport 5",
]


@pytest.mark.parametrize("line", USABLE)
def test_a_whole_udp_candidate_is_usable_and_kept_as_it_came(line: str) -> None:
    assert parse_candidate(line) == Candidate(line, usable=True)


@pytest.mark.parametrize("line", OF_NO_USE)
def test_a_whole_candidate_may_be_of_no_use_to_a_data_channel(line: str) -> None:
    assert parse_candidate(line) == Candidate(line, usable=False)


HOSTILE = {
    "form": [
        *("", "x", "1 1 udp 1 10.0.0.1 9", "1 1 udp 1 10.0.0.1 9 typ", "udp 1 10.0.0.1 9 typ host"),
        *("1 1 udp 1 10.0.0.1 9 type host", "1 1 udp 1 10.0.0.1 9 host typ", "1 1 udp 1 é 9 typ h"),
        *("1 1 udp 1 10.0.0.1 ٩ typ host", "1 1 udp 1 10.0.0.1 9 typ host x " + "y" * 512),
        "candidate 1 1 udp 1 10.0.0.1 9 typ host",
    ],
    "foundation": [
        *("- 1 udp 1 10.0.0.1 9 typ host", "a=b 1 udp 1 10.0.0.1 9 typ host"),
        *("x" * 33 + " 1 udp 1 10.0.0.1 9 typ host", "candidate:1 1 udp 1 10.0.0.1 9 typ host"),
    ],
    "component": [
        f"1 {component} udp 1 10.0.0.1 9 typ host"
        for component in ("0", "257", "-1", "x", "1.0", "+1", "99999999999")
    ],
    "priority": [
        f"1 1 udp {priority} 10.0.0.1 9 typ host"
        for priority in ("-1", "4294967296", "x", "1e5", "0x1", "9" * 30)
    ],
    "port": [
        *(
            f"1 1 udp 1 10.0.0.1 {port} typ host"
            for port in ("0", "65536", "99999999999", "-1", "x", "+9", "9.0", "0x9", "1_0")
        ),
        *("1 1 tcp 1 10.0.0.1 65536 typ host", "1 1 tcp 1 10.0.0.1 -1 typ host"),
    ],
    "address": [
        f"1 1 udp 1 {address} 9 typ host"
        for address in (
            *("example.org", "localhost", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/8", "0"),
            *("2130706433", "0x7f000001", "::g", "[::1]", "1::2::3", "10.0.0.1%eth0", ".local"),
            *("a.b.local", "a_b.local", "x" * 65 + ".local", "a.local.", "a.localx", "a.LOCAL"),
        )
    ],
    "type": [
        f"1 1 udp 1 10.0.0.1 9 typ {kind}" for kind in ("HOST", "hos", "hosts", "udp", "10.0.0.1")
    ],
    "attribute": [
        *("1 1 udp 1 10.0.0.1 9 typ host raddr", "1 1 udp 1 10.0.0.1 9 typ host a b c"),
    ],
    "related port": [
        f"1 1 udp 1 10.0.0.1 9 typ srflx raddr 10.0.0.5 rport {port}"
        for port in ("-1", "65536", "x", "9" * 30)
    ],
}


@pytest.mark.parametrize(
    ("part", "line"), [(part, line) for part, lines in HOSTILE.items() for line in lines]
)
def test_what_is_wrong_with_a_candidate_is_named(part: str, line: str) -> None:
    with pytest.raises(
        NegotiationError, match=rf": .*its {part} is|its end|does not have the {part}"
    ):
        parse_candidate(line)


@pytest.mark.parametrize(
    "line",
    [
        "1 1 udp 1 fe80::1%\x00 9 typ host",
        "1 1 udp 1 10.0.0.1 9 typ host x \x00",
        "1 1 udp 1 10.0.0.1 9 typ host\r\na=setup passive",
        "1 1 udp 1 10.0.0.1 9 typ host\na=setup passive",
        "1 1\tudp 1 10.0.0.1 9 typ host",
        "1 1 udp 1 10.0.0.1 9 typ host\x1cx y",
        "1 1 udp 1 10.0.0.1 9 typ host x \x1b[31m",
        "1 1 udp 1 10.0.0.1 9 typ host x \x7f",
    ],
)
def test_a_candidate_is_one_line_without_control_characters(line: str) -> None:
    # An address with a NUL in its zone makes `sendto` raise what is no OSError, at which asyncio
    # closes the local socket.
    with pytest.raises(NegotiationError):
        parse_candidate(line)


@st.composite
def odd_candidates(draw: st.DrawFn) -> str:
    """A good line with a few words dropped, doubled or replaced."""
    words = draw(st.sampled_from(USABLE + OF_NO_USE)).split()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(words) - 1))
        word = st.text(max_size=6) | st.integers().map(str) | st.sampled_from(words)
        words[at : at + draw(st.integers(0, 1))] = draw(st.lists(word, max_size=2))
        words = words or ["1"]
    return draw(st.sampled_from([" ", " ", "  "])).join(words)


@given(line=odd_candidates() | st.text())
@settings(LAW, max_examples=500)
def test_any_text_gives_a_whole_candidate_or_our_error(line: str) -> None:
    try:
        candidate = parse_candidate(line)
    except NegotiationError as exc:
        error = str(exc)
    else:
        words = candidate.line.split()
        assert candidate.line == line
        assert 0 <= int(words[5]) <= 65535
        assert not candidate.usable or (int(words[5]) > 0 and words[2].lower() == "udp")
        return
    assert error.isprintable()  # it is written to logs
    assert len(error) < 900
