"""Descriptions of more than a data channel: its section is picked, and the others are declined."""

import re

import pytest

from imgsync.core.handshake.sdp import Description, parse_description
from imgsync.core.protocol.errors import NegotiationError
from tests.kit.descriptions import AIORTC, AUDIO, CHROMIUM, REAL, crlf, place

DECLINED = crlf("""
    m=audio 0 UDP/TLS/RTP/SAVPF 111 63
    c=IN IP4 0.0.0.0
    a=inactive
    a=mid:audio
""")
REJECTED = AUDIO.replace("m=audio 9", "m=audio 0")
OTHERS = {
    AUDIO: DECLINED,
    REJECTED: DECLINED,
    "m=video 49170/2 RTP/AVP 31 32\r\n": (
        "m=video 0 RTP/AVP 31 32\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"
    ),
    "m=application 9 UDP/BFCP *\r\na=mid:b\r\n": (
        "m=application 0 UDP/BFCP *\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:b\r\n"
    ),
    "m=text 11000 RTP/AVP 98\r\na=candidate:x\r\na=end-of-candidates\r\na=ice-ufrag:text\r\n": (
        "m=text 0 RTP/AVP 98\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"
    ),
}


def answer_to(offer: Description) -> str:
    return offer.frame(CHROMIUM.replace("actpass", "active"))


def media_of(sdp: str) -> list[str]:
    return re.findall("m=(.*?) ", sdp)


@pytest.mark.parametrize("sdp", REAL.values(), ids=REAL)
@pytest.mark.parametrize(("other", "declined"), OTHERS.items(), ids=lambda text: text[:20])
def test_the_data_channel_is_picked_wherever_it_stands_and_the_answer_declines_the_rest(
    sdp: str, other: str, declined: str
) -> None:
    alone = parse_description("offer", sdp)
    for before, after in ((other, ""), ("", other), (other, other * 2)):
        offer = parse_description("offer", place(sdp, before, after))
        assert (offer.sdp, offer.ufrag, offer.mid) == (alone.sdp, alone.ufrag, alone.mid)
        assert (offer.candidates, offer.complete) == (alone.candidates, alone.complete)
        assert offer.index == len(media_of(before))
        answer = answer_to(offer)
        assert answer == place(
            CHROMIUM.replace("actpass", "active"),
            declined if before else "",
            declined * len(media_of(after)),
        )
        again = parse_description("answer", answer)
        assert (again.mid, again.index) == ("0", offer.index)


def test_an_answer_to_a_data_channel_alone_is_left_as_it_is() -> None:
    assert answer_to(parse_description("offer", CHROMIUM)) == CHROMIUM.replace("actpass", "active")


@pytest.mark.parametrize(
    ("group", "kept"),
    [
        ("a=group:BUNDLE 0\r\n", True),
        ("a=group:BUNDLE audio 0\r\n", True),
        ("a=group:BUNDLE 0 audio\r\n", True),
        ("a=group:LS audio 0\r\na=group:BUNDLE 0 audio\r\n", True),
        ("a=group:BUNDLE audio\r\n", False),
        ("a=group:LS audio 0\r\n", False),
        ("a=group:\r\na=group\r\n", False),
        ("", False),
    ],
)
def test_the_bundle_of_an_answer_is_the_data_channel_where_it_was_offered_in_one(
    group: str, kept: bool
) -> None:
    sdp = place(CHROMIUM.replace("a=group:BUNDLE 0\r\n", group), AUDIO)
    offer = parse_description("offer", sdp)
    for text in (offer.sdp, answer_to(offer)):
        assert re.findall("a=group.*\r\n", text) == ["a=group:BUNDLE 0\r\n"] * kept


BUNDLED = place(
    re.sub("a=(ice-ufrag|ice-pwd|fingerprint|setup):.*\r\n", "", CHROMIUM)
    .replace("BUNDLE 0", "BUNDLE audio 0")
    .replace("m=application 9", "m=application 0")
    .replace("a=mid:0", "a=mid:0\r\na=bundle-only"),
    AUDIO + re.findall("a=fingerprint:.*\r\n", CHROMIUM)[0],
)
"""Of a peer that bundles come what may: the first section has the transport (RFC 9143, 7.1)."""


def test_what_a_bundled_section_leaves_to_the_tagged_one_is_taken_from_there() -> None:
    offer = parse_description("offer", BUNDLED)
    assert (offer.ufrag, offer.mid, offer.index) == ("aUd1", "0", 1)
    for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup"):
        assert re.findall(f"a={name}:.*", offer.sdp) == re.findall(f"a={name}:.*", BUNDLED)
    # Of the same transport are the candidates that stand there.
    assert [one.line.split()[4] for one in offer.candidates] == ["192.0.2.9"]
    assert parse_description("offer", offer.sdp).ufrag == "aUd1"
    with pytest.raises(NegotiationError, match="a=ice-ufrag is missing"):
        parse_description("offer", BUNDLED.replace("BUNDLE audio 0", "BUNDLE 0 audio"))


def test_candidates_of_another_transport_are_none_of_ours() -> None:
    assert parse_description("offer", place(CHROMIUM, AUDIO, AUDIO)).candidates == ()
    both = place(CHROMIUM, AUDIO.replace("aUd1", "Yq3L"))
    assert len(parse_description("offer", both).candidates) == 1


def test_of_two_data_channels_the_first_that_is_not_declined_is_picked() -> None:
    section = CHROMIUM[CHROMIUM.index("m=") :].replace("a=mid:0", "a=mid:1")
    declined = section.replace("m=application 9", "m=application 0").replace("a=mid:1", "a=mid:2")
    for sdp, mid, index in (
        (place(CHROMIUM, after=section), "0", 0),
        (place(CHROMIUM, before=section), "1", 0),
        (place(CHROMIUM, before=declined), "0", 1),
        (place(CHROMIUM, before=declined, after=section), "0", 1),
    ):
        offer = parse_description("offer", sdp)
        assert (offer.mid, offer.index) == (mid, index)
        assert len(media_of(answer_to(offer))) == len(media_of(sdp))


def test_an_answer_with_further_sections_is_taken_where_it_takes_the_data_channel() -> None:
    answer = AIORTC.replace("actpass", "active")
    for other in (AUDIO, REJECTED):
        assert parse_description("answer", place(answer, other, other)).mid == "0"
    declining = answer.replace("m=application 43196", "m=application 0")
    with pytest.raises(NegotiationError, match="it declines the data channel"):
        parse_description("answer", place(declining, AUDIO))


@pytest.mark.parametrize(
    "line", ["m=", "m=audio", "m=audio 9", "m=audio 9 RTP/AVP", "m= 9 RTP/AVP 0"]
)
def test_a_further_section_has_the_form_of_one(line: str) -> None:
    for sdp in (place(CHROMIUM, f"{line}\r\n"), place(CHROMIUM, "", f"{line}\r\n")):
        with pytest.raises(NegotiationError, match="media sections is malformed"):
            parse_description("offer", sdp)
