"""What may stand in a description, and what is refused before it does harm."""

import re

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.core.handshake.sdp import Candidate, parse_candidate, parse_description
from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.numbers import MAX_SDP
from tests.kit.descriptions import AIORTC, CHROMIUM, FINGERPRINT, LAW, REAL


def without(sdp: str, start: str) -> str:
    lines = sdp.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) < len(lines)
    return "".join(kept)


def with_line(sdp: str, start: str, line: str) -> str:
    """The same with all lines that start so replaced by one."""
    before, _, _ = sdp.partition(start)
    return before + line + "\r\n" + "".join(without(sdp, start)[len(before) :])


def refusal(sdp: str, kind: str = "offer") -> str:
    with pytest.raises(NegotiationError) as caught:
        parse_description(kind, sdp)
    assert str(caught.value).startswith(f"the other side sent an {kind} that can't be used: ")
    return str(caught.value)


# ── real descriptions ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("peer", "ufrag"), [("aiortc", "5MyH"), ("chromium", "Yq3L"), ("firefox", "7c0f1a2b")]
)
def test_what_aiortc_and_the_browsers_offer_and_answer_is_taken(peer: str, ufrag: str) -> None:
    sdp = REAL[peer]
    offer = parse_description("offer", sdp)
    assert (offer.kind, offer.ufrag, offer.mid) == ("offer", ufrag, "0")
    answer = parse_description("answer", sdp.replace("actpass", "active"))
    assert (answer.kind, answer.ufrag, answer.mid) == ("answer", ufrag, "0")


def test_a_description_that_trickles_is_kept_as_it_came() -> None:
    offer = parse_description("offer", CHROMIUM)
    assert offer.sdp == CHROMIUM
    assert (offer.candidates, offer.complete) == ((), False)


def test_candidates_inside_come_out_in_order_and_the_kept_description_has_none() -> None:
    offer = parse_description("offer", AIORTC)
    assert offer.candidates == (
        Candidate("f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 43196 typ host"),
        Candidate("d0bcf3d9c29a2bc887618212a1623bfa 1 udp 2130706431 fd00::2 48112 typ host"),
    )
    assert offer.complete
    assert offer.sdp == without(without(AIORTC, "a=candidate"), "a=end-of-candidates")


@given(st.lists(st.integers(1, 65535), max_size=8), st.booleans(), st.data())
@LAW
def test_candidates_come_out_in_order_wherever_they_stand(
    ports: list[int], complete: bool, data: st.DataObject
) -> None:
    lines = CHROMIUM.removesuffix("\r\n").split("\r\n")
    first = lines.index("m=application 9 UDP/DTLS/SCTP webrtc-datachannel") + 1
    places = sorted(data.draw(st.integers(first, len(lines))) for _ in ports)
    wanted = [f"1 1 udp 5 10.0.0.1 {port} typ host" for port in ports]
    for place, line in reversed([*zip(places, wanted, strict=True)]):
        lines.insert(place, f"a=candidate:{line}")
    lines += ["a=end-of-candidates"] * complete
    offer = parse_description("offer", "\r\n".join(lines) + "\r\n")
    assert [candidate.line for candidate in offer.candidates] == wanted
    assert offer.complete is complete
    assert offer.sdp == CHROMIUM


@pytest.mark.parametrize("sdp", REAL.values(), ids=REAL)
def test_lines_may_end_in_newline_alone_and_the_last_one_in_nothing(sdp: str) -> None:
    offer = parse_description("offer", sdp)
    assert parse_description("offer", sdp.replace("\r\n", "\n")) == offer
    assert parse_description("offer", sdp.removesuffix("\r\n")) == offer


def test_no_repr_of_a_description_holds_its_password() -> None:
    assert "7PIZgMdgCwsavahID6SRvX" not in repr(parse_description("offer", AIORTC))


# ── bad descriptions ─────────────────────────────────────────────────────────────────────────────

REQUIRED = ["ice-ufrag", "ice-pwd", "fingerprint", "setup", "mid", "sctp-port"]


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("sdp", REAL.values(), ids=REAL)
def test_each_missing_attribute_is_named(name: str, sdp: str) -> None:
    why = refusal(without(sdp, f"a={name}:"))
    assert f"a={name} is missing" in why


MALFORMED = {
    "ice-ufrag": ["", "abc", "a b c", "äbcd", "abcd!", "x" * 257, " Yq3L", "Yq3L "],
    "ice-pwd": ["", "short", "x" * 21, "x" * 257, "7PIZgMdgCwsavahID6SRv X", "ä" * 30],
    "fingerprint": [
        *("", "sha-256", "sha-256 ", "sha-256 0A", "sha-256 0A:", "sha-256 0A:G1", "sha-256 0A0B"),
        *(FINGERPRINT, f"sha-1 {FINGERPRINT}", f"md5 {FINGERPRINT}", f"sha-256  {FINGERPRINT}"),
    ],
    "setup": ["", "holdconn", "Active", "activepassive", "active passive", " active", "active "],
    "mid": ["", "a b", "ä", "x" * 65, " 0", "0 "],
    "sctp-port": ["", "0", "65536", "-1", "5000.0", "0x10", "99999999999", "5_0", "x", "5000 x"],
    "max-message-size": ["", "-1", "x", "1e5", "5 0"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in MALFORMED.items() for value in values]
)
def test_each_malformed_attribute_is_named(name: str, value: str) -> None:
    why = refusal(with_line(CHROMIUM, f"a={name}:", f"a={name}:{value}"))
    assert f"its a={name} is " in why


@pytest.mark.parametrize("name", ["sctp-port", "fingerprint", "setup", "ice-pwd"])
def test_each_copy_of_an_attribute_has_to_be_well_formed(name: str) -> None:
    # aiortc reads every copy and fails at the first that it can't read.
    good = re.findall(rf"a={name}:.*\r\n", CHROMIUM)[0]
    assert f"a={name}" in refusal(CHROMIUM.replace(good, f"a={name}:?\r\n{good}"))
    assert f"a={name}" in refusal(CHROMIUM.replace(good, f"{good}a={name}:?\r\n"))


@pytest.mark.parametrize("name", ["mid", "sctp-port"])
def test_what_belongs_to_the_media_section_does_not_count_before_it(name: str) -> None:
    # aiortc looks for these in the section alone, and without them never connects.
    line = re.findall(rf"a={name}:.*\r\n", CHROMIUM)[0]
    moved = CHROMIUM.replace(line, "").replace("m=application", f"{line}m=application")
    assert f"a={name} is missing" in refusal(moved)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("m=application 9 DTLS/SCTP 5000", "webrtc-datachannel"),
        ("m=application 9 UDP/DTLS/SCTP webrtc-datachannel 5000", "webrtc-datachannel"),
        ("m=application 9 UDP/TLS/RTP/SAVPF webrtc-datachannel", "webrtc-datachannel"),
        ("m=application ٩ UDP/DTLS/SCTP webrtc-datachannel", "webrtc-datachannel"),
        ("m=application x UDP/DTLS/SCTP webrtc-datachannel", "webrtc-datachannel"),
        ("m=application 999999 UDP/DTLS/SCTP webrtc-datachannel", "webrtc-datachannel"),
        ("m=application", "no data-channel section"),
        ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "no data-channel section"),
        ("m=", "no data-channel section"),
        ("a=m", "no data-channel section"),
    ],
)
def test_a_description_is_for_a_data_channel(line: str, says: str) -> None:
    assert says in refusal(with_line(CHROMIUM, "m=application", line))


@pytest.mark.parametrize("separator", ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028"])
@pytest.mark.parametrize("smuggled", ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=candidate:x"])
def test_no_line_can_be_smuggled_in_behind_another_separator(separator: str, smuggled: str) -> None:
    # aiortc splits by str.splitlines, which knows more line ends than CR LF.
    refusal(CHROMIUM.replace("s=-", f"s=-{separator}{smuggled}"))


@pytest.mark.parametrize(
    ("sdp", "says"),
    [
        ("", "v=0"),
        ("\r\n", "v=0"),
        ("v=1\r\n", "v=0"),
        (" " + CHROMIUM, "v=0"),
        ("\ufeff" + CHROMIUM, "v=0"),
        (without(CHROMIUM, "v="), "v=0"),
        ("v=0\r\n", "no data-channel section"),
        (CHROMIUM.replace("s=-", "s"), "x=value"),
        (CHROMIUM.replace("s=-", ""), "x=value"),
        (CHROMIUM.replace("s=-", " s=-"), "x=value"),
        (CHROMIUM.replace("s=-", "S=-"), "x=value"),
        (CHROMIUM + "hello\r\n", "x=value"),
        (CHROMIUM + "x=" + "x" * MAX_SDP, "more than"),
    ],
)
def test_what_is_no_description_at_all_is_refused(sdp: str, says: str) -> None:
    assert says in refusal(sdp)


def test_an_answer_has_to_say_yes_and_who_begins() -> None:
    answer = CHROMIUM.replace("actpass", "active")
    assert "declines" in refusal(answer.replace("m=application 9 ", "m=application 0 "), "answer")
    assert "a=setup leaves open" in refusal(CHROMIUM, "answer")


def test_a_candidate_inside_that_is_not_understood_is_of_no_use_and_no_harm() -> None:
    sdp = AIORTC.replace("192.0.2.2 43196 typ", "192.0.2.2 0 typ")
    first, second = parse_description("offer", sdp).candidates
    assert first.problem == "its port is not between 1 and 65535"
    assert second.usable


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("0", "0"),
        ("65536", "65536"),
        ("0000000000065536", "65536"),
        ("2147483647", "2147483647"),
        ("2147483648", "2147483647"),
        ("18446744073709551615", "2147483647"),
        ("9" * 5000, "2147483647"),
        ("0" * 5000, "0"),
    ],
)
def test_a_message_size_of_any_length_is_a_number_that_libraries_can_read(
    told: str, kept: str
) -> None:
    size = "a=max-message-size:"
    offer = parse_description("offer", with_line(CHROMIUM, size, f"{size}{told}"))
    assert re.findall(f"{size}(.*)\r\n", offer.sdp) == [kept]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A real description with lines moved, doubled, dropped or changed in a few characters."""
    lines = draw(st.sampled_from(list(REAL.values()))).removesuffix("\r\n").split("\r\n")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["move", "double", "drop", "change", "change"])):
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), lines[at])
            case "drop" if len(lines) > 1:
                del lines[at]
            case _:
                cut = draw(st.integers(0, len(lines[at])))
                put = draw(st.text("\r\n =:0159amcä٣\u2028\x00\x0b", max_size=2))
                rest = lines[at][cut + draw(st.integers(0, 2)) :]
                lines[at] = lines[at][:cut] + put + rest
    return draw(st.sampled_from(["\r\n", "\r\n", "\n"])).join(lines)


@given(kind=st.sampled_from(["offer", "answer"]), sdp=damaged() | st.text())
@settings(LAW, max_examples=500)
def test_any_text_gives_a_usable_description_or_our_error(kind: str, sdp: str) -> None:
    try:
        description = parse_description(kind, sdp)
    except NegotiationError:
        return
    lines = description.sdp.splitlines()
    assert description.sdp == "\r\n".join(lines) + "\r\n"
    assert [line[:2] for line in lines].count("m=") == 1
    assert f"a=ice-ufrag:{description.ufrag}" in lines
    assert f"a=mid:{description.mid}" in lines
    assert not [line for line in lines if line.startswith(("a=candidate", "a=end-of-cand"))]
    for inside in description.candidates:
        assert parse_candidate(inside.line) == inside
    again = attrs.evolve(description, candidates=(), complete=False, index=0, before="", after="")
    assert parse_description(kind, description.sdp) == again
