"""Candidates and descriptions mean the same in both languages, as far as both read them."""

from __future__ import annotations

import base64
import random
import re

from imgsync.core.handshake.sdp import parse_candidate, parse_description
from tests.both_languages.replay import Replay, dice_of
from tests.core.handshake.test_sdp_candidates import OF_NO_USE, TCP, USABLE
from tests.core.handshake.test_sdp_sections import BUNDLED, OTHERS
from tests.kit.descriptions import AUDIO, CHROMIUM, REAL, place
from tests.kit.inits import CHROMIUM_INIT, NO_INITS, make_init

RUNS = 500


def odd_line(dice: random.Random) -> str:
    """A line with a few words dropped, doubled or replaced."""
    lines = [*USABLE, *(line for some in OF_NO_USE.values() for line in some)]
    words = dice.choice(lines)[:400].split(" ")
    for _ in range(dice.randrange(3)):
        at = dice.randrange(len(words))
        others = dice.choice(lines)[:400].split(" ")
        words[at : at + dice.randrange(2)] = dice.choices(others, k=dice.randrange(3))
        words = words or ["1"]
    return " ".join(words)


def test_of_what_use_a_candidate_is(replay: Replay) -> None:
    lines = [*USABLE, *(line for some in OF_NO_USE.values() for line in some)]
    lines += [odd_line(dice) for _, dice in dice_of("candidates", RUNS)]
    lines += TCP
    for tcp in (False, True):
        candidates = [parse_candidate(line, tcp=tcp) for line in lines]
        expected = [[one.line if one.usable else None, one.problem] for one in candidates]
        assert len({problem for _, problem in expected}) == len(OF_NO_USE) + 1 + tcp
        inputs = [[line, tcp] for line in lines]
        replay.compare("candidates", inputs, expected, "candidates")


def test_which_section_of_a_description_is_the_data_channels(replay: Replay) -> None:
    bfcp = "m=application 9 UDP/BFCP *\r\na=mid:b\r\na=ice-ufrag:bfcp\r\n"
    declined = CHROMIUM[CHROMIUM.index("m=") :].replace("m=application 9", "m=application 0")
    declined = re.sub("a=max-message-size.*\r\n", "", declined)
    sizes = [
        CHROMIUM.replace("size:262144", f"size:{size}")
        for size in (0, 2**31 - 1, 2**31, 10**10, 2**64, 10**300)
    ]
    texts = [
        *(*REAL.values(), *sizes, BUNDLED, place(CHROMIUM, declined)),
        *(f"{sdp}a=ice-ufrag:later\r\na=mid:9\r\n" for sdp in REAL.values()),
        *(place(sdp, bfcp, bfcp) for sdp in REAL.values()),
        *(place(sdp, AUDIO) for sdp in REAL.values()),
        *(place(sdp, "", AUDIO) for sdp in REAL.values()),
        *(place(sdp, AUDIO, AUDIO * 2) for sdp in REAL.values()),
        *(place(sdp, declined.replace("mid:0", "mid:8"), AUDIO) for sdp in REAL.values()),
    ]
    expected = []
    for text in texts:
        found = parse_description("offer", text)
        size = re.findall("a=max-message-size:(.*)\r", found.sdp)
        expected.append([size[0], found.ufrag, found.mid, found.index])
    replay.compare("descriptions", texts, expected, "descriptions")


def test_what_is_an_init_of_sctp(replay: Replay) -> None:
    good = [CHROMIUM_INIT, make_init(), make_init(behind=b"\x80\x08\x00\x06\x82\xc0")]
    good.append(make_init(behind=b"\xc0\x00\x00\x04", window=2**32 - 1, outbound=2**16 - 1))
    dice = random.Random(4)
    odd = [bytearray(base64.b64decode(dice.choice(good))) for _ in range(RUNS)]
    for chunk in odd:
        chunk[dice.randrange(len(chunk))] = dice.choice((0, 1, 4, 30, 255))
    texts = [*good, *NO_INITS.values(), *(base64.b64encode(one).decode() for one in odd)]
    offers = [f"{CHROMIUM}a=sctp-init:{text}\r\n" for text in texts]
    expected = []
    for offer, text in zip(offers, texts, strict=True):
        found = parse_description("offer", offer)
        assert bool(found.sctp_init) == ("sctp-init" in found.sdp)
        expected.append(text if found.sctp_init else None)
    assert expected[: len(good)] == good
    replay.compare("inits", offers, expected, "inits")


def test_how_an_answer_declines_the_sections_that_are_not_the_data_channels(replay: Replay) -> None:
    answer = CHROMIUM.replace("actpass", "active")
    # A browser keeps the sound that the channel is bundled with; the rest is declined in both.
    offers = [
        place(sdp, before, after)
        for sdp in REAL.values()
        for other in OTHERS
        for before, after in ((other, ""), ("", other), (other, other * 2))
    ]
    expected = [parse_description("offer", offer).frame(answer) for offer in offers]
    replay.compare("frames", [[offer, answer] for offer in offers], expected, "frames")


def test_what_a_browser_is_given_of_an_offer(replay: Replay) -> None:
    text = "m=text 9 RTP/AVP 98\r\na=mid:t\r\n"
    bundled = CHROMIUM.replace("BUNDLE 0", "BUNDLE audio 0 t")
    rejected = AUDIO.replace("m=audio 9", "m=audio 0")
    alone = CHROMIUM.replace("BUNDLE 0", "BUNDLE audio 0").replace("audio 0", "0")
    cases = {
        CHROMIUM: CHROMIUM,
        place(CHROMIUM, AUDIO, text): CHROMIUM,
        place(bundled, AUDIO, text): place(CHROMIUM.replace("BUNDLE 0", "BUNDLE audio 0"), AUDIO),
        place(bundled, rejected, text): alone,
        place(CHROMIUM.replace("a=group:BUNDLE 0\r\n", ""), text, AUDIO): CHROMIUM.replace(
            "a=group:BUNDLE 0\r\n", ""
        ),
    }
    replay.compare("reduced", [*cases], [*cases.values()], "reduced")


MADE_READABLE = {
    CHROMIUM.replace("\r\n", "\n"): CHROMIUM,
    CHROMIUM.rstrip(): CHROMIUM,
    f"{CHROMIUM}\r\n": CHROMIUM,
    CHROMIUM.replace("BUNDLE 0", "BUNDLE 0 "): CHROMIUM,
    CHROMIUM.replace("sha-256", "SHA-256"): CHROMIUM,
    CHROMIUM.replace("a=setup", "a=fingerprint:md5 AB:CD\r\na=setup"): CHROMIUM,
    CHROMIUM.replace("a=setup", "a=fingerprint:sha-512 AB:CD\r\na=setup"): CHROMIUM,
    CHROMIUM.replace("sha-256", "sha-384"): CHROMIUM.replace("sha-256", "sha-384"),
    f"{CHROMIUM}a=candidate:1 01 UDP 01 10.0.0.1 09 TYP Host x\r\n": (
        f"{CHROMIUM}a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n"
    ),
    f"{CHROMIUM}a=candidate:1 1 udp 1 10.0.0.1 9 typ srflx raddr x rport 99999": (
        f"{CHROMIUM}a=candidate:1 1 udp 1 10.0.0.1 9 typ srflx raddr 0.0.0.0 rport 0\r\n"
    ),
    f"{CHROMIUM}a=candidate:1 1 TCP 1 10.0.0.1 9 typ host generation 0 tcptype passive\r\n": (
        f"{CHROMIUM}a=candidate:1 1 tcp 1 10.0.0.1 9 typ host tcptype passive\r\n"
    ),
    f"{CHROMIUM}a=candidate:1 1 tcp 1 10.0.0.1 9 typ host tcptype active\r\n": CHROMIUM,
    f"{CHROMIUM}a=candidate:1 1 udp 1 10.0.0.1 9 typ srflx raddr 10.0.0.2 rport 8 generation 0 "
    "ufrag abcd network-id 1 network-cost 50 network-cost x\r\n": (
        f"{CHROMIUM}a=candidate:1 1 udp 1 10.0.0.1 9 typ srflx raddr 0.0.0.0 rport 0 "
        "network-id 1 network-cost 50\r\n"
    ),
}


def test_a_browser_is_given_what_it_can_read(replay: Replay) -> None:
    expected = [
        re.sub("a=fingerprint.*", lambda m: capital(m[0]), s) for s in MADE_READABLE.values()
    ]
    replay.compare("readable", [*MADE_READABLE], expected, "readable")


def capital(fingerprint: str) -> str:
    name, value = fingerprint.split(" ")
    return f"{name} {value.upper()}"
